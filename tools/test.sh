#!/usr/bin/env bash
# The whole suite: first everything that needs no cluster, two at a time, then the cluster tests in turn.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m pytest -m "not cluster" -n 2 --dist worksteal
.venv/bin/python -m pytest -m cluster
NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet
