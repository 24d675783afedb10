# `make run`, `make test-fast`, `make test` and the others set up what they need in .venv, once.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-fast lint format clean

run: $(VENV)/.run-installed
	$(BIN)/streamlit run server.py

# Two at a time, the tests of a file on one: they share what is costly to make. Costly files go first.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.dev-installed
	$(PYTEST)

# No training, no process, no browser: for every save.
test-fast: $(VENV)/.dev-installed
	$(PYTEST) -m "not slow and not process and not browser"

lint: $(VENV)/.dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

format: $(VENV)/.dev-installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV)

$(BIN)/python:
	$(PYTHON) -m venv --upgrade-deps $(VENV)

$(VENV)/.run-installed: requirements.txt constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

# It holds what running needs as well: one call of pip does for both.
$(VENV)/.dev-installed: requirements-dev.txt requirements-scale.txt requirements.txt constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $(VENV)/.run-installed $@
