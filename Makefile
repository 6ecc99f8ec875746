# Two commands set everything up on a fresh machine: `make demo` and `make test`. Both use the one dev profile, so that the
# stack is built once; always `--workspace`, since cargo would build DataFusion again for another set of features.
CARGO   ?= cargo
PYTHON  ?= python3
TARGET  := $(or $(CARGO_TARGET_DIR),target)
YAOJIA  := $(TARGET)/debug/yaojia
DEMO    ?= demo-warehouse

.PHONY: build demo test interop-python fmt clippy lint pages golden scms bench bench-late soak fuzz big clean-demo

build:
	$(CARGO) build --workspace --bins

demo: build
	$(YAOJIA) demo --dir $(DEMO)

test: build interop-python
	@export PYTHON=$$(cat $(TARGET)/interop-python 2>/dev/null || echo $(PYTHON)); \
	test -s $(TARGET)/interop-python || export YAOJIA_SKIP_INTEROP=1; \
	if $(CARGO) nextest --version >/dev/null 2>&1; then \
	  $(CARGO) nextest run --workspace --no-fail-fast; \
	else \
	  $(CARGO) test --workspace; \
	fi

# A Python with deltalake and duckdb, to read the gold tables with other engines: the system's where it has them, else one of our own
# under the target folder. Where neither can be had, the test says that it was left out.
interop-python:
	@mkdir -p $(TARGET); \
	if $(PYTHON) -c 'import deltalake, duckdb, pyarrow' 2>/dev/null; then \
	  command -v $(PYTHON) > $(TARGET)/interop-python; \
	elif $(TARGET)/interop-venv/bin/python -c 'import deltalake, duckdb, pyarrow' 2>/dev/null \
	  || { $(PYTHON) -m venv $(TARGET)/interop-venv && $(TARGET)/interop-venv/bin/pip install -q 'duckdb==1.5.5' deltalake pyarrow pytz; }; then \
	  echo "$(abspath $(TARGET))/interop-venv/bin/python" > $(TARGET)/interop-python; \
	else \
	  : > $(TARGET)/interop-python; echo "no deltalake and duckdb for Python: the interoperability test is left out" >&2; \
	fi

fmt:
	$(CARGO) fmt --all -- --check

clippy:
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# Contracts, cards and SQL: loads all, lints and plans every text without data; and how much of the indicators' SQL stands twice.
lint: build
	$(YAOJIA) check
	$(PYTHON) tests/sql_copies.py --top 0

# The generated pages of the indicators.
pages: build
	$(YAOJIA) indicator pages --out docs/indicators

# Compares the world in DIR (laid out as ../shared/golden) with what must come out of it.
golden: build
	@test -n "$(DIR)" || { echo "usage: make golden DIR=../shared/golden" >&2; exit 2; }
	YAOJIA=$(YAOJIA) $(PYTHON) tests/golden/run.py "$(DIR)"
	YAOJIA=$(YAOJIA) $(PYTHON) tests/golden/nights.py "$(DIR)"

# Real data nobody here made, through a mapping profile: every row accounted for, control totals exact.
scms: build
	@test -n "$(DIR)" || { echo "usage: make scms DIR=../shared/data/scms" >&2; exit 2; }
	YAOJIA=$(YAOJIA) $(PYTHON) tests/golden/scms.py "$(DIR)"

# 1,000,000 fee lines of one month in nine counties plus proportional orders, landing to gold, optimised build.
bench:
	$(CARGO) build --workspace --bins --profile optimised
	YAOJIA=$(TARGET)/optimised/yaojia $(PYTHON) tests/bench/run.py

# One late row in a warehouse of 14 months and nine counties: only what depends on it is built again, and the outcome is a full build's.
bench-late: build
	YAOJIA=$(YAOJIA) $(PYTHON) tests/bench/late.py

# Long proofs: random histories, kills at random moments, a hostile platform, formulas at their boundaries, flipped bytes, and random worlds (some 20 to 60 seconds each).
WORLDS    ?= 200
HISTORIES ?= 100
FORMULAS  ?= 50
soak: build
	YAOJIA=$(YAOJIA) $(PYTHON) tests/soak/histories.py --histories $(HISTORIES)
	YAOJIA=$(YAOJIA) $(PYTHON) tests/soak/kill.py --kills 200
	YAOJIA=$(YAOJIA) $(PYTHON) tests/soak/hostile.py --seeds 10
	YAOJIA=$(YAOJIA) $(PYTHON) tests/soak/formulas.py --worlds $(FORMULAS) --share 0.2
	YAOJIA=$(YAOJIA) $(PYTHON) tests/soak/flips.py --flips 200
	YAOJIA=$(abspath $(YAOJIA)) YAOJIA_WORLDS=$(WORLDS) $(CARGO) test --workspace --test acceptance -- --nocapture worlds::

# Every parser's property tests in full: more than a million cases; what each took and whether memory grew.
fuzz:
	CARGO="$(CARGO)" $(PYTHON) tests/soak/fuzz.py

# A 2 GB file within 512 MiB of memory (needs 8 GB of disk, by default where temporary files go: DIR=…).
big: build
	YAOJIA=$(YAOJIA) $(PYTHON) tests/soak/big_csv.py --gb 2 $(if $(DIR),--dir "$(DIR)")

clean-demo:
	rm -rf $(DEMO)
