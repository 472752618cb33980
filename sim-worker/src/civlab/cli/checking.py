"""`civlab verify` and `civlab diff`."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from civlab import api
from civlab.cli.output import DIFFERENT, print_json
from civlab.runs.devices import BACKENDS
from civlab.wording import counted


@click.command()
@click.argument("place")
@click.option("--members", type=click.IntRange(min=0), help="Members to run again, spread evenly; default all.")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads; default all that are available.")
@click.option("--backend", type=click.Choice(BACKENDS), default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def verify(place: str, members: int | None, threads: int | None, backend: str, as_json: bool) -> None:
    """Check the run in PLACE: every file's hash, every digest, and its members by running them again.

    Exit code 1 says that something does not hold, and what.

    \b
    Examples:
      civlab verify out/
      civlab verify s3://results/trial --members 4 --json
    """

    def watch(done: int, total: int) -> None:
        if not as_json:
            click.echo(f"{done:,} of {total:,} members run again", err=True)

    result = api.verify(place, members=members, backend=backend, threads=threads, on_member=watch)
    if as_json:
        print_json(
            {
                "holds": result.holds,
                "digest": result.digest,
                "files": result.files,
                "membersRunAgain": result.members,
                "findings": [asdict(finding) for finding in result.findings],
            }
        )
    else:
        for finding in result.findings:
            click.echo(f"[{finding.code}] {finding.path}: {finding.message}")
        verdict = "everything holds" if result.holds else f"{len(result.findings)} findings"
        click.echo(f"{verdict}: {counted(result.files, 'file')} checked, {counted(result.members, 'member')} run again")
        click.echo(f"digest {result.digest}")
    sys.exit(0 if result.holds else DIFFERENT)


@click.command()
@click.argument("first")
@click.argument("second")
@click.option("--member", type=click.IntRange(min=0), help="Compare this member; default the first that differs.")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads; default all that are available.")
@click.option("--backend", type=click.Choice(BACKENDS), default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def diff(first: str, second: str, member: int | None, threads: int | None, backend: str, as_json: bool) -> None:
    """Say where the runs in FIRST and SECOND part: the first tick, phase, column and agent that differ.

    Both are run again side by side, from the last checkpoint at which they agreed if both kept theirs
    (--keep-checkpoints). Exit code 1 says that they differ.

    \b
    Examples:
      civlab diff base/ school-closure/
      civlab diff base/ other/ --member 3 --json
    """
    found = api.diff(first, second, member=member, backend=backend, threads=threads)
    if as_json:
        print_json({"equal": found is None, "difference": None if found is None else asdict(found)})
    elif found is None:
        click.echo("equal: the members that were compared took the same course")
    else:
        when = "before the first tick" if found.tick < 0 else f"in tick {found.tick}, phase {found.phase}"
        agent = "" if found.agent is None else f", {found.kind} {found.agent}"
        click.echo(f"member {found.member} differs {when}: {found.column}{agent}")
        click.echo(f"  {first}: {found.first}\n  {second}: {found.second}")
        if found.replayed_from:
            click.echo(f"  (run again from the common checkpoint after {found.replayed_from} ticks)")
    sys.exit(0 if found is None else DIFFERENT)
