# Everything a person or CI does with a fresh clone. `make help` lists it.

PORT ?= 7860
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install run test check screenshots quality clean

help: ## List what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

install: .venv/installed ## Create .venv with everything, at pinned versions

.venv/installed: pyproject.toml constraints.txt
	@echo "Installing into .venv: about 2 GB, some minutes the first time"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

run: install ## Index the articles in seeds/ and serve the page (PORT=7860)
	$(BIN)/rag index seeds
	$(BIN)/rag serve --port $(PORT)

test: install ## Run all tests
	$(BIN)/pytest

check: install ## Format, lint, types, layers, tests with coverage: what CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --cov --cov-report=term-missing:skip-covered

screenshots: install ## Take the README's screenshot again (needs Chromium)
	$(BIN)/python tests/browser/take_screenshots.py

quality: install ## Measure retrieval on the sets in DATA=folder
	$(BIN)/python tests/bench/quality.py $(DATA)/squad_dev $(DATA)/chroma_chunking $(DATA)/scifact
	$(BIN)/python tests/bench/refusal.py $(DATA)

clean: ## Remove .venv and the default library
	rm -rf .venv .rag
