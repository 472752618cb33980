"""`parpour` and `kubectl parpour`: the commands and their help.

Every command imports what it needs when it runs, because the Kubernetes client alone takes a second to import and
`--help` and completion must answer at once.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from uuid import UUID

import click

from parpour_cli import __version__
from parpour_cli.options import Frame, cluster_options, guarded

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _names(context: click.Context, _argument: click.Parameter, beginning: str) -> list[str]:
    """Names of Simulations for a shell's completion; none when the cluster does not answer."""
    from parpour_cli.completing import simulation_names

    options = {name: context.params.get(name) for name in ("namespace", "context", "kubeconfig")}
    return simulation_names(beginning, **options)


_name = click.argument("name", shell_complete=_names)


@click.group(context_settings=SETTINGS)
@click.version_option(__version__, prog_name="parpour")
def command() -> None:
    """Watch Simulations, read their results, and find what a cluster lacks.

    Simulations are created with kubectl apply; this command only reads.
    """


@command.group()
def sim() -> None:
    """Simulations: list, describe, watch, results, logs."""


@sim.command("list")
@click.option("-A", "--all-namespaces", is_flag=True, help="Every namespace.")
@click.option("-w", "--watch", "live", is_flag=True, help="Go on and show changes until interrupted.")
@cluster_options
def list_simulations(frame: Frame, all_namespaces: bool, live: bool) -> None:
    """List Simulations with progress, state and age.

    \b
    Examples:
      parpour sim list
      parpour sim list -A --watch
      parpour sim list --json | jq -r '.[] | select(.state == "Failed") | .name'
    """
    from parpour_cli.commands import list_command

    list_command(frame, everywhere=all_namespaces, live=live)


@sim.command()
@_name
@cluster_options
def describe(frame: Frame, name: str) -> None:
    """Show everything about one Simulation: progress, shards, conditions, result, events.

    \b
    Examples:
      parpour sim describe epidemic
      parpour sim describe epidemic -n research --json
    """
    from parpour_cli.commands import describe_command

    describe_command(frame, name)


@sim.command()
@_name
@cluster_options
def watch(frame: Frame, name: str) -> None:
    """Follow one Simulation with live bars until it ends: exit code 0 when complete, 1 when failed or refused.

    With --json, one object a line.

    \b
    Examples:
      parpour sim watch epidemic
      parpour sim watch epidemic && parpour sim results epidemic
    """
    from parpour_cli.commands import watch_command

    watch_command(frame, name)


@sim.command()
@_name
@click.option("--download", type=click.Path(path_type=Path), metavar="DIR", help="Copy the results' files to a folder.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Write a self-contained HTML report.")
@click.option("--plot/--no-plot", default=True, help="Draw the course over time. [default: plot]")
@cluster_options
def results(frame: Frame, name: str, download: Path | None, report: Path | None, plot: bool) -> None:
    """Show what a complete Simulation came to: headline figures with 90 % interval, and a plot.

    Files are read from the store with the credentials in your environment (AWS_ACCESS_KEY_ID, ...) or, without
    these, with the Simulation's store Secret if you may read it. A store inside the cluster is reached by a
    port-forward.

    \b
    Examples:
      parpour sim results epidemic
      parpour sim results epidemic --download out/ --report epidemic.html
      parpour sim results epidemic --json | jq .digest
    """
    from parpour_cli.commands import results_command

    results_command(frame, name, download=download, report=report, plot=plot)


@sim.command()
@_name
@click.option("--shard", type=click.IntRange(min=0), help="One shard only. [default: all]")
@click.option("-f", "--follow", is_flag=True, help="Go on as lines come.")
@click.option("--tail", type=click.IntRange(min=0), default=100, show_default=True, help="Lines of each pod.")
@cluster_options
def logs(frame: Frame, name: str, shard: int | None, follow: bool, tail: int) -> None:
    """Print the logs of a Simulation's worker pods, each line with its pod.

    \b
    Examples:
      parpour sim logs epidemic
      parpour sim logs epidemic --shard 2 -f
    """
    from parpour_cli.commands import logs_command

    logs_command(frame, name, shard=shard, live=follow, tail=tail)


_FILE = click.Path(path_type=Path, dir_okay=False)
_KEY_HELP = "Public key of checkpoints, 64 hexadecimal digits; may be repeated."
_ACCEPT_HELP = "A restore that is known: the hash that the fault names, 64 hexadecimal digits; may be repeated."


