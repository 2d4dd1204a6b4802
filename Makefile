# `make` lists what there is to do. Everything is installed into and written to this directory: .venv* and .cache.

# What the environment is made with: Python 3.10 or newer.
PYTHON ?= python3
# Which Airflow: 2.11, 3.0, 3.1, 3.2, 3.3, or 3.4, of which there is a beta. Each gets an environment of its own.
AIRFLOW ?= 3.3
# More arguments for pytest: make test ARGS="-k hook -x"
ARGS ?=
# Which cells of the matrix: make matrix CELLS="3.0-py3.12 2.11-*" (scripts/matrix.py --list names them)
CELLS ?=
# Where `make ui` serves.
PORT ?= 8080

NEWEST := 3.3
VENV   := .venv$(if $(filter-out $(NEWEST),$(AIRFLOW)),-$(AIRFLOW))
GROUP  := $(if $(filter-out $(NEWEST),$(AIRFLOW)),test,dev)
# Made when the environment is complete. It has Python's version in its name, so that another PYTHON makes it anew.
READY  := $(VENV)/.ready-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
PY     := $(VENV)/bin/python

SPHINX := AIRFLOW_HOME='$(CURDIR)/.cache/docs-airflow' $(PY) -m sphinx -q -E -W --keep-going -n -d .cache/docs-doctrees

BENCHMARKS := $(addprefix benchmarks/, import_cost.py hook_cpu.py bulk_rate.py http_operator.py \
	requests_spent.py quota_use.py memory.py)

# The user's own Airflow has no say here.
$(foreach name,$(filter AIRFLOW_%,$(.VARIABLES)),$(eval unexport $(name)))
# Dozens of processes import an Airflow: it is compiled once. Containers often forbid that.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo ui test unit system-test matrix docs docs-code linkcheck screenshots bench check release-check format lock clean

help: ## Show this list
	@echo 'Usage: make TARGET [AIRFLOW=2.11|3.0|3.1|3.2|3.3|3.4] [PYTHON=python3]'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Run the example DAG against an emulated Retell and show what changed
	@$(PY) scripts/demo.py

ui: $(READY) ## Serve a real Airflow with the example on localhost:8080 (PORT=...) until Ctrl-C
	@$(PY) scripts/ui.py --port $(PORT)

test: $(READY) ## Run the tests (ARGS="-k name" for some of them)
	@rm -rf .cache/test-$(AIRFLOW) && mkdir -p .cache/test-$(AIRFLOW)
	@AIRFLOW_HOME="$(CURDIR)/.cache/test-$(AIRFLOW)" AIRFLOW__CORE__LOAD_EXAMPLES=False \
		$(PY) -m pytest $(ARGS)

unit: ## Run the fast tests only, on all processors
	@$(MAKE) --no-print-directory test ARGS='-m "not slow and not system" -n auto $(ARGS)'

system-test: ## Run the tests with a whole Airflow, PostgreSQL, Redis, Celery, a browser (minutes; not AIRFLOW=2.11)
	$(if $(filter $(NEWEST),$(AIRFLOW)),@scripts/system-packages.sh)
	@$(MAKE) --no-print-directory test ARGS='-m system $(ARGS)'

# Needs nothing but Pythons: every cell makes its own environments.
matrix: ## Test every Airflow with every Python, and the wheel (hours; CELLS=quick or CELLS="3.0-py3.12 2.11-*" for some)
	@$(PYTHON) scripts/matrix.py $(ARGS) $(if $(CELLS),-- $(foreach cell,$(CELLS),'$(cell)'))

# The documentation, the benchmarks, the linters and the locking belong to the newest line.
ifeq ($(AIRFLOW),$(NEWEST))
screenshots: $(READY) ## Take the pictures in docs/images anew, with the browser tests
	@scripts/system-packages.sh
	@RETELL_SCREENSHOTS=docs/images $(MAKE) --no-print-directory test ARGS='-m system tests/system/test_browser.py'

check: $(READY) ## Check format, lint, types and GitHub workflows
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(VENV)/bin/zizmor --offline --quiet --persona pedantic .github
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml

format: $(READY) ## Format the code and mend what the linter can mend
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

# Strict: a warning, a dead link between pages or a name that is not there fails the build. Not on Python 3.10.
docs: $(READY) ## Build the documentation into .cache/docs, strictly
	@$(SPHINX) -b html docs .cache/docs
	@echo 'The documentation: .cache/docs/index.html'

docs-code: $(READY) ## Write the code of the examples into the Markdown pages
	@$(PY) scripts/docs_code.py

linkcheck: $(READY) ## Ask every outside link of the documentation whether it is there (needs the internet)
	@$(SPHINX) -b linkcheck docs .cache/docs-links

bench: $(READY) ## Compare with peers: speed, memory, requests spent (a few minutes)
	@failed=; for script in $(BENCHMARKS); do $(PY) $$script || failed=1; done; [ -z "$$failed" ]

release-check: $(READY) ## See that a release can be made (ARGS=--rehearsal for one that is not to be)
	@$(PY) scripts/release_check.py $(ARGS)

lock: $(READY) ## Renew the pinned versions in constraints/
	@$(PY) scripts/lock.py
else
docs docs-code linkcheck screenshots bench check release-check format lock:
	@$(MAKE) --no-print-directory $@ AIRFLOW=$(NEWEST)
endif

clean: ## Remove everything that make has made
	rm -rf .venv .venv-* .cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints/airflow-$(AIRFLOW).txt scripts/setup.sh
	@scripts/setup.sh '$(PYTHON)' $(VENV) $(AIRFLOW) $(GROUP)
	@touch $@

# An unknown AIRFLOW has no such file: setup.sh says so.
constraints/airflow-$(AIRFLOW).txt:
	@:
