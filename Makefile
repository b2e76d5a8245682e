# The tasks of this checkout. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
STAMP := .venv/.crossdock-ready
MEASURES := .venv/.crossdock-measures
BROWSING := .venv/.crossdock-desk
# Each worker has its own servers and mostly waits for them: three workers keep two cores busy.
WORKERS ?= 3
NEEDS_SERVERS := postgres or kafka or journey
# 0 leaves out the tests that measure time. Use it on a machine that is busy with other work.
TIMING ?= 1
UNTIMED := $(filter 0,$(TIMING))
CODE := schemas formats velocity chassis services console simulator cli tools benchmarks
# A folder that does not exist yet is skipped.
PRESENT = $(wildcard $(CODE))

# Run one part and say how long it took: $(call part,name,command)
part = @begin=$$SECONDS; echo "== $(1)"; $(2) || exit $$?; echo "== $(1): $$((SECONDS - begin)) s"

.PHONY: help setup demo up down test quick journeys layers types lint format contracts contracts-check canvas \
	migrate pages desk bench bench-compare soak faults mutants new-service gate

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  \1\t/' | expand -t 20

setup: $(STAMP) ## Create the environment (.venv) from the locks; does nothing if it is current

$(STAMP): requirements/lock.txt requirements/bootstrap.lock pyproject.toml deploy/local/setup.sh
	@begin=$$SECONDS; echo "== setup"; deploy/local/setup.sh; touch $@; echo "== setup: $$((SECONDS - begin)) s"

demo: setup pages ## Show one delay from first signal to verified case, then keep running; ONCE=1 stops there
	@$(PY) -m cli demo $(if $(ONCE),--once)

up: setup pages ## Start PostgreSQL, Kafka and the world live; Ctrl-C stops them
	@$(PY) -m cli up

down: setup ## Stop the processes that `make up` or `crossdock up --detach` started
	@$(PY) -m cli down

test: setup ## Run every check and every test, on real PostgreSQL and Kafka; TIMING=0 leaves out tests that measure time
	@$(MAKE) lint types layers contracts-check
	$(call part,tests without servers,$(PY) -m pytest -n $(WORKERS) --dist loadfile -m "not ($(NEEDS_SERVERS) or timing)")
	$(call part,tests on PostgreSQL and Kafka,$(PY) -m pytest -n $(WORKERS) --dist loadfile -m "($(NEEDS_SERVERS)) and not (journey or desk or timing)")
	$(if $(UNTIMED),@true,$(call part,tests that measure time,$(PY) -m pytest -m "timing and not (journey or desk)"))
	@$(MAKE) journeys
	@$(MAKE) desk
	@$(MAKE) faults

quick: setup ## Run the tests that need no server (seconds)
	$(call part,quick,$(PY) -m pytest -m "not ($(NEEDS_SERVERS) or records or timing)")

journeys: setup ## Run the end-to-end tests: every service as a process, on real Kafka and PostgreSQL
	$(call part,journeys,$(PY) -m pytest -m "journey$(if $(UNTIMED), and not timing)")

pages: setup ## Build the desk's pages (needs Node)
	@deploy/local/pages.sh

desk: setup ## Check the desk's pages and run their tests in Chromium (needs Node and Chromium)
	$(call part,pages,deploy/local/pages.sh --check)
	@$(MAKE) $(BROWSING)
	$(call part,desk,$(PY) -m pytest -m "desk$(if $(UNTIMED), and not timing)")

$(BROWSING): requirements/desk.lock $(STAMP)
	@deploy/local/setup.sh desk; touch $@

layers: setup ## Check the layer rules: which module may import which, and what it may contain
	$(call part,imports,.venv/bin/lint-imports --no-logo)
	$(call part,layers,$(PY) -m tools.lint_layers)

types: setup ## Check types (mypy, strict)
	$(call part,types,.venv/bin/mypy $(PRESENT))

lint: setup ## Check style (ruff)
	$(call part,lint,.venv/bin/ruff check . && .venv/bin/ruff format --check .)

format: setup ## Fix style (ruff)
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

contracts: setup ## Generate the JSON Schemas, the AsyncAPI and OpenAPI documents and docs/events.md from the code
	@$(PY) -m tools.generate_contracts

contracts-check: setup ## Fail if a generated contract differs from the code or breaks an earlier release
	$(call part,contracts,$(PY) -m tools.generate_contracts --check)
	$(call part,compatibility,$(PY) -m tools.compatibility)

canvas: setup ## Generate the block of tables, acts and events in each service's README
	@$(PY) -m tools.canvas

migrate: setup ## Upgrade the database in DATABASE_URL: make migrate service=logistics
	@$(PY) -m services.$(service) migrate

$(MEASURES): requirements/bench.lock requirements/desk.lock $(STAMP)
	@deploy/local/setup.sh bench; deploy/local/setup.sh desk; deploy/local/pages.sh; touch $@

bench: $(MEASURES) ## Measure this machine (20 minutes); FULL=1: three long runs, resumed if interrupted; STRICT=1: fail on a missed bar
	@$(PY) -m benchmarks $(if $(FULL),--full --resume) $(if $(STRICT),--strict)

bench-compare: setup ## Compare the last run of `make bench` with the one before it
	@$(PY) -m benchmarks --compare

soak: setup ## Run at half load for hours and report growth of memory and latency: make soak minutes=120
	@$(PY) -m benchmarks.soak $(if $(minutes),--minutes $(minutes))

mutants: setup ## Run the mutation test of velocity/ against the golden logs, in a temporary environment
	$(call part,mutants,tests/velocity/mutants.sh)

faults: setup ## Inject faults under load, then check that no event is lost, duplicated or reordered; FULL=1 runs the long trials
	$(call part,faults,$(PY) -m tests.faults path $(if $(FULL),--full) $(if $(UNTIMED),--untimed))
	$(call part,topics that grow,$(PY) -m tests.faults growth $(if $(FULL),--full) $(if $(UNTIMED),--untimed))
	$(if $(FULL),$(call part,poison messages,$(PY) -m tests.faults poison --full),@true)
	$(if $(FULL),$(call part,a replay in which every process is killed,$(PY) -m tests.faults replay --seed 1),@true)
	$(if $(FULL),$(call part,three brokers,$(PY) -m tests.faults brokers --full),@true)

new-service: setup ## Create an empty service from the template: make new-service name=returns
	@$(PY) -m tools.new_service $(name)

gate: test ## Run everything that .ci/run runs
