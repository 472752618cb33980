"""The pages of the command lines, from click's own declarations: usage, options, examples, command by command."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from civlab.cli.command import civlab
from civlab.worker.main import command as civlab_worker
from parpour_cli.main import command as parpour
from parpour_devcluster.cli import main as devcluster
from reference.markdown import cell, code, page, table


def tree(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """A command and all below it, in the order of its help."""
    yield command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from tree(child, click.Context(child, info_name=name, parent=context))


def prose(text: str) -> str:
    """A docstring as Markdown: paragraphs, and the examples as a block of shell."""
    parts = []
    for block in re.split(r"\n\s*\n", text.replace("\b\n", "")):
        head, _, rest = block.partition("\n")
        if re.fullmatch(r"Examples?:", head.strip()):
            lines = "\n".join(line.strip() for line in rest.strip().splitlines())
            parts.append(f"```bash\n{lines}\n```")
        else:
            parts.append(" ".join(line.strip() for line in block.splitlines()))
    return "\n\n".join(part for part in parts if part)


def options(command: click.Command, context: click.Context) -> str:
    """The options of a command as a table, without --help."""
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record is None or "--help" in parameter.opts:
            continue
        rows.append((code(record[0].strip()), cell(record[1])))
    return table(("Option", "Meaning"), rows) if rows else ""


def section(command: click.Command, context: click.Context) -> str:
    """One command."""
    path = context.command_path
    usage = " ".join(command.get_usage(context).removeprefix("Usage: ").split())
    parts = [f"## {path}", f"```text\n{usage}\n```", prose(command.help or ""), options(command, context)]
    return "\n\n".join(part for part in parts if part)


def sections(command: click.Command, name: str) -> list[str]:
    """Every command of a program, one section each."""
    root = click.Context(command, info_name=name)
    return [section(one, context) for one, context in tree(command, root)]


def civlab_page() -> str:
    """docs/reference/civlab-cli.md."""
    return page(
        "civlab",
        "The simulator from the shell, without any cluster. Results go to standard output, progress and errors to "
        "standard error; every verb takes `--json`. See [exit codes](exit-codes.md#civlab).",
        *sections(civlab, "civlab"),
        "## Python\n\nThe verbs are functions of the same names: `civlab.run`, `resume`, `verify`, `diff`, `explain`, "
        "`load`, `query`, `sensitivity`, `calibrate`, `write_report`, and `civlab.open(place)`, which gives the tables "
        "to Polars, pandas and xarray. [civlab on a laptop](../tutorials/civlab-on-a-laptop.md#from-python) uses them.",
        "The entry point of worker pods stands beside it:",
        *sections(civlab_worker, "civlab-worker"),
        source="civlab.cli and civlab.worker",
    )


def parpour_page() -> str:
    """docs/reference/parpour-cli.md."""
    return page(
        "parpour",
        "Reads Simulations and examines clusters; it writes nothing to the API server. It is installed as "
        "`kubectl-parpour` too, so `kubectl parpour sim list` is the same as `parpour sim list`. See "
        "[exit codes](exit-codes.md#parpour).",
        *sections(parpour, "parpour"),
        source="parpour_cli.main",
    )


def devcluster_page() -> str:
    """docs/reference/devcluster-cli.md."""
    return page(
        "parpour-devcluster",
        "A real one-node Kubernetes on one machine without a container engine; needs root. How it is built is in "
        "[the dev cluster](../explanation/dev-cluster.md).",
        *sections(devcluster, "parpour-devcluster"),
        source="parpour_devcluster.cli",
    )
