PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
T ?= tests

.DEFAULT_GOAL := help
.PHONY: help up test bench chaos check format lint types imports audit lock clean

help: ## Show what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

up: $(VENV)/.installed ## Start the whole platform here (ARGS="--port 9000 --no-demo")
	@exec $(BIN)/student-hub up $(ARGS)

test: $(VENV)/.installed-dev ## Run all tests, or some: make test T=tests/students
	$(BIN)/pytest $(T)

bench: $(VENV)/.installed-dev ## Measure speed beside yardsticks, five minutes (ARGS=--scale: growth)
	$(BIN)/python -m benchmarks $(ARGS)

chaos: $(VENV)/.installed-dev ## The long proofs: faults, overload, kills; nearly an hour (T=tests/chaos/test_store.py)
	CHAOS=1 $(BIN)/pytest -n 0 --timeout=3600 $(if $(filter tests,$(T)),tests/chaos,$(T))

check: lint types imports ## Everything but the tests: format, lint, types, import rules

lint: $(VENV)/.installed-dev ## Format and lint, without changing a file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev ## Check the types
	$(BIN)/mypy

imports: $(VENV)/.installed-dev ## Check who imports whom
	$(BIN)/lint-imports

audit: $(VENV)/.installed-dev ## Look every locked package up in the advisories of the index (AUDIT_STRICT=1: fail if it has none)
	@$(BIN)/pip-audit --disable-pip --require-hashes --progress-spinner off -f json -r requirements.lock \
		2>/dev/null | $(BIN)/python .ci/audit.py

format: $(VENV)/.installed-dev ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --group build pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" -c requirements.lock --group dev pyproject.toml -o requirements-dev.lock

clean: ## Remove the virtual environment and what tools left behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the hub needs into $(VENV) (once; a minute or two of downloads) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing what the tests and checks need …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
