# Everything a person or CI does with a fresh clone. `make help` lists it.

PORT ?= 7860
PYTHON ?= python3
BIN := .venv/bin
FOUND ?= .venv-peers/found
RUNS ?= 20000
PARALLEL ?= -n auto --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help install run test check faults fuzz overload screenshots quality peers bench clean

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
	$(BIN)/pytest $(PARALLEL)

check: install ## Format, lint, types, layers, tests with coverage: what CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(PARALLEL) --cov --cov-report=term-missing:skip-covered

faults: install ## Kill a writer before each of its write steps, and look at what is left
	$(BIN)/python tests/faults/kill_at_every_step.py $$(mktemp -d)

fuzz: install .venv/fuzzer ## Try each parser with hostile input (RUNS=20000 each)
	$(BIN)/python tests/fuzz/fuzz.py all --runs $(RUNS) --corpus .fuzz

.venv/fuzzer: tests/fuzz/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r $<
	touch $@

overload: install ## Ask 50 times a second while indexing, five minutes (DATA=folder)
	$(BIN)/python tests/bench/overload.py $(DATA)/squad_dev

screenshots: install ## Take the README's screenshots again (needs Chromium)
	$(BIN)/python tests/browser/take_screenshots.py

quality: install ## Measure retrieval on the sets in DATA=folder
	$(BIN)/python tests/bench/quality.py $(DATA)/squad_dev $(DATA)/chroma_chunking $(DATA)/scifact
	$(BIN)/python tests/bench/refusal.py $(DATA)

peers: install .venv-peers/installed ## Compare with others on the sets in DATA=folder (hours)
	.venv-peers/bin/python -W ignore tests/bench/peers/collect.py $(DATA) --cache $(FOUND)
	$(BIN)/python tests/bench/peers.py $(DATA) --cache $(FOUND) --libraries $(FOUND)/libraries

bench: install .venv-peers/installed ## Measure speed beside others on the sets in DATA=folder
	$(BIN)/python tests/bench/bench.py $(DATA) --plot bench.png

.venv-peers/installed: tests/bench/peers/requirements.txt
	@echo "Installing the peers into .venv-peers: about 2 GB, some minutes the first time"
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

clean: ## Remove the environments and the default library
	rm -rf .venv .venv-peers .rag .bench
