"""The command `parpour-devcluster`.

Progress and errors go to standard error and what was asked for to standard output, so that a script can take
`kubeconfig` or `--json` as it comes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import click

from parpour_devcluster import images
from parpour_devcluster.base_image import ensure_base_image
from parpour_devcluster.binaries import ensure_group, group_folder, group_named, pinned_go
from parpour_devcluster.errors import DevclusterError
from parpour_devcluster.layout import known_layouts, state_root
from parpour_devcluster.lifecycle import down, execute, load_record, running_cluster, up
from parpour_devcluster.pins import DEBIAN_PACKAGES, GROUPS
from parpour_devcluster.preparation import require_root
from parpour_devcluster.status import ClusterStatus, status_of

_PASSED_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}
_named = click.option("--name", default="parpour", show_default=True, help="The cluster's name.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


class _Group(click.Group):
    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except DevclusterError as error:
            click.echo(str(error), err=True)
            context.exit(1)
        except OSError as error:
            remedy = "See that the disk has room and that nothing else changes the cluster's folder, then run it again"
            click.echo(f"DEVCLUSTER_SYSTEM_REFUSED: the system refused a step: {error}. {remedy}", err=True)
            context.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="parpour-devcluster")
def main() -> None:
    """A real one-node Kubernetes for machines without a container engine.

    Runs as root. Programs are built once from pinned sources and cached; several clusters can run side by side.
    """


def _reporter() -> Callable[[str], None]:
    begin = time.monotonic()

    def report(line: str) -> None:
        click.echo(f"{time.monotonic() - begin:6.1f} s  {line}", err=True)

    return report


@main.command("up")
@_named
@_as_json
def up_command(name: str, as_json: bool) -> None:
    """Start a cluster, or revive it; prints the path of its kubeconfig."""
    report = _reporter()
    layout, record = up(name, report=report)
    report(f"'{name}' is up")
    if as_json:
        click.echo(json.dumps(status_of(layout, record).as_json(), indent=2))
    else:
        click.echo(layout.kubeconfig)


@main.command("down")
@_named
def down_command(name: str) -> None:
    """Remove a cluster: every process, mount, network device and cgroup of it, and its data."""
    report = _reporter()
    report(f"'{name}' is down" if down(name, report=report) else f"there is no cluster '{name}'")


@main.command("status")
@_named
@click.option("--all", "every", is_flag=True, help="List the names of all clusters instead.")
@_as_json
def status_command(name: str, every: bool, as_json: bool) -> None:
    """Show a cluster's daemons, addresses and files; exit 1 when a daemon is not healthy."""
    if every:
        _print_all(as_json=as_json)
        return
    require_root()
    status = status_of(*running_cluster(name))
    if as_json:
        click.echo(json.dumps(status.as_json(), indent=2))
    else:
        _print_status(status)
    if not status.healthy:
        sys.exit(1)


def _print_all(*, as_json: bool) -> None:
    names = {layout.name: load_record(layout) is not None for layout in known_layouts(state_root())}
    if as_json:
        click.echo(json.dumps([{"name": name, "up": is_up} for name, is_up in names.items()], indent=2))
    for name, is_up in () if as_json else names.items():
        click.echo(f"{name:<32}{'up' if is_up else 'remains of an interrupted start'}")


def _print_status(status: ClusterStatus) -> None:
    for daemon in status.daemons:
        health = "healthy" if daemon.healthy else "NOT HEALTHY"
        click.echo(f"{daemon.name:<26}{daemon.pid:>8}  {daemon.resident_bytes / 2**20:6.0f} MiB  {health}")
    rows = {
        "kubeconfig": status.kubeconfig,
        "API server": status.server,
        "registry": status.registry,
        "audit log": status.audit_log,
        "logs": status.logs,
        "pods": status.pod_range,
        "services": status.service_range,
        "up since": status.started_at,
        "versions": ", ".join(f"{name} {version}" for name, version in status.versions.items()),
    }
    click.echo()
    for name, value in rows.items():
        click.echo(f"{name:<12}{value}")


@main.command("load-image")
@_named
@click.option("--as", "target", metavar="NAME:TAG", help="Its name in the cluster; by default its own.")
@_as_json
@click.argument("image")
def load_image_command(name: str, target: str | None, image: str, as_json: bool) -> None:
    """Make IMAGE usable by pods: an image archive, an OCI layout folder, or a name in buildah's store.

    Prints what to write as `image:` in a pod.
    """
    require_root()
    layout, _ = running_cluster(name)
    chosen = images.checked_name(target) if target else images.default_name(image)
    loaded = images.load(image, name=chosen, registry=layout.registry)
    click.echo(json.dumps({"image": loaded}) if as_json else loaded)


@main.command("logs", context_settings={"ignore_unknown_options": False})
@_named
@click.option("-f", "--follow", is_flag=True, help="Go on printing what is added.")
@click.option("-n", "--lines", default=200, show_default=True, help="How many of the last lines to print.")
@click.argument("component")
def logs_command(name: str, component: str, follow: bool, lines: int) -> None:
    """Print a daemon's log; `status` lists the daemons."""
    layout = next((found for found in known_layouts(state_root()) if found.name == name), None)
    available = sorted(path.stem for path in layout.logs.glob("*.log")) if layout else []
    if layout is None or component not in available:
        raise DevclusterError(
            "DEVCLUSTER_LOG_UNKNOWN",
            f"the cluster '{name}' has no log of '{component}'",
            remedy=f"Choose one of: {', '.join(available)}" if available else "Start it with: parpour-devcluster up",
        )
    command = [
        "tail",
        f"--lines={lines}",
        *(["--follow=name"] if follow else []),
        str(layout.logs / f"{component}.log"),
    ]
    os.execvp("tail", command)  # noqa: S606


@main.command("kubeconfig")
@_named
def kubeconfig_command(name: str) -> None:
    """Print the path of the administrator's kubeconfig."""
    layout, _ = running_cluster(name)
    click.echo(layout.kubeconfig)


def _passed_on(program: str) -> None:
    @main.command(
        program, context_settings=_PASSED_ON, help=f"Run {program} against the cluster.", add_help_option=False
    )
    @_named
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(name: str, arguments: tuple[str, ...]) -> None:
        layout, _ = running_cluster(name)
        execute(program, arguments, layout=layout, report=_reporter())


_passed_on("kubectl")
_passed_on("helm")


@main.command("build")
@click.option("--only", multiple=True, metavar="GROUP", help="Build this group alone; can be given again.")
@click.option("--fetch-go", is_flag=True, help="Fetch the pinned Go even where PATH has one.")
def build_command(only: tuple[str, ...], fetch_go: bool) -> None:
    """Build the programs ahead of time; prints where each group lies."""
    report = _reporter()
    if fetch_go:
        click.echo(pinned_go(report))
    for group in [group_named(name) for name in only] or GROUPS:
        ensure_group(group, report)
        click.echo(f"{group.name:<24}{group_folder(group)}")


@main.command("base-image")
@_as_json
def base_image_command(as_json: bool) -> None:
    """Make the Debian base image with Python for our Containerfiles; prints the name by which buildah knows it."""
    archive, reference = ensure_base_image(_reporter())
    click.echo(json.dumps({"archive": str(archive), "reference": reference}) if as_json else reference)


@main.command("packages")
def packages_command() -> None:
    """Print the Debian packages that a cluster needs, one a line."""
    for package in DEBIAN_PACKAGES:
        click.echo(package)
