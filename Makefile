# make setup | demo | test | lint | bench [ROWS="1 5"] | run | lock [UPGRADE=1]

PYTHON ?= python3
STAMP := .venv/.installed

.PHONY: setup demo test lint bench run lock

setup: $(STAMP)

$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: setup
	.venv/bin/yousaid demo

test: setup
	.venv/bin/pytest -n auto --dist worksteal

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: setup
	.venv/bin/python -m benchmarks $(if $(ROWS),--rows "$(ROWS)")

run: setup
	.venv/bin/yousaid run

# Keeps the versions that are locked already, unless UPGRADE is given.
lock:
	tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && \
	$(PYTHON) -m venv "$$tools" && \
	"$$tools/bin/pip" install --quiet --disable-pip-version-check uv && \
	"$$tools/bin/uv" pip compile --quiet --universal --generate-hashes --no-emit-index-url \
		--python-version 3.11 --extra dev --extra bench --custom-compile-command "make lock" \
		$(if $(UPGRADE),--upgrade) --output-file requirements.lock pyproject.toml
	! grep -nE '(file|https?)://' requirements.lock
