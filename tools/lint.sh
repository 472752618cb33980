#!/usr/bin/env bash
# Every static check; what knows nothing of types runs beside mypy, which takes longest. Each member's tests are typed on
# their own, from its folder, because their modules may bear equal names.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin

types() {
    $bin/mypy
    for tests in libs/contracts/tests libs/controlplane/tests libs/treasury/tests api/tests client/tests devissuer/tests sim-worker/tests operator/tests cli/tests devcluster/tests tests; do
        MYPYPATH=$(dirname "$tests") $bin/mypy "$tests"
    done
}

$bin/ruff check --no-cache .
$bin/ruff format --no-cache --check --quiet .
types &
typed=$!
trap wait EXIT
$bin/lint-imports --no-cache
$bin/shellcheck tools/*.sh .ci/run
$bin/python tools/generate.py --check
wait "$typed"
