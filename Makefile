# Everything a checkout needs: Python 3.11 or newer and make. Each target builds .venv first if it is missing or old.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: test unit lint types docs faults mutants fuzz properties crash siege soak model bench scale profile instructions package licenses locks sbom audit demo clean

# Python keeps what it has compiled, also where the environment says not to: the tests start more than a thousand processes.
test unit: export PYTHONDONTWRITEBYTECODE =
# Sets have one order in all processes, which must find the same tests, and another in the next run.
test unit: export PYTHONHASHSEED = $(shell shuf --input-range 1-4294967295 --head-count 1)

# In as many processes as there are cores; each takes the half of what another has left when it has done its own.
WORKERS ?= 2
test: lint types
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

# What needs no other process: under a minute, to run at each save.
UNIT := $(addprefix tests/,core delivery field formats metadata schemas server templates) tests/web/test_routing.py \
	$(addprefix tests/store/test_,hashing.py kept.py sequence.py spare.py stage.py) \
	$(filter-out %/test_in_force.py %/test_site.py,$(wildcard tests/site/test_*.py)) tests/operations/test_numbers.py tests/test_house.py
unit: .venv/ready
	$(BIN)/python -m pytest -q --numprocesses $(WORKERS) --dist worksteal $(UNIT)

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

# The tables of docs/http.md and docs/hardening.md, out of the tests that prove them, and of docs/reference.md, out of the schema.
docs: .venv/ready
	$(BIN)/python -m tests.hostile.page
	$(BIN)/python -m tests.site.keys_page

# Faults that are seeded into sound processes, one edit each: how many `receiver check` finds, by group, and which it misses.
faults: .venv/ready
	$(BIN)/python -m tests.faults $(FAULTS)

# At least 100,000 made-up bodies and metadata documents, sent to a running service; `make test` has a short run of the same.
fuzz: .venv/ready
	FUZZ=$(or $(FUZZ),100000) $(BIN)/python -m pytest tests/hostile/test_fuzz.py

# Coverage-guided: SECONDS for each reader of a sender's bytes, or for one TARGET. atheris gets an environment of its own,
# for it has wheels for few versions of Python; what breaks a reader stays in build/fuzz.
FUZZED := $(or $(TARGET),request content_type disposition body json xml records escapes schemas filters)
fuzz-parsers: build/fuzz/ready
	@for target in $(FUZZED); do \
	    echo "== $$target"; \
	    build/fuzz/bin/python -m tests.fuzz $$target $(or $(SECONDS),60) build/fuzz/found || exit 1; \
	done

build/fuzz/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv build/fuzz
	build/fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	build/fuzz/bin/python -m pip install --quiet --disable-pip-version-check --no-deps atheris==3.0.0 .
	@touch $@

# 10,000 values through every format, filter and shipped process, read back by other readers: how many came back, and
# how many were refused, stands in the statistics. `make test` has a short run of the same.
READ_BACK := $(addprefix tests/,field/test_field_dates.py hostile/test_growth.py templates/test_any_text.py templates/filters/test_filters.py shipped/test_any_value.py) \
	$(wildcard tests/formats/test_hl7_*.py)
properties: .venv/ready
	FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),10000) $(BIN)/python -m pytest --hypothesis-show-statistics $(READ_BACK)

# Lines made wrong, one at a time: which does no test notice? make mutants MUTANTS="--area metadata --count 20".
mutants: .venv/ready
	$(BIN)/python -m tests.mutation $(MUTANTS)

# Each system call of a delivery is hit, and the power is cut at each step: needs strace, root and loop devices.
crash: .venv/ready
	$(BIN)/python -m tests.crash.syscalls
	$(BIN)/python -m tests.crash.power
	$(BIN)/python -m tests.crash.batches

# A normal load alone, and beside every kind of slow and hostile client at once: p99 at most twice, the worst at most a second.
# make siege SIEGE="--without conversions --rounds 3" tells what one kind of them costs.
siege: .venv/ready
	$(BIN)/python -m tests.siege $(SIEGE)

# Every state of a publication by several hosts, with losses at every step; weakened variants must fail. Needs spin and gcc.
model: .venv/ready
	$(BIN)/python -m tests.model

# With HOSTS=3 over several hosts on one disk and one PostgreSQL server: they are killed, or stopped and woken.
soak: .venv/ready
ifdef HOSTS
	$(BIN)/python -m tests.crash.hosts --hosts $(HOSTS) --kills $(or $(KILLS),100)
else
	$(BIN)/python -m tests.crash.storm --kills $(or $(KILLS),100)
	$(BIN)/python -m tests.crash.restarts --restarts $(or $(RESTARTS),50)
endif

# Beside other servers that do the same durable work: make bench BENCH="--cases forms --rounds 9"; see benchmarks/README.md.
bench: .venv/ready
	$(BIN)/python -m benchmarks $(BENCH)

# What several hosts take: rates and costs on this machine, and from them the curve for 1 to 32: make scale SCALE="--rounds 9".
scale: .venv/ready
	$(BIN)/python -m benchmarks.hosts $(SCALE)

# Where the time of one delivery goes, step by step: make profile PROFILE="--case checked --disk /dev/shm".
profile: .venv/ready
	$(BIN)/python -m benchmarks.profile $(PROFILE)

# What the interpreter does for it, by file or function; nearly the same in each run: make instructions INSTRUCTIONS="--functions".
instructions: .venv/ready
	$(BIN)/python -m benchmarks.instructions $(INSTRUCTIONS)

# The wheel, installed in an environment of its own with what it needs, and asked for its version.
package: .venv/ready
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	$(PYTHON) -m venv --clear build/clean
	build/clean/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	build/clean/bin/python -m pip install --quiet --disable-pip-version-check --no-deps dist/receiver-*.whl
	build/clean/bin/receiver --version && RECEIVER_TOKEN=only-for-this-check build/clean/bin/receiver check

licenses: .venv/ready
	@$(BIN)/python deploy/licenses.py

demo: .venv/ready
	$(BIN)/python demo/run.py $(if $(ONCE),--once)

# The versions to install, with the digest of each file, out of pyproject.toml: what is pinned already stays as it is. The
# service needs the first file alone, a checkout both.
LOCK := build/locks/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-annotate --no-header \
	--extra hl7 --extra fhir --extra pdf --extra postgres pyproject.toml
locks: build/locks/ready
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra test --constraints requirements.lock --output-file requirements-test.lock \
	    $$(sed -n 's/^\([^ =]*\)==.*/--no-emit-package \1/p' requirements.lock)

build/locks/ready:
	$(PYTHON) -m venv build/locks
	build/locks/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@touch $@

# Known faults of what the service consists of, by the Python advisory database: needs the network.
audit: build/audit/ready
	build/audit/bin/pip-audit --require-hashes --disable-pip --requirement requirements.lock

build/audit/ready:
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.0
	@touch $@

# What the service consists of (requirements.lock), as a bill of materials for programs: build/sbom.json in CycloneDX.
sbom: build/sbom/ready
	build/sbom/bin/cyclonedx-py requirements --output-reproducible --output-format JSON --output-file build/sbom.json \
	    --pyproject pyproject.toml requirements.lock

build/sbom/ready:
	$(PYTHON) -m venv build/sbom
	build/sbom/bin/python -m pip install --quiet --disable-pip-version-check cyclonedx-bom==7.5.0
	@touch $@

.venv/ready: requirements.lock requirements-test.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    --requirement requirements.lock --requirement requirements-test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
