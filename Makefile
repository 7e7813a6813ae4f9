# Everything starts here: `make run` sets the project up and runs the main job, `make test` tests it.
# Set-up is done again only when the lock or pyproject.toml has changed.

VENV   ?= .venv
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
ARGS   ?=

# Compiled modules are kept, whatever the shell says: else every process compiles all of them again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup run test slow long bench evidence rehearsals loop loop-study crash lint types architecture check pages \
	lock wheel clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

setup: $(STAMP)  ## .venv with everything that the lock names, and the project itself

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "The twin needs Python 3.11, 3.12 or 3.13 as python3.11 (or python3) on the PATH."; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what requirements.lock names into $(VENV) ..."
	@if { test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv; } \
		&& $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock; then :; \
	else \
		echo "uv did not manage it; the same with pip, which takes some minutes."; \
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock; \
	fi
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

run: $(STAMP)  ## the main job: the medicines chain and its three headline what-ifs (ARGS="models=harbour")
	$(BIN)/twin run $(ARGS)

test: $(STAMP)  ## the fast suite, doctests and short guides included
	$(BIN)/python -m pytest -m "not slow and not long" -n 2 --dist worksteal $(ARGS)

slow: $(STAMP)  ## oracles with many replications, notebooks, README and long guides
	$(BIN)/python -m pytest -m slow -n 2 --dist worksteal $(ARGS)

long: $(STAMP)  ## what holds over many worlds, replications, examples, solver seconds or kills
	$(BIN)/python -m pytest -m long -n 2 --dist worksteal $(ARGS)

bench: $(STAMP) benchmarks/.venv/.ready  ## ratios against peers, side by side
	$(BIN)/python benchmarks/run.py $(ARGS)

evidence: $(STAMP)  ## figures on real data (from TWIN_DATA), each beside a baseline
	$(BIN)/python -m benchmarks.evidence $(ARGS)

rehearsals: $(STAMP)  ## is the truth recovered? twenty hidden truths, heard through faults
	$(BIN)/python benchmarks/rehearsals.py $(ARGS)

loop: $(STAMP)  ## the closed loop, one example: medicines with a twin and without, over a broker
	$(BIN)/twin loop models=medicines $(ARGS)

loop-study: $(STAMP)  ## does the twin help? twenty hidden truths, the paired gain with its interval
	$(BIN)/twin loop models=medicines truths=20 workers=2 $(ARGS)

crash: $(STAMP)  ## counted crash runs of listeners and pushers: nothing lost, nothing twice
	$(BIN)/python -m tests.crash $(ARGS)

benchmarks/.venv/.ready: benchmarks/requirements.txt
	test -x benchmarks/.venv/bin/python || $(BIN)/python -m venv benchmarks/.venv
	$(BIN)/uv pip install --quiet --python benchmarks/.venv/bin/python -r benchmarks/requirements.txt \
		|| benchmarks/.venv/bin/python -m pip install --quiet -r benchmarks/requirements.txt
	@touch $@

lint: $(STAMP)  ## ruff
	$(BIN)/python -m ruff check .

types: $(STAMP)  ## mypy
	$(BIN)/python -m mypy

architecture: $(STAMP)  ## rooms, doors, cycles, module length
	$(BIN)/python -m pytest tests/test_architecture.py

check: lint types architecture test  ## what a change must pass

pages: $(STAMP)  ## write what the commands of README and guides print now into these pages
	$(BIN)/python tests/test_docs.py $(ARGS)

lock: $(STAMP)  ## resolve pyproject.toml anew into requirements.lock
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --group dev \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--upgrade --quiet -o requirements.lock

wheel: $(STAMP)  ## dist/*.whl, which carries the starter workspace
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean:  ## remove what can be made again (outputs/ stays)
	rm -rf $(VENV) benchmarks/.venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
