#!/usr/bin/env bash
# The whole suite: first what is fast and needs no cluster, two at a time. Then the cluster tests in turn, which wait for
# half of their time, and beside them, giving way, the long tests that need none. What a cluster consists of is built
# before they start: on a cold machine that takes longer than one test may. What failed is told once more at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m pytest -m "not cluster and not long" -n 2 --dist worksteal
.venv/bin/parpour-devcluster build
.venv/bin/python tools/images.py build >/dev/null
.venv/bin/python tools/images.py build --only parpour-api --only parpour-postgres >/dev/null
output=$(mktemp -d)
nice .venv/bin/python -m pytest -m "long and not cluster" -n 2 --dist worksteal >"$output/long" 2>&1 &
long=$!
trap 'kill "$long" 2>/dev/null || true; wait; rm -rf "$output"' EXIT
echo "the long tests run beside the cluster tests; their output comes after those"
failed=0
.venv/bin/python -m pytest -m cluster | tee "$output/cluster" || failed=$?
wait "$long" || failed=$?
cat "$output/long"
if [ "$failed" != 0 ]; then
	echo "not passed:"
	grep -hE "^(FAILED|ERROR) |^[0-9]+ (passed|failed)|^no tests ran" "$output/cluster" "$output/long"
fi
exit "$failed"
