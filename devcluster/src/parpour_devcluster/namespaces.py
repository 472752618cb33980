"""The namespaces that a cluster lives in, and the starting of programs inside them.

The first process of the process namespace holds all of them: killing it makes the kernel kill every other process,
pods included, and drop every mount and network device, so that nothing has to be enumerated to clean up.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from parpour_devcluster.cgroups import Cgroup
from parpour_devcluster.errors import DevclusterError

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEW_MOUNTS, _NEW_CGROUPS, _NEW_PROCESSES, _NEW_NETWORK = 0x00020000, 0x02000000, 0x20000000, 0x40000000
_DETACH = 2
_PRIVATE, _SHARED, _RECURSIVE, _BIND = 1 << 18, 1 << 20, 1 << 14, 1 << 12
Result = TypeVar("Result")


@dataclass(frozen=True)
class Namespaces:
    """The namespaces of a running cluster.

    Args:
        holder: process id of their first process, as the machine counts.
        cgroup: the cluster's cgroup.
    """

    holder: int
    cgroup: Cgroup


def _checked(result: int, action: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{action}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    encoded = [None if text is None else text.encode() for text in (source, target, kind, data)]
    _checked(_LIBC.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]), f"mount {target}")


def _detach_overlays() -> None:
    """Lets go of the overlays of the machine's own containers, which would otherwise stay busy as long as we live.

    One that lies beneath a later mount cannot be named any more and stays.
    """
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, target, kind, *_ = line.split(" ")
        if kind == "overlay" and target != "/":
            with contextlib.suppress(FileNotFoundError):
                _checked(_LIBC.umount2(target.encode(), _DETACH), f"umount {target}")


def find_holders(folder: Path) -> list[int]:
    """Process ids of the holders of a cluster's namespaces; more than one only after a crash.

    A holder is known by its argument, so that it is found even if whoever started it died before noting its id.
    """
    wanted = ["pause", str(folder)]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
            except OSError:
                continue  # it ended meanwhile
            if arguments == wanted:
                found.append(int(entry.name))
    return found


def create(pause: Path, folder: Path, *, binds: Sequence[tuple[Path, Path]], cgroup: Cgroup, log: Path) -> Namespaces:
    """Makes the namespaces of a cluster.

    Args:
        pause: the program that becomes their first process.
        folder: the cluster's folder, by which the holder is found again.
        binds: (source, target) of folders to be seen elsewhere inside.
        cgroup: the cluster's cgroup, which becomes the root that is seen inside.
        log: receives what the holder says.

    Raises:
        DevclusterError: DEVCLUSTER_NAMESPACES_REFUSED.
    """

    def leave_the_machine() -> None:
        cgroup.join_top()
        kinds = _NEW_NETWORK | _NEW_MOUNTS | _NEW_PROCESSES | _NEW_CGROUPS
        _checked(_LIBC.unshare(kinds), "unshare")

    def arrange_mounts() -> None:
        _mount("none", "/", None, _RECURSIVE | _PRIVATE)
        _mount("none", "/", None, _RECURSIVE | _SHARED)  # kubelet wants to see its own mounts propagate
        _detach_overlays()
        _mount("proc", "/proc", "proc", 0)
        _mount("tmpfs", "/run", "tmpfs", 0, "mode=755")
        cgroup.join()
        for source, target in (*binds, *cgroup.mounts()):
            _mount(str(source), str(target), None, _BIND | _RECURSIVE)

    try:
        holder = _launch(leave_the_machine, arrange_mounts, pause, ["pause", str(folder)], {}, log=log)
    except OSError as error:
        raise DevclusterError(
            "DEVCLUSTER_NAMESPACES_REFUSED",
            f"the kernel refused the cluster's namespaces: {error}",
            remedy="Run on a machine (or in a container) with CAP_SYS_ADMIN and CAP_NET_ADMIN",
        ) from error
    return Namespaces(holder=holder, cgroup=cgroup)


def spawn(
    namespaces: Namespaces,
    program: Path,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    descriptor: int | None = None,
) -> int:
    """Starts a program inside the namespaces, detached from this process.

    Args:
        namespaces: where it runs.
        program: its file.
        arguments: what follows its name on the command line.
        environment: its whole environment.
        log: where its output is appended.
        descriptor: an open file that it gets as number 3.

    Returns:
        Its process id, as the machine counts.

    Raises:
        OSError: it could not be started.
    """
    holder = f"/proc/{namespaces.holder}/ns"
    opened = [os.open(f"{holder}/{kind}", os.O_RDONLY) for kind in ("net", "pid", "cgroup", "mnt")]

    def go_inside() -> None:
        namespaces.cgroup.join()
        for namespace in opened:
            _checked(_LIBC.setns(namespace, 0), "setns")

    try:
        command = [str(program), *arguments]
        return _launch(go_inside, lambda: None, program, command, environment, log=log, descriptor=descriptor)
    finally:
        for namespace in opened:
            os.close(namespace)


def _launch(
    outer: Callable[[], None],
    inner: Callable[[], None],
    program: Path,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    log: Path,
    descriptor: int | None = None,
) -> int:
    """Forks twice and executes: `outer` runs in the child that enters namespaces, `inner` in the one that ends in them.

    The pipe closes by itself when the program has been executed, and carries the process id and any error before that.
    """
    reading, writing = os.pipe()
    first = os.fork()
    if first == 0:
        try:
            outer()
            second = os.fork()
            if second == 0:
                os.setsid()
                inner()
                os.chdir("/")
                _redirect(log, descriptor)
                os.execve(program, list(command), dict(environment))  # noqa: S606
            os.write(writing, f"{second}\n".encode())
            os._exit(0)
        except OSError as error:
            os.write(writing, f"error {error.errno} {error.strerror or error}\n".encode())
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8", errors="replace") as answers:
        lines = answers.read().splitlines()
    os.waitpid(first, 0)
    for line in lines:
        if line.startswith("error "):
            _, number, text = line.split(" ", 2)
            raise OSError(int(number) if number.isdigit() else 0, text)
    return int(lines[0])


def _redirect(log: Path, descriptor: int | None) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    if descriptor is not None:
        os.dup2(descriptor, 3, inheritable=True)
        if descriptor == 3:
            os.set_inheritable(3, True)
    empty = os.open("/dev/null", os.O_RDONLY)
    for source, target in ((empty, 0), (output, 1), (output, 2)):
        os.dup2(source, target, inheritable=True)


def command_inside(namespaces: Namespaces, command: Sequence[str], *, text: str = "") -> str:
    """Runs a short command with the cluster's network and mounts and waits for it.

    Returns:
        What it printed.

    Raises:
        DevclusterError: DEVCLUSTER_COMMAND_FAILED.
    """
    inside = ["nsenter", "--target", str(namespaces.holder), "--net", "--mount", "--", *command]
    done = subprocess.run(inside, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise DevclusterError(
            "DEVCLUSTER_COMMAND_FAILED",
            f"'{' '.join(command)}' said: {done.stderr.strip()[-600:]}",
            remedy="Run parpour-devcluster down and up again",
        )
    return done.stdout


def in_network(namespaces: Namespaces, action: Callable[[], Result]) -> Result:
    """Calls a function with the cluster's network around it, in a thread that enters it and then ends.

    Sockets that it opens keep belonging to that network, so that the caller can go on using them.

    Raises:
        OSError: what the action raised, or the namespace is gone.
    """
    results: list[Result] = []
    failures: list[OSError] = []

    def enter_and_act() -> None:
        try:
            namespace = os.open(f"/proc/{namespaces.holder}/ns/net", os.O_RDONLY)
            try:
                _checked(_LIBC.setns(namespace, _NEW_NETWORK), "setns")
            finally:
                os.close(namespace)
            results.append(action())
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=enter_and_act)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]


def connect(namespaces: Namespaces, address: tuple[str, int], *, timeout: float) -> socket.socket:
    """A TCP connection made inside the cluster's network.

    Raises:
        OSError: nobody answered.
    """
    return in_network(namespaces, lambda: socket.create_connection(address, timeout=timeout))


def is_alive(process: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def kill_and_wait(process: int, *, timeout: float) -> bool:
    """Kills one process and waits until it is gone.

    Returns:
        Whether it went within the timeout, in seconds.
    """
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        return bool(waiting.poll(timeout * 1000))
    except ProcessLookupError:
        return True
    finally:
        os.close(handle)
