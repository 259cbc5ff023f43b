# Thaw on a fresh machine: `make demo` and `make test` need Python 3.11 or later and nothing else.
# `make PYTHON=python3.12 …` uses another Python than python3.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
READY := $(VENV)/.ready
PIP_INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-input

# Another Python than the environment's was asked for by name: make the environment anew.
VERSION := -c 'import sys; print(sys.version)' 2>/dev/null
ifeq ($(origin PYTHON)$(wildcard $(LOCKED)),command line$(LOCKED))
ifneq ($(shell command -v $(PYTHON) >/dev/null && $(PYTHON) $(VERSION)),$(shell $(BIN)/python $(VERSION)))
$(LOCKED): another-python
endif
endif

# Dozens of processes start in a demonstration and in the tests: each would compile all modules anew without kept bytecode.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo up test bench lock another-python

help: ## Show what there is to make
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

demo: $(READY) ## Watch Thaw at work: half a year of one rep in a minute or two
	@$(BIN)/thaw demo

up: $(READY) ## Run Thaw here, with servers of its own
	@$(BIN)/thaw up

test: $(READY) ## Run all tests and all checks
	@failed=; said=$$(mktemp -d); trap 'rm -rf "$$said"' EXIT; \
	run() { printf '\n==> %s\n' "$$*"; "$(BIN)/$$@" || failed="$$failed, $$*"; }; \
	( run ruff check; run ruff format --check; run mypy; run lint-imports; printf '%s' "$$failed" >"$$said/failed" ) >"$$said/checks" 2>&1 & \
	run pytest --numprocesses 3 --dist worksteal; \
	wait; cat "$$said/checks"; failed="$$failed$$(cat "$$said/failed")"; \
	if [ -n "$$failed" ]; then printf '\nFailed: %s.\n' "$${failed#, }"; exit 1; fi; \
	printf '\nAll tests and checks passed.\n'

bench: $(READY) ## Measure throughput and latency on this machine
	@$(BIN)/python -m tests.benchmarks

lock: ## Write requirements.txt anew from pyproject.toml (UPGRADE=--upgrade for the newest versions)
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && \
	$(PYTHON) -m venv "$$tools" && \
	"$$tools/bin/python" -m pip install --quiet --disable-pip-version-check uv && \
	"$$tools/bin/uv" pip compile pyproject.toml --quiet --all-extras --universal --python-version 3.11 $(UPGRADE) \
		--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
		--output-file requirements.txt

# The environment: exactly what the lock names, and made anew only when the lock changes.
$(LOCKED): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'Thaw needs Python 3.11 or later, and $(PYTHON) is not that. Name another: make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo '$(PYTHON) has no venv module (Debian and Ubuntu: the package python3-venv). Name another: make PYTHON=python3.12'; \
		exit 1; }
	@echo 'Making $(VENV) from requirements.txt. This happens once and takes about a minute.'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP_INSTALL) --require-hashes --requirement requirements.txt
	@touch $@

$(READY): $(LOCKED) pyproject.toml
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@
