# make run and make test need Python 3.11 or newer, pip and make; they install what else there is into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed

.PHONY: install run test check clean lock crash outage replicas bench soak

install: $(STAMP)

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "alertsage needs Python 3.11 or newer as '$(PYTHON)'; name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: install
	$(BIN)/alertsage serve --config config.yaml

test: check
	$(BIN)/pytest

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Renews requirements.txt; needs uv. The file holds names, versions and hashes of all platforms, and no index's address.
lock:
	uv pip compile --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --group test pyproject.toml -o requirements.txt

# More of what the tests do a little of: kill -9 in the middle of webhooks; the database locked, and the disk full, for a minute.
crash: install
	ALERTSAGE_CRASH_CYCLES=$(or $(CYCLES),300) $(BIN)/pytest tests/test_crash.py

outage: install
	ALERTSAGE_OUTAGE_SECONDS=60 ALERTSAGE_POSTGRES_CYCLES=20 $(BIN)/pytest tests/test_outage.py tests/test_outage_postgres.py tests/test_spool.py

# Three replicas on one PostgreSQL, 10,000 alerts with an enricher, one replica killed every five seconds.
replicas: install
	ALERTSAGE_REPLICA_ALERTS=$(or $(ALERTS),10000) ALERTSAGE_REPLICA_KILL_SECONDS=5 $(BIN)/pytest tests/test_replicas.py

# Webhooks a second beside a bare handler, as ratios; lists, metrics page, memory (docs/performance.md).
bench: install
	$(BIN)/python -m bench

# Half an hour at half of what it can, with retention on: does memory or the disk grow?
soak: install
	$(BIN)/python -m bench.soak
