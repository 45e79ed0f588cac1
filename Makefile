# The commands of this project; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(firstword $(shell command -v python3.11 python3 2>/dev/null))
VENV := .venv
RUN := $(VENV)/bin/python
STACK ?= dev
NODES ?= 1
# How many folders of tests run at a time: each has servers of its own.
WORKERS ?= 2
PULUMI := $(RUN) -m lab pulumi --
# The rules, with the levels and bounds that an environment has in policy/<environment>.json.
RULES = --policy-pack policy $(addprefix --policy-pack-config ,$(wildcard policy/$(STACK).json))

.PHONY: help
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: requirements.txt requirements-dev.txt policy/requirements.txt constraints.txt pyproject.toml
	@[ -n "$(PYTHON)" ] && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; found: $$($(PYTHON) --version 2>&1 || echo none). Say which one to use with make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing the Python packages into $(VENV) (about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement policy/requirements.txt
	@touch $@

.PHONY: install
install: $(VENV)/.installed ## Install the Python packages into .venv

.PHONY: tools
tools: $(VENV)/.installed ## Prepare every tool and say where each came from
	@$(RUN) -m lab tools

.PHONY: up
up: $(VENV)/.installed ## Start the lab and set up the trust in it (NODES=0: without nodes)
	@$(RUN) -m lab up --no-hints $(if $(filter 0,$(NODES)),--no-nodes)
	@$(PULUMI) up --yes --skip-preview --refresh --stack $(STACK)
	@echo 'To look around from this shell: eval "$$($(RUN) -m lab env)"'

.PHONY: preview
preview: $(VENV)/.installed ## Show what `make up` would change
	@$(PULUMI) preview --diff --stack $(STACK) $(RULES)

# What the pipelines in ci/ run, with the `pulumi` on PATH.
PLAN ?=

.PHONY: ci-preview
ci-preview: $(VENV)/.installed ## What an update of STACK would change, as Markdown (PLAN=file: and its plan)
	@$(RUN) -m mesh_trust.operations --stack $(STACK) preview --markdown $(RULES) $(if $(PLAN),--save-plan $(abspath $(PLAN)))

.PHONY: ci-drift
ci-drift: $(VENV)/.installed ## Fail where STACK is not as the program has left it
	@$(RUN) -m mesh_trust.operations --stack $(STACK) preview --markdown --refresh --expect-no-changes

.PHONY: ci-up
ci-up: $(VENV)/.installed ## Update STACK as PLAN says, and not beyond
	@[ -f "$(PLAN)" ] || { echo "PLAN names no file: make it with make ci-preview PLAN=..." >&2; exit 2; }
	@PULUMI_EXPERIMENTAL=true pulumi up --yes --skip-preview --non-interactive --stack $(STACK) $(RULES) --plan $(abspath $(PLAN))

.PHONY: verify
verify: $(VENV)/.installed ## Look whether the trust that is set up in the lab is as it should be
	@env="$$($(RUN) -m lab env)" && eval "$$env" && $(RUN) -m mesh_trust.operations --stack $(STACK) verify

.PHONY: status
status: $(VENV)/.installed ## Show the lab's processes
	@$(RUN) -m lab status

.PHONY: down
down: $(VENV)/.installed ## Take the trust down and stop the lab
	@if $(RUN) -m lab status >/dev/null; then $(PULUMI) destroy --yes --skip-preview --refresh --stack $(STACK); \
	  else echo "The lab does not run as a whole: its trust is left as it is for the next make up."; fi
	@$(RUN) -m lab down

.PHONY: clean-lab
clean-lab: $(VENV)/.installed ## Stop the lab and delete all it kept
	@$(RUN) -m lab clean

.PHONY: lint
lint: $(VENV)/.installed
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy

.PHONY: reference
reference: $(VENV)/.installed ## Write docs/configuration.md and docs/components.md anew
	@$(RUN) -m mesh_trust.settings.reference docs/configuration.md
	@$(RUN) -m mesh_trust.package_reference docs/components.md

.PHONY: schema
schema: $(VENV)/.installed ## Write package/schema.json anew from the components
	@$(RUN) -m mesh_trust.package > package/schema.new && mv package/schema.new package/schema.json

.PHONY: check
check: lint ## Lint, types and the tests that need no servers
	@$(RUN) -m pytest tests/unit

.PHONY: test
test: lint ## Everything: lint, types, and all tests on real servers
	@$(RUN) -m lab tools
	@$(RUN) -m pytest --numprocesses $(WORKERS) --dist loadscope --no-loadscope-reorder

$(VENV)/.bench: $(VENV)/.installed bench/requirements.txt
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement bench/requirements.txt
	@touch $@

# Options of the measurements, as BENCH="--clusters 2 --rounds 1 --output folder"; --help lists them.
BENCH ?=

.PHONY: bench
bench: $(VENV)/.bench ## Measure the guide's commands and the program (BENCH="--clusters 2")
	@$(RUN) -m bench $(BENCH)

.PHONY: soak
soak: $(VENV)/.installed $(VENV)/.bench ## The tests that take long, on real servers
	@$(RUN) -m lab tools
	@$(RUN) -m pytest -m soak