def _hashes(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[bytes, ...]:
    """The hashes that an option names.

    Raises:
        click.BadParameter: if one is none, or not in whole.
    """
    if not all(re.fullmatch("[0-9a-fA-F]{64}", text) for text in texts):
        raise click.BadParameter("a hash is 64 hexadecimal digits")
    return tuple(bytes.fromhex(text) for text in texts)


_accept = click.option(
    "--accept-resumption", "accepted", multiple=True, callback=_hashes, metavar="HASH", help=_ACCEPT_HELP
)


@command.group()
def treasury() -> None:
    """Books of ventures: verify, incident."""


@treasury.command("verify")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--key", "keys", type=_FILE, multiple=True, required=True, metavar="FILE", help=_KEY_HELP)
@click.option("--kept", type=click.Path(path_type=Path), metavar="FILE", help="The checkpoint kept from the last look.")
@_accept
@click.option(
    "--keep", type=click.Path(path_type=Path), metavar="FILE", help="Keep this look's checkpoint, if it holds."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify_books(
    folder: Path,
    keys: tuple[Path, ...],
    kept: Path | None,
    accepted: tuple[bytes, ...],
    keep: Path | None,
    as_json: bool,
) -> None:
    """Prove a venture's history and compute its books anew from it.

    FOLDER is what an audit was written to; nothing else is asked, and no network. The exit code is 1 if anything was
    changed, dropped, inserted or does not add up, and the place is named.

    \b
    Examples:
      parpour treasury verify audit/acme --key signing.pub --keep acme.checkpoint
      parpour treasury verify audit/acme --key signing.pub --kept acme.checkpoint --json
    """
    from parpour_cli.auditing import verify_command

    frame = Frame(namespace=None, context=None, kubeconfig=None, as_json=as_json)
    codes: list[int] = []
    guarded(
        lambda: codes.append(verify_command(frame, folder, keys=keys, kept=kept, accepted=accepted, keep=keep)),
        as_json=as_json,
    )
    sys.exit(codes[0])


@treasury.command("incident")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--key", "keys", type=_FILE, multiple=True, required=True, metavar="FILE", help=_KEY_HELP)
@click.option("--kept", type=click.Path(path_type=Path), metavar="FILE", help="The checkpoint kept from the last look.")
@_accept
@click.option("--agent", metavar="ACCOUNT", help="What this account asked for or approved, for example agent:buyer.")
@click.option("--payee", type=click.UUID, metavar="ID", help="What was to be paid to this payee.")
@click.option("--since", metavar="TIME", help="From then on, in ISO 8601; UTC if no zone is said. [default: all]")
@click.option("--until", metavar="TIME", help="Before then.")
@click.option("-o", "--bundle", type=click.Path(path_type=Path), metavar="FOLDER", help="Write the bundle here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def tell_incident(
    folder: Path,
    keys: tuple[Path, ...],
    kept: Path | None,
    accepted: tuple[bytes, ...],
    agent: str | None,
    payee: UUID | None,
    since: str | None,
    until: str | None,
    bundle: Path | None,
    as_json: bool,
) -> None:
    """Tell what went wrong: an agent's spends, a payee's, or all of a venture.

    FOLDER is what an audit was written to. The bundle is a new folder with the incident as JSON and as a page, and the
    audit that both were made from. The exit code is 1 if anything contradicts what was signed.

    \b
    Examples:
      parpour treasury incident audit/acme --key signing.pub --agent agent:buyer --since 2026-11-29T08:00
      parpour treasury incident audit/acme --key signing.pub -o incident-7
    """
    from parpour_cli.incident import incident_command, read_moment
    from parpour_treasury.spending.containing import Cause

    try:
        cause = Cause(actor=agent, payee=payee)
        begin, end = (None if text is None else read_moment(text) for text in (since, until))
    except ValueError as fault:
        raise click.UsageError(str(fault)) from None
    frame = Frame(namespace=None, context=None, kubeconfig=None, as_json=as_json)
    codes: list[int] = []
    guarded(
        lambda: codes.append(
            incident_command(
                frame,
                folder,
                keys=keys,
                kept=kept,
                accepted=accepted,
                cause=cause,
                since=begin,
                until=end,
                bundle=bundle,
            )
        ),
        as_json=as_json,
    )
    sys.exit(codes[0])


@command.command()
@click.option("--operator-namespace", metavar="NAME", help="Where the operator is. [default: found by its labels]")
@cluster_options
def doctor(frame: Frame, operator_namespace: str | None) -> None:
    """Examine the cluster: what is missing to run Simulations in this namespace, and how to mend it.

    Exit code 1 when a check fails.

    \b
    Examples:
      parpour doctor
      parpour doctor -n research --json
    """
    from parpour_cli.commands import doctor_command

    doctor_command(frame, operator_namespace=operator_namespace)


@command.command()
@cluster_options
def version(frame: Frame) -> None:
    """Print the versions of this command, of the API server, and of the operator where it can be seen.

    \b
    Example:
      parpour version --json
    """
    from parpour_cli.commands import version_command

    version_command(frame)


@command.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script.

    \b
    Examples:
      source <(parpour completion bash)
      parpour completion fish > ~/.config/fish/completions/parpour.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(command, {}, "parpour", "_PARPOUR_COMPLETE").source())


def main() -> None:
    """The console scripts."""
    called = Path(sys.argv[0]).name
    command.main(
        prog_name="kubectl parpour" if called.startswith("kubectl-") else "parpour", complete_var="_PARPOUR_COMPLETE"
    )


if __name__ == "__main__":
    main()
