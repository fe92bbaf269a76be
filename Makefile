# Needs python3 (3.11 or later), make and a C compiler; everything else is set up by the first target that is run.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.stamp
DEMO   := build/demo
PLAN   := facts/samples/wuhai-supply-plan.xlsx
CHECK  := $(BIN)/landrules check $(PLAN) --on 2023-06-01

SHELL := /bin/bash
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help setup browser demo test check format-check lint wheel types lock screenshots docs clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# --- set-up -----------------------------------------------------------------------------------------------------

setup: $(STAMP) ## create .venv from requirements.lock, with this checkout installed in it

# Debian splits the venv module and the C headers off from python3; durable-rules has no wheel and needs both.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("landrules needs Python 3.11 or later: make PYTHON=python3.11 ..." if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip, os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null \
	  || .ci/system-packages '/usr/lib/python3.*/ensurepip/__main__.py=python3-venv' '/usr/include/python3.*/Python.h=python3-dev'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Where these are missing and cannot be installed, the tests that use them skip with a reason.
browser: ## install Chromium, a Chinese font and the PostgreSQL server where apt-get can
	@.ci/system-packages chromium=chromium '/usr/share/fonts/opentype/noto/NotoSansCJK*=fonts-noto-cjk' \
	  '/usr/lib/postgresql/*/bin/initdb=postgresql'

# --- the program ------------------------------------------------------------------------------------------------

# `landrules check` says with 1 that something is violated and with 3 that questions are open: both are what a demo is
# for. 2 (bad input) and 4 (a rule failed to execute) are failures.
accept = rc=0; $(1) || rc=$$?; case $$rc in 0|1|3) ;; *) exit $$rc ;; esac

demo: $(STAMP) ## pre-check a sample supply plan: on the terminal, and as HTML and JSON in build/demo/
	@mkdir -p $(DEMO)
	@$(call accept,$(CHECK) --format console)
	@$(call accept,$(CHECK) --format html --out $(DEMO)/report.html)
	@$(call accept,$(CHECK) --format json --out $(DEMO)/report.json)
	@ls -1 $(DEMO)/report.html $(DEMO)/report.json

screenshots: $(STAMP) browser demo ## pictures of the demo report for the documentation
	docs/scripts/screenshots.sh

docs: $(STAMP) ## regenerate the pages that are made from rules and vocabulary
	$(BIN)/landrules docs --out docs

# --- checks -----------------------------------------------------------------------------------------------------

test: $(STAMP) browser ## run the tests
	$(BIN)/pytest -n 2 --dist loadfile

check: format-check lint types test ## everything that has to pass; pytest's summary is the last line

format-check: $(STAMP)
	$(BIN)/ruff format --check .

lint: $(STAMP)
	$(BIN)/ruff check .

# build/lib keeps modules that have been removed since, so it goes first.
wheel: $(STAMP) ## build the wheel in build/dist/
	@rm -rf build/lib build/bdist.* build/dist
	@mkdir -p build
	$(BIN)/python -m build --wheel --no-isolation --outdir build/dist . >build/wheel.log 2>&1 || { cat build/wheel.log; exit 1; }

# Types are checked on the wheel, installed into an environment of its own: a file that was left out of the wheel or a
# missing py.typed fails here and not at a user's. The environment borrows the dependencies of .venv through a .pth file.
# A path named in a .pth file is not itself searched for .pth files, so the editable install in .venv stays invisible.
types: wheel ## mypy --strict on what users get
	@rm -rf .venv-wheel
	@$(BIN)/python -m venv --without-pip .venv-wheel
	@$(BIN)/pip --python .venv-wheel/bin/python install -qq --disable-pip-version-check --no-deps --no-index build/dist/*.whl
	@purelib='import sysconfig; print(sysconfig.get_path("purelib"))'; \
	  $(BIN)/python -c "$$purelib" >"$$(.venv-wheel/bin/python -c "$$purelib")/dependencies.pth"
	$(BIN)/mypy --strict --python-executable .venv-wheel/bin/python -p landrules.engine -p landrules.facts

# --- upkeep -----------------------------------------------------------------------------------------------------

# Needs nothing but uv, so that it works when the lock no longer fits pyproject.toml.
$(BIN)/uv:
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -qq --disable-pip-version-check uv

lock: $(BIN)/uv ## bring requirements.lock up to pyproject.toml (newest versions: make lock UPGRADE=--upgrade)
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --no-config --quiet $(UPGRADE) --output-file requirements.lock

clean: ## remove what was built, except .venv
	rm -rf build dist .venv-wheel .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis *.egg-info
	find benchmarks engine facts features rulesets tests -name __pycache__ -type d -prune -exec rm -rf {} +
