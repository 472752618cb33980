"""The `civlab` command: its verbs, and what every verb does about errors.

Verbs live in modules that are imported when they are used, so that `civlab --help` does not load NumPy. Exit codes:
0 done, 1 something does not hold or differs, 2 bad input, 70 a broken invariant, 75 stopped with work left.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from civlab.cli.output import BAD_INPUT, BROKEN_INVARIANT, print_error
from civlab.errors import CivlabError

VERBS = {
    "run": ("civlab.cli.running", "Run a scenario as an ensemble."),
    "resume": ("civlab.cli.running", "Go on with a run from its newest checkpoints."),
    "verify": ("civlab.cli.checking", "Check a run's files, and run members again."),
    "diff": ("civlab.cli.checking", "Say in which tick, phase, column and agent two runs part."),
    "explain": ("civlab.cli.describing", "Say what a run would do: phases, parameters, memory, time."),
    "scenarios": ("civlab.cli.describing", "List or print the builtin scenarios, or their schema."),
    "report": ("civlab.cli.reporting", "Write the HTML report of a run, or a picture of it."),
    "load": ("civlab.cli.loading", "Load a run's tables into a DuckDB file."),
    "query": ("civlab.cli.querying", "Ask a run or a DuckDB file, and print or draw the answer."),
    "sensitivity": ("civlab.cli.analysing", "Say which parameters matter for an outcome."),
    "calibrate": ("civlab.cli.analysing", "Search the parameters that come nearest to targets."),
    "check": ("civlab.cli.assessing", "Check what a run's numbers can carry, such as its burn-in."),
    "bench": ("civlab.cli.benching", "Time builtin scenarios on this machine."),
}
INVARIANTS = frozenset({"CHAIN_BROKEN", "CONSERVATION_BROKEN"})


class LazyVerbs(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """All verbs, in the order of a user's first day."""
        return list(VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, or None."""
        if cmd_name not in VERBS:
            return None
        command = getattr(import_module(VERBS[cmd_name][0]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs with a line each, none of them imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in VERBS.items()])


@click.group(
    cls=LazyVerbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 a check failed or runs differ, 2 bad input, 70 a broken invariant, "
    "75 stopped with work left.",
)
@click.version_option(package_name="civlab", prog_name="civlab")
def civlab() -> None:
    """Deterministic simulations: the same bits on any machine, from any number of threads.

    \b
    Examples:
      civlab run epidemic --members 64 --seed 7 -o out/
      civlab verify out/
      civlab report out/ --png epidemic.png
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        civlab.main(args=given, standalone_mode=False, prog_name="civlab")
    except CivlabError as fault:
        print_error(fault, as_json="--json" in given)
        sys.exit(BROKEN_INVARIANT if fault.code in INVARIANTS else BAD_INPUT)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.ClickException as fault:
        if "--json" in given:
            print_error(CivlabError("USAGE", "", fault.format_message()), as_json=True)
        else:
            fault.show()
        sys.exit(BAD_INPUT)
    except click.Abort:
        click.echo("aborted; what was checkpointed stands", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
