# Everything a person does with this checkout. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
STAMP := .venv/.crossdock-ready
MEASURES := .venv/.crossdock-measures
BROWSING := .venv/.crossdock-desk
# Each worker has servers of its own, and mostly waits for them: three keep two cores busy.
WORKERS ?= 3
NEEDS_SERVERS := postgres or kafka or journey
# 0 leaves out whatever measures time: a machine that does something else at the same time measures nothing.
TIMING ?= 1
UNTIMED := $(filter 0,$(TIMING))
CODE := schemas velocity chassis services console simulator cli tools benchmarks
# A folder that a later piece of work brings is no reason to fail before it is there.
PRESENT = $(wildcard $(CODE))

# Run one part and say how long it took: $(call part,name,command)
part = @begin=$$SECONDS; echo "== $(1)"; $(2) || exit $$?; echo "== $(1): $$((SECONDS - begin)) s"

.PHONY: help setup demo up down test quick journeys layers types lint format contracts contracts-check canvas \
	migrate pages desk bench bench-compare soak faults mutants new-service gate

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  \1\t/' | expand -t 20

setup: $(STAMP) ## Make the environment (.venv) from the locks; costs nothing the second time

$(STAMP): requirements/lock.txt requirements/bootstrap.lock pyproject.toml deploy/local/setup.sh
	@begin=$$SECONDS; echo "== setup"; deploy/local/setup.sh; touch $@; echo "== setup: $$((SECONDS - begin)) s"

demo: setup pages ## Tell the story of one delay, as it happens; ONCE=1 ends after it
	@$(PY) -m cli demo $(if $(ONCE),--once)

up: setup pages ## Start PostgreSQL, Kafka and the world live until Ctrl-C
	@$(PY) -m cli up

down: setup ## End what `up` or `crossdock up --detach` started
	@$(PY) -m cli down

test: setup ## Run every gate and every test, on real PostgreSQL and real Kafka; TIMING=0 without those that measure time
	@$(MAKE) lint types layers contracts-check
	$(call part,tests without servers,$(PY) -m pytest -n $(WORKERS) --dist loadfile -m "not ($(NEEDS_SERVERS) or timing)")
	$(call part,tests on PostgreSQL and Kafka,$(PY) -m pytest -n $(WORKERS) --dist loadfile -m "($(NEEDS_SERVERS)) and not (journey or desk or timing)")
	$(if $(UNTIMED),@true,$(call part,tests that measure time,$(PY) -m pytest -m "timing and not (journey or desk)"))
	@$(MAKE) journeys
	@$(MAKE) desk
	@$(MAKE) faults

quick: setup ## Run what needs no server at all: seconds
	$(call part,quick,$(PY) -m pytest -m "not ($(NEEDS_SERVERS) or records or timing)")

journeys: setup ## Run the journeys: every service a process, real Kafka and PostgreSQL
	$(call part,journeys,$(PY) -m pytest -m "journey$(if $(UNTIMED), and not timing)")

pages: setup ## Build the desk's pages, where Node is
	@deploy/local/pages.sh

desk: setup ## Check the desk's pages and run its journeys in Chromium, where Node and Chromium are
	$(call part,pages,deploy/local/pages.sh --check)
	@$(MAKE) $(BROWSING)
	$(call part,desk,$(PY) -m pytest -m "desk$(if $(UNTIMED), and not timing)")

$(BROWSING): requirements/desk.lock $(STAMP)
	@deploy/local/setup.sh desk; touch $@

layers: setup ## Check the layers: which module may import which, and what each module may do
	$(call part,imports,.venv/bin/lint-imports --no-logo)
	$(call part,layers,$(PY) -m tools.lint_layers)

types: setup ## Check types, strictly
	$(call part,types,.venv/bin/mypy $(PRESENT))

lint: setup ## Check style
	$(call part,lint,.venv/bin/ruff check . && .venv/bin/ruff format --check .)

format: setup ## Put style right
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

contracts: setup ## Make the JSON Schemas, the AsyncAPI document and docs/events.md from the code
	@$(PY) -m tools.generate_contracts

contracts-check: setup ## Fail when a generated contract is not what the code says, or breaks an earlier release
	$(call part,contracts,$(PY) -m tools.generate_contracts --check)
	$(call part,compatibility,$(PY) -m tools.compatibility)

canvas: setup ## Write the generated block of each service's README
	@$(PY) -m tools.canvas

migrate: setup ## Bring the database named by DATABASE_URL up to date: make migrate service=logistics
	@$(PY) -m services.$(service) migrate

$(MEASURES): requirements/bench.lock requirements/desk.lock $(STAMP)
	@deploy/local/setup.sh bench; deploy/local/setup.sh desk; deploy/local/pages.sh; touch $@

bench: $(MEASURES) ## Measure, calibration first, within 20 minutes; FULL=1 long runs, three times, resumed where it was cut off; STRICT=1 fails on a missed bar
	@$(PY) -m benchmarks $(if $(FULL),--full --resume) $(if $(STRICT),--strict)

bench-compare: setup ## Set the last run of `make bench` beside the one before it, and say what is noise
	@$(PY) -m benchmarks --compare

soak: setup ## Half load for hours, then say what grew: make soak minutes=120
	@$(PY) -m benchmarks.soak $(if $(minutes),--minutes $(minutes))

mutants: setup ## Make every mutant of velocity/ in an environment that is thrown away; the golden logs are the only judge
	$(call part,mutants,tests/velocity/mutants.sh)

faults: setup ## Kill, freeze and cut while work flows, and judge what comes out; FULL=1 as often as the bars say, and poison
	$(call part,faults,$(PY) -m tests.faults path $(if $(FULL),--full) $(if $(UNTIMED),--untimed))
	$(call part,topics that grow,$(PY) -m tests.faults growth $(if $(FULL),--full) $(if $(UNTIMED),--untimed))
	$(if $(FULL),$(call part,poison,$(PY) -m tests.faults poison --full),@true)
	$(if $(FULL),$(call part,a replay in which everything dies,$(PY) -m tests.faults replay --seed 1),@true)
	$(if $(FULL),$(call part,three brokers,$(PY) -m tests.faults brokers --full),@true)

new-service: setup ## Make a new service from the template: make new-service name=returns
	@$(PY) -m tools.new_service $(name)

gate: test ## Run what .ci/run runs
