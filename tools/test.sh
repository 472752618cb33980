#!/usr/bin/env bash
# The whole suite: first everything that needs no cluster, two at a time, the tests marked long among it, then the cluster
# tests in turn. What a cluster consists of is built before they start: on a cold machine that takes longer than one test may.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m pytest -m "not cluster" -n 2 --dist worksteal
.venv/bin/parpour-devcluster build
.venv/bin/python tools/images.py build >/dev/null
.venv/bin/python tools/images.py build --only parpour-api --only parpour-postgres >/dev/null
.venv/bin/python -m pytest -m cluster
