# 开门 Kaimen. Every target works from a bare checkout, may be repeated, and is quick the second time.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
TEST_PROCESSES ?= 3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
RUN_STAMP := $(VENV)/.run-$(shell cat requirements/uv.txt requirements/run.txt pyproject.toml native/heads.c 2>/dev/null | cksum | cut -d' ' -f1)
DEV_STAMP := $(VENV)/.dev-$(shell cat requirements/uv.txt requirements/dev.txt pyproject.toml 2>/dev/null | cksum | cut -d' ' -f1)
# Tests start hundreds of processes: bytecode is kept whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup run test test-full check bench docs lock system migrations clean witness

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Kaimen needs Python 3.11 or newer; name it with PYTHON=python3.12 make …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt

$(RUN_STAMP): $(UV)
	@echo "· installing (once)"
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/run.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python hatch_build.py
	@rm -f $(VENV)/.run-* && touch $@

$(DEV_STAMP): $(RUN_STAMP)
	@echo "· installing what tests and checks need (once)"
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@rm -f $(VENV)/.dev-* && touch $@

setup: $(RUN_STAMP)  ## install what is needed to run

run: setup docs  ## install, migrate, seed the city and serve http://127.0.0.1:8000
	@exec $(BIN)/kaimen up

docs: setup  ## build the documentation site (strict) into var/site
	@$(BIN)/kaimen docs build

system: $(DEV_STAMP)
	@scripts/system-packages $(PACKAGES)

WITNESS = tests/witness/node_modules/.package-lock.json
witness: $(WITNESS)  # after system: it brings npm
$(WITNESS): tests/witness/package-lock.json | system
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --prefix tests/witness --silent && touch $@

test: PACKAGES = postgresql redis-server nginx chromium fonts-noto-cjk node curl jdk go
test: system docs witness  ## all tests but the long ones, on SQLite and PostgreSQL
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder -m "not full" $(ARGS)

test-full: PACKAGES = postgresql redis-server nginx chromium fonts-noto-cjk node curl jdk go
test-full: system docs witness  ## the long ones: whole corpora, full fuzz counts, kill tests
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder -m "full" $(ARGS)

check: $(DEV_STAMP)  ## format, lint, types, import contracts
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ." >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

bench: PACKAGES = nginx wrk node
bench: system  ## measure against nginx, Node and FastAPI; table and var/bench.json
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || true
	@$(BIN)/python -m bench $(ARGS)

migrations: $(DEV_STAMP)  ## write the migrations that the models ask for
	@$(BIN)/tortoise -c api.main.stores.TORTOISE makemigrations

lock: $(UV)  ## resolve requirements anew
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra docs pyproject.toml requirements/build.in -o requirements/run.txt
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras -c requirements/run.txt pyproject.toml requirements/build.in -o requirements/dev.txt
	@echo "uv==$$($(UV) --version | cut -d' ' -f2)" | $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header - -o requirements/uv.txt

clean:  ## remove what the targets made, but not var (your data)
	@rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
