# One command each; `make` alone lists them. `make test` is everything CI runs.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo audit test coverage check test-gitlab bench constraints openapi sbom clean

# What this project's many processes compile is kept, whatever the machine is set to: each would compile all of it anew.
export PYTHONDONTWRITEBYTECODE :=

BIN := .venv/bin
INSTALLED := .venv/.installed

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 20

demo: $(INSTALLED) ## a whole campus on this machine, every role played through all steps; KEEP=1 leaves its pages up
	@$(BIN)/alur demo $(if $(KEEP),--keep)

check: $(INSTALLED) ## format, lint, types and contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Where the pure core is tested, and so measured: measured throughout, the tests take twice as long (`make coverage`).
CORE := tests/core tests/procedures $(sort $(wildcard tests/test_*.py))
# In the order they are collected in: the files that take longest are no last ones then.
PYTEST := -m pytest -n 2 --dist loadfile --no-loadscope-reorder

audit: $(INSTALLED) ## known vulnerabilities in what is pinned, where the list of them can be reached
	@$(BIN)/python .ci/audit

test: check audit ## check, every test, and the coverage of the pure core
	rm -f .coverage .coverage.*
	$(BIN)/coverage run --source=integration/procedure $(PYTEST) $(CORE)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=100
	$(BIN)/python $(PYTEST) $(addprefix --ignore=,$(CORE))

coverage: $(INSTALLED) ## every test, and the coverage of all code
	rm -f .coverage .coverage.*
	$(BIN)/coverage run $(PYTEST)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

test-gitlab: $(INSTALLED) ## the platform suite against the GitLab of ALUR_TEST_GITLAB_URL, ALUR_TEST_GITLAB_TOKEN an administrator's
	@: "$${ALUR_TEST_GITLAB_URL:?set it to the address of a GitLab that may be written to}" "$${ALUR_TEST_GITLAB_TOKEN:?set it to an administrator\'s token}"
	$(BIN)/pytest tests/platform

bench: $(INSTALLED) ## the benchmarks, with their tables
	$(BIN)/pytest tests/bench -s -o python_files='bench_*.py'

constraints: ## pin everything anew, with hashes, for Python 3.11 and newer; needs `uv` in PATH; UPGRADE=1 takes the newest versions
	UV_CUSTOM_COMPILE_COMMAND='make constraints' uv pip compile pyproject.toml --output-file constraints.txt --quiet $(if $(UPGRADE),--upgrade) \
		--universal --python-version 3.11 --all-extras --generate-hashes --no-emit-index-url --no-emit-find-links
	UV_CUSTOM_COMPILE_COMMAND='make constraints' uv pip compile pyproject.toml --output-file deploy/requirements.txt --quiet --constraints constraints.txt \
		--universal --python-version 3.11 --extra tracing --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links

openapi: $(INSTALLED) ## write docs/openapi.json, the description of the interface, anew
	$(BIN)/python -m webhooks.openapi >docs/openapi.json

sbom: $(INSTALLED) ## write build/sbom.cdx.json, what an installation is made of as CycloneDX; the image carries its own
	mkdir -p build
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file build/sbom.cdx.json deploy/requirements.txt

clean: ## remove what was made here, the data of the demo and of `alur serve` (var/) not
	rm -rf .venv build *.egg-info .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Made once, and again when what is pinned changes. A virtual environment whose Python went away is made anew.
$(INSTALLED): constraints.txt pyproject.toml
	@$(BIN)/python -c '' 2>/dev/null || { \
		for python in python3.11 python3.12 python3.13 python3.14 python3 none; do \
			"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
		done; \
		[ $$python != none ] || { echo 'Python 3.11 or newer is needed: install the package python3' >&2; exit 1; }; \
		$$python -c 'import ensurepip, venv' 2>/dev/null || { echo "$$python cannot make a virtual environment: install the package python3-venv" >&2; exit 1; }; \
		$$python -m venv --clear .venv; \
	}
	@echo 'Installing what is pinned in constraints.txt into .venv (half a minute the first time) ...'
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r constraints.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
