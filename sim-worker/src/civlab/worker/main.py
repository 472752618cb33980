"""`civlab-worker`: the command that pods run.

Stop signals are blocked before anything heavy is imported, so that a pod told to stop while it still starts also ends
by the table of exit codes; that is why this module imports its siblings inside functions.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from civlab.worker.stopping import StopWish, block_stop_signals

if TYPE_CHECKING:
    from civlab.worker.ending import Ending
    from civlab.worker.surroundings import Surroundings

log = logging.getLogger("civlab.worker")

BUS_GOODBYE_SECONDS = 3.0
"""How long the last word may take to reach the bus; the work is safe in the store by then."""

_run_option = click.option(
    "--run",
    "run_file",
    type=click.Path(path_type=Path),
    help="The run document. [default: $CIVLAB_RUN or /etc/civlab/run.json]",
)
_json_option = click.option(
    "--json-logs", is_flag=True, envvar="CIVLAB_JSON_LOGS", help="Log one JSON object a line. [env: CIVLAB_JSON_LOGS]"
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Run one shard of a Simulation, collect a finished run, or erase one.

    Exit codes: 0 done, 64 the run document is wrong, 69 the store refused or stayed away, or the node lacks what is
    needed, 70 the simulation stopped itself, 75 stopped with work left. The reason is written to /dev/termination-log
    ($CIVLAB_TERMINATION_LOG).
    """


@command.command()
@_run_option
@click.option("--index", type=click.IntRange(min=0), help="Shard to run. [default: $JOB_COMPLETION_INDEX]")
@_json_option
def shard(run_file: Path | None, index: int | None, json_logs: bool) -> None:
    """Run one shard of the members, from its newest checkpoint on.

    \b
    Example:
      JOB_COMPLETION_INDEX=0 civlab-worker shard --run run.json
    """

    def work(surroundings: Surroundings, stop: StopWish) -> Ending:
        from civlab.worker.bus import ProgressBus
        from civlab.worker.document import checked_index, read_document
        from civlab.worker.work import run_one_shard

        document = read_document(run_file or surroundings.run_file)
        number = checked_index(document, surroundings.index if index is None else index)
        bus = ProgressBus(surroundings.bus_folder, name=f"civlab-worker {document.run.uid} {number}")
        bus.start()
        try:
            return run_one_shard(
                document,
                shard=number,
                surroundings=surroundings,
                publish=bus.offer,
                stop=stop,
                now=lambda: datetime.now(UTC),
                monotonic=time.monotonic,
            )
        finally:
            bus.close(seconds=BUS_GOODBYE_SECONDS)

    _carry_out(work, json_logs=json_logs)


@command.command()
@_run_option
@_json_option
def collect(run_file: Path | None, json_logs: bool) -> None:
    """Verify every shard's manifest, write the run's, and state digest and headline figures.

    \b
    Example:
      civlab-worker collect --run run.json
    """

    def work(surroundings: Surroundings, _stop: StopWish) -> Ending:
        from civlab.worker.document import read_document
        from civlab.worker.work import collect_run

        return collect_run(read_document(run_file or surroundings.run_file))

    _carry_out(work, json_logs=json_logs)


@command.command()
@_run_option
@_json_option
def erase(run_file: Path | None, json_logs: bool) -> None:
    """Delete everything below the run's prefix; a prefix that is empty already is fine.

    \b
    Example:
      civlab-worker erase --run run.json
    """

    def work(surroundings: Surroundings, _stop: StopWish) -> Ending:
        from civlab.worker.document import read_document
        from civlab.worker.work import erase_run

        return erase_run(read_document(run_file or surroundings.run_file))

    _carry_out(work, json_logs=json_logs)


def _carry_out(work: Callable[[Surroundings, StopWish], Ending], *, json_logs: bool) -> None:
    """Do the work, say how it ended, and exit by the table."""
    from civlab.worker.ending import failed, write_termination
    from civlab.worker.lines import start_lines
    from civlab.worker.surroundings import TERMINATION_LOG, read_surroundings

    start_lines(as_json=json_logs, environment=os.environ)
    word_goes_to = Path(os.environ.get("CIVLAB_TERMINATION_LOG") or TERMINATION_LOG)

    def close(ending: Ending) -> int:
        write_termination(ending, word_goes_to, os.environ)
        level = logging.INFO if ending.exit_code in (0, 75) else logging.ERROR
        log.log(level, "%s: %s", ending.termination.code, ending.termination.message or ending.termination.digest)
        return int(ending.exit_code)

    try:
        surroundings = read_surroundings(os.environ)
        stop = StopWish()
        stop.listen(
            grace_seconds=surroundings.grace_seconds,
            on_wish=lambda name: log.info("%s: stopping at the next tick, with a checkpoint", name),
            on_deadline=lambda: _give_up(close),
        )
        ending = work(surroundings, stop)
    except Exception as fault:
        ending = failed(fault)
        if ending.termination.code == "INTERNAL_FAULT":
            log.exception("a fault of the worker itself")
    sys.exit(close(ending))


def _give_up(close: Callable[[Ending], int]) -> None:
    """End now: the grace period is over before a checkpoint could be written."""
    from civlab.worker.ending import stopped

    code = close(stopped("no checkpoint could be written in the time to stop; the next pod resumes from the last one"))
    sys.stdout.flush()
    os._exit(code)


def main() -> None:
    """The console script."""
    block_stop_signals()
    try:
        command.main(standalone_mode=False)
    except click.ClickException as fault:
        fault.show()
        sys.exit(64)
    except click.Abort:
        sys.exit(75)


if __name__ == "__main__":
    main()
