# `make` lists the targets. They install into .venv* and write to .cache, both in this directory.

# The Python for the environment: 3.10 or newer.
PYTHON ?= python3
# The Airflow line: 2.11, 3.0, 3.1, 3.2, 3.3, or 3.4 (a beta). Each line has its own environment.
AIRFLOW ?= 3.3
# More arguments for pytest: make test ARGS="-k hook -x"
ARGS ?=
# Tests also wait, so there is one process more than there are processors.
PROCESSES = $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
# How pytest runs in parallel: make test PARALLEL="-n 0" for one process.
PARALLEL ?= -n $(PROCESSES) --dist worksteal
# Cells of the matrix: make matrix CELLS="3.0-py3.12 2.11-*" (scripts/matrix.py --list prints their names)
CELLS ?=
# Mutation tests of some modules or groups of scripts/mutants.toml: make mutants MODULE="api/retry bulk/* rows"
MODULE ?=
# Mutation tests of at most so many mutants of each module: make mutants SAMPLE=20
SAMPLE ?=
# The length of `make soak` in seconds, for each of its tests.
SECONDS ?= 600
# The port of `make ui`.
PORT ?= 8080

NEWEST := 3.3
VENV   := .venv$(if $(filter-out $(NEWEST),$(AIRFLOW)),-$(AIRFLOW))
GROUP  := $(if $(filter-out $(NEWEST),$(AIRFLOW)),test,dev)
# Created when the environment is complete. The name contains Python's version, so another PYTHON recreates it.
READY  := $(VENV)/.ready-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
PY     := $(VENV)/bin/python

SPHINX := AIRFLOW_HOME='$(CURDIR)/.cache/docs-airflow' $(PY) -m sphinx -q -E -W --keep-going -n -d .cache/docs-doctrees

BENCHMARKS := $(addprefix benchmarks/, import_cost.py hook_cpu.py bulk_rate.py http_operator.py \
	requests_spent.py quota_use.py memory.py recordings.py)

# Ignore the settings of the user's own Airflow.
$(foreach name,$(filter AIRFLOW_%,$(.VARIABLES)),$(eval unexport $(name)))
# Compile Airflow once, because dozens of processes import it. Containers often disable that.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help environment demo ui test unit coverage mutants run-mutants s3-test tables-test system-test soak matrix docs docs-code linkcheck screenshots bench check release-check format lock clean

help: ## Show this list
	@echo 'Usage: make TARGET [AIRFLOW=2.11|3.0|3.1|3.2|3.3|3.4] [PYTHON=python3]'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

environment: $(READY) ## Create the environment, as all other targets do if it is missing

demo: $(READY) ## Run two example DAGs against an emulated Retell and show the changes
	@$(PY) scripts/demo.py

ui: $(READY) ## Serve Airflow with the examples on localhost:8080 (PORT=...) until Ctrl-C
	@$(PY) scripts/ui.py --port $(PORT)

test: $(READY) ## Run the tests (ARGS="-k name" for some of them)
	@rm -rf .cache/test-$(AIRFLOW) && mkdir -p .cache/test-$(AIRFLOW)
	@AIRFLOW_HOME="$(CURDIR)/.cache/test-$(AIRFLOW)" AIRFLOW__CORE__LOAD_EXAMPLES=False \
		$(PY) -m pytest $(PARALLEL) $(ARGS)

unit: ## Run only the fast tests
	@$(MAKE) --no-print-directory test ARGS='-m "not slow and not system and not soak" $(ARGS)'

coverage: ## Run the fast tests and fail if they cover less than 95 % of the package without the emulator
	@$(MAKE) --no-print-directory unit ARGS='--cov --cov-config="$(CURDIR)/pyproject.toml" --cov-report=term $(ARGS)'

# The other targets do without mutmut, so it has its own environment.
mutants: ## Change the code in small ways and list the changes that no test notices (MODULE=api/retry, SAMPLE=20)
	@$(MAKE) --no-print-directory VENV=.venv-mutants GROUP=mutants AIRFLOW=$(NEWEST) run-mutants

run-mutants: $(READY)
	@$(PY) scripts/mutants.py $(if $(SAMPLE),--sample $(SAMPLE)) $(ARGS) $(MODULE)

# On the newest line whose constraints have versions that Amazon's libraries accept.
s3-test: ## Test files on S3, against a server of its protocol on this machine
	@$(MAKE) --no-print-directory VENV=.venv-s3 GROUP=s3 AIRFLOW=3.2 test PARALLEL='-n 0' ARGS='tests/s3 $(ARGS)'

