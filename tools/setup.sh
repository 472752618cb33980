#!/usr/bin/env bash
# Brings a fresh Debian machine to where `make demo` and `make test` run. Every step is skipped when its result stands,
# so a second run costs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' tools/debian-packages.txt; }

# Whether a package is there, or another one that provides it: a vendor's nodejs brings npm along, and conflicts with Debian's.
installed() {
    dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed' ||
        dpkg-query -W -f='${Status} ${Provides}\n' | grep '^install ok installed' | grep -wF -- "$1" >/dev/null
}

missing_packages() {
    local package
    for package in $(packages); do
        installed "$package" || echo "$package"
    done
}

if command -v dpkg-query >/dev/null; then
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]})); then
        if [[ $(id -u) != 0 ]]; then
            echo "missing Debian packages; run: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
            exit 1
        fi
        echo "installing ${missing[*]}"
        apt-get update -qq
        # Debian starts a server of every database it installs, unless told not to; tests start their own.
        if [[ ! -e /etc/postgresql-common/createcluster.conf ]]; then
            mkdir -p /etc/postgresql-common
            echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
        fi
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            -o Dpkg::Options::=--force-confold "${missing[@]}" >/dev/null
    fi
fi

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or later is needed; set PYTHON to one" >&2
    exit 1
}
[[ -x .venv/bin/python ]] || "$python" -m venv .venv
.venv/bin/uv --version 2>/dev/null | grep -qF "$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements-bootstrap.txt)" ||
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
.venv/bin/uv pip sync -q --compile-bytecode --python .venv/bin/python --require-hashes requirements.txt
.venv/bin/uv pip install -q --compile-bytecode --python .venv/bin/python --no-deps --no-build-isolation \
    -e libs/contracts -e libs/controlplane -e libs/treasury -e api -e client -e devissuer -e sim-worker -e operator -e cli -e devcluster
touch .venv/.ready
