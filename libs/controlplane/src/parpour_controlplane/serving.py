"""A PostgreSQL server in a container of its own, for evaluation: it makes its cluster once, and becomes the server.

    python -m parpour_controlplane.serving --data /data --password-file /secrets/adminPassword

Sessions from the network need a password (SCRAM), the superuser's included. Whoever runs money on it should bring a
PostgreSQL with replicas and backups instead, and tell the chart its address.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from parpour_controlplane.embedded import SUPERUSER, Programs, choose
from parpour_controlplane.errors import EmbeddedError

HBA = """\
local all all scram-sha-256
host all all all scram-sha-256
"""
"""Who may connect how: anybody with a password, nobody without."""


def make_cluster(programs: Programs, data: Path, password_file: Path) -> None:
    """Make a cluster in `data`, unless there is one; a crash in between leaves nothing that passes for one.

    Raises:
        EmbeddedError: EMBEDDED_POSTGRES_FAILED.
    """
    if (data / "PG_VERSION").exists():
        return
    partial = data.with_name(f"{data.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    command = [str(programs.root / "bin" / "initdb"), "-D", str(partial), "-U", SUPERUSER, "-E", "UTF8", "--locale=C"]
    command += ["-A", "scram-sha-256", f"--pwfile={password_file}", "--no-instructions", "--data-checksums"]
    done = subprocess.run(command, check=False, stdout=sys.stderr)  # noqa: S603
    if done.returncode:
        raise EmbeddedError("EMBEDDED_POSTGRES_FAILED", "initdb failed: what it said stands above")
    (partial / "pg_hba.conf").write_text(HBA)
    partial.rename(data)


def server_command(programs: Programs, data: Path, *, listen: str, port: int) -> list[str]:
    """The command that serves a cluster."""
    settings = {
        "listen_addresses": listen,
        "port": str(port),
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    options = [f"-c{name}={value}" for name, value in settings.items()]
    return [str(programs.root / "bin" / "postgres"), "-D", str(data), *options]


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the cluster if there is none, and become its server."""
    parser = argparse.ArgumentParser(prog="python -m parpour_controlplane.serving", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the cluster, or will")
    parser.add_argument("--password-file", type=Path, required=True, help="holds the superuser's first password")
    parser.add_argument("--listen", default="127.0.0.1", help="addresses to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=5432)
    given = parser.parse_args(arguments)
    try:
        programs = choose()
        make_cluster(programs, given.data / "cluster", given.password_file)
    except EmbeddedError as error:
        raise SystemExit(str(error)) from None
    command = server_command(programs, given.data / "cluster", listen=given.listen, port=given.port)
    os.execv(command[0], command)  # noqa: S606 - there is no shell to go around


if __name__ == "__main__":
    main()
