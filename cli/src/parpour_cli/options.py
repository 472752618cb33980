"""Options that every command takes, and the frame in which every command runs.

The frame turns all that a user can mend into one line on standard error (or, with --json, one object on standard
output) and an exit code; only faults of the program itself keep their trace.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from parpour_cli.faults import CliError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from parpour_cli.cluster import Cluster

Command = TypeVar("Command", bound=Callable[..., Any])

INTERRUPTED = 130


class Frame:
    """What a command works with: where to look, and how to answer."""

    def __init__(self, *, namespace: str | None, context: str | None, kubeconfig: Path | None, as_json: bool) -> None:
        self.namespace = namespace
        self.context = context
        self.kubeconfig = kubeconfig
        self.as_json = as_json

    def cluster(self) -> Cluster:
        """The API server that the options and the kubeconfig name."""
        from parpour_cli.cluster import Cluster, Target

        return Cluster.connect(Target(kubeconfig=self.kubeconfig, context=self.context, namespace=self.namespace))

    @functools.cached_property
    def console(self) -> Console:
        """Standard output for people; what goes to a file or a pipe is as wide as it needs to be."""
        from rich.console import Console

        return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)

    def answer(self, document: object, drawn: Callable[[], RenderableType]) -> None:
        """Print the document with --json, else what `drawn` makes."""
        if self.as_json:
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
            return
        with self.console.capture() as captured:
            self.console.print(drawn())
        click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


WIDE = 200
"""Columns of output that nobody's terminal limits."""


def cluster_options(function: Command) -> Command:
    """Add -n, --context, --kubeconfig and --json, and hand them over as one `Frame`, the first argument."""

    @functools.wraps(function)
    def framed(
        *arguments: Any,
        namespace: str | None,
        context: str | None,
        kubeconfig: Path | None,
        as_json: bool,
        **named: Any,
    ) -> None:
        frame = Frame(namespace=namespace, context=context, kubeconfig=kubeconfig, as_json=as_json)
        guarded(lambda: function(frame, *arguments, **named), as_json=as_json)

    for option in reversed(_OPTIONS):
        framed = option(framed)
    return framed  # type: ignore[return-value]


_OPTIONS = (
    click.option("-n", "--namespace", metavar="NAME", help="Namespace. [default: the context's]"),
    click.option("--context", metavar="NAME", help="Context of the kubeconfig. [default: the current one]"),
    click.option(
        "--kubeconfig",
        type=click.Path(path_type=Path),
        help="Kubeconfig file. [default: $KUBECONFIG or ~/.kube/config]",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)


def guarded(act: Callable[[], None], *, as_json: bool) -> None:
    """Run a command; what the user can mend becomes an error message and an exit code."""
    from civlab.errors import CivlabError

    try:
        act()
    except CliError as fault:
        _fail(fault, as_json=as_json)
    except CivlabError as fault:
        where = f"{fault.path}: " if fault.path else ""
        _fail(CliError(fault.code, f"{where}{fault.message}"), as_json=as_json)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


def _fail(fault: CliError, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"error": fault.document()}, indent=2, ensure_ascii=False))
    click.echo(f"error: {fault.message} [{fault.code}]", err=True)
    if fault.remedy:
        click.echo(f"  {fault.remedy}", err=True)
    sys.exit(fault.exit_code)