tables-test: ## Test DataFrames of pandas and polars as rows
	@$(MAKE) --no-print-directory VENV=.venv-tables GROUP=tables AIRFLOW=3.2 test PARALLEL='-n 0' ARGS='tests/bulk/test_row_options.py tests/api/test_encode.py $(ARGS)'

# Collecting all tests would cost each process ten seconds.
SYSTEM_TESTS = $(if $(findstring tests/,$(ARGS)),,tests/system $(shell grep -rlF --include='test_*.py' mark.system tests))
system-test: ## Run DAGs in real Airflows, with PostgreSQL, Celery and a browser (minutes)
	$(if $(filter $(NEWEST),$(AIRFLOW)),@scripts/system-packages.sh)
	@$(MAKE) --no-print-directory test PARALLEL='-n $(PROCESSES) --dist loadfile --no-loadscope-reorder' ARGS='-m system $(SYSTEM_TESTS) $(ARGS)'

soak: ## Run the receiver under load, a week of waits and a day's outage (minutes; SECONDS=20 for a short run)
	@RETELL_SOAK_SECONDS='$(SECONDS)' $(MAKE) --no-print-directory test PARALLEL='-n 0 -s' ARGS='-m soak $(ARGS)'

# Needs only the Pythons: each cell creates its own environments.
matrix: ## Test every Airflow with every Python, and the wheel (hours; CELLS=quick or CELLS="3.0-py3.12 2.11-*")
	@$(PYTHON) scripts/matrix.py $(ARGS) $(if $(CELLS),-- $(foreach cell,$(CELLS),'$(cell)'))

# The documentation, the benchmarks, the linters and the pins use the newest line.
ifeq ($(AIRFLOW),$(NEWEST))
screenshots: $(READY) ## Take the screenshots in docs/images with the browser tests
	@scripts/system-packages.sh
	@RETELL_SCREENSHOTS=docs/images $(MAKE) --no-print-directory test ARGS='-m system tests/system/test_browser.py tests/system/test_report_page.py'

# The fixers change files only if they fail. git ls-files keeps them away from everything that is not tracked.
TEXT_FILES = git ls-files -z -- ':!*.png' | xargs -0
check: $(READY) ## Check format, spelling, lint, types and GitHub workflows
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(TEXT_FILES) $(VENV)/bin/codespell
	@$(TEXT_FILES) $(VENV)/bin/trailing-whitespace-fixer
	@$(TEXT_FILES) $(VENV)/bin/end-of-file-fixer
	@$(TEXT_FILES) $(VENV)/bin/check-merge-conflict --assume-in-merge
	@git ls-files -z -- '*.toml' | xargs -0 $(VENV)/bin/check-toml
	@git ls-files -z -- '*.yml' '*.yaml' | xargs -0 $(VENV)/bin/check-yaml
	@$(VENV)/bin/zizmor --offline --quiet --persona pedantic .github
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml

format: $(READY) ## Format the code and fix what the linter can fix
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

# Warnings, dead links between pages and unknown names fail the build. Needs Python 3.11 or newer.
docs: $(READY) ## Build the documentation in .cache/docs; warnings are errors
	@$(SPHINX) -b html docs .cache/docs
	@echo 'The documentation: .cache/docs/index.html'

docs-code: $(READY) ## Write the code of the examples and generated tables into the Markdown pages
	@$(PY) scripts/docs_code.py
	@$(PY) scripts/docs_tables.py

linkcheck: $(READY) ## Check the external links of the documentation (needs the internet)
	@$(SPHINX) -b linkcheck docs .cache/docs-links

bench: $(READY) ## Compare with peers: speed, memory, requests spent (a few minutes)
	@failed=; for script in $(BENCHMARKS); do $(PY) $$script || failed=1; done; [ -z "$$failed" ]

release-check: $(READY) ## Check that this commit can be released (ARGS=--rehearsal for any checkout)
	@$(PY) scripts/release_check.py $(ARGS)

lock: $(READY) ## Update the pinned versions in constraints/
	@$(PY) scripts/lock.py
else
docs docs-code linkcheck screenshots bench check release-check format lock:
	@$(MAKE) --no-print-directory $@ AIRFLOW=$(NEWEST)
endif

clean: ## Remove everything that make has created
	rm -rf .venv .venv-* .cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints/airflow-$(AIRFLOW).txt scripts/setup.sh
	@scripts/setup.sh '$(PYTHON)' $(VENV) $(AIRFLOW) $(GROUP)
	@touch $@

# An unknown AIRFLOW has no such file, and setup.sh reports it.
constraints/airflow-$(AIRFLOW).txt:
	@:
