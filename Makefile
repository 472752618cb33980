# The two commands of the README are `make demo` and `make test`; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
CLUSTER ?= dev
# Compiled modules are kept: without them every process of a test compiles its own code anew, and each test is rewritten anew.
unexport PYTHONDONTWRITEBYTECODE
MEMBERS := libs/contracts libs/controlplane libs/treasury api client devissuer sim-worker operator cli devcluster

.PHONY: help setup lock demo demo-treasury test test-fast torture torture-civlab torture-treasury lint generate check-generated docs bench bench-epidemic bench-climate bench-exchange bench-civlab bench-ensemble bench-runtime bench-operator bench-treasury bench-spending bench-chain clean bench-api bench-events

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## Install what is missing: Debian packages, .venv with hashed pins, our own members

.venv/.ready: tools/setup.sh requirements.txt requirements-bootstrap.txt $(MEMBERS:%=%/pyproject.toml) sim-worker/hatch_build.py $(wildcard sim-worker/src/civlab/kernels/* sim-worker/src/civlab/models/*/kernels/*)
	tools/setup.sh

demo: setup ## Start Kubernetes, install the chart, run examples/epidemic.yaml, plot the result (CLUSTER=kind uses Docker)
	$(PY) tools/demo.py --cluster $(CLUSTER)

demo-treasury: setup ## Two ventures that spend, on PostgreSQL and NATS, paid through doubles of Stripe and Mercury, audited
	$(PY) tools/demo_treasury.py

test: setup lint ## Everything: lint, types, unit, property, kernel, chart and end-to-end tests
	tools/test.sh

test-fast: setup lint ## What needs no cluster and is not marked long, in about three minutes
	$(PY) -m pytest -m "not cluster and not long" -n 2 --dist worksteal

torture: torture-civlab torture-treasury ## Whatever is tested at length by chance

torture-treasury: setup ## Ten thousand courses of spends, something dying in each (SEEDS=20000, FIRST=0)
	PYTHONPATH=tests $(PY) -m torture --first $(or $(FIRST),0) --seeds $(or $(SEEDS),10000)

torture-civlab: setup ## A thousand civilisations drawn at random, each run, counted anew and interrupted
	$(PY) -m pytest -n 0 --timeout 7200 --hypothesis-profile=torture sim-worker/tests/models/civilisation/test_civilisation_random.py

lint: setup ## ruff, mypy --strict, import-linter, shellcheck, drift of generated files
	tools/lint.sh

generate: setup ## Write crds/ and every other file that is derived from code
	$(PY) tools/generate.py

lock: ## Resolve requirements.in anew into the hashed lock
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements.in -o requirements.txt
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header tests/bench/mesa_frames/requirements.in -o tests/bench/mesa_frames/requirements.txt
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header libs/treasury/tests/beancount/requirements.in -o libs/treasury/tests/beancount/requirements.txt
	$(PY) tools/images.py lock
	echo "uv==$$(.venv/bin/uv --version | cut -d' ' -f2)" | .venv/bin/uv pip compile -q --universal --generate-hashes --no-header - -o requirements-bootstrap.txt

docs: setup ## Build the documentation into site/, checking every link
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

bench: bench-epidemic bench-climate bench-exchange bench-civlab bench-ensemble bench-runtime bench-operator bench-treasury bench-spending bench-chain bench-api bench-events ## All benchmarks

bench-epidemic: setup ## Epidemic: rate, threads, Covasim and Starsim, layers, chain, bandwidth
	PYTHONPATH=tests $(PY) -m bench.bench_epidemic

bench-climate: setup ## Climate: member-years a CPU second beside FaIR, by phase, and the agreement
	PYTHONPATH=tests $(PY) -m bench.bench_climate

bench-exchange: setup ## Random exchange: agent-rounds a CPU second beside Mesa, mesa-frames and bare NumPy
	PYTHONPATH=tests $(PY) -m bench.bench_exchange

bench-civlab: setup ## Civilisation: rate, phases, bandwidth, memory, growth, proofs, results, checkpoints, peers
	PYTHONPATH=tests $(PY) -m bench.bench_civlab

bench-ensemble: setup ## A thousand small worlds against one large one
	PYTHONPATH=tests $(PY) -m bench.bench_ensemble

bench-runtime: setup ## Kernel runtime: random numbers, hashing, scans, sorts
	PYTHONPATH=tests $(PY) -m bench.bench_runtime

bench-operator: setup ## Operator: latency, API writes, memory, start
	$(PY) tests/bench/bench_operator.py

bench-treasury: setup ## Ledger: durable transfers a second beside naive peers, latency, bytes, growth (JOURNALS=10000000)
	PYTHONPATH=tests $(PY) -m bench.bench_treasury --journals $(or $(JOURNALS),1000000) $(if $(PGLEDGER),--pgledger $(PGLEDGER))

bench-spending: setup ## Spending: decisions a second, and how long one takes
	PYTHONPATH=tests $(PY) -m bench.bench_spending

bench-chain: setup ## Proof of events: how many one core verifies and seals a second
	PYTHONPATH=tests $(PY) -m bench.bench_chain

bench-api: setup ## Tenant API: requests a second of one worker, over a socket, with the database
	PYTHONPATH=tests $(PY) -m bench.bench_api

bench-events: setup ## Events: commit to sealed and to published, rates of a backlog, the cost of idle tenants
	PYTHONPATH=tests $(PY) -m bench.bench_events

clean: ## Stop the dev cluster and delete what was built here
	-.venv/bin/parpour-devcluster down
	rm -rf .venv site out
