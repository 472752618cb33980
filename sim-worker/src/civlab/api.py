"""civlab's verbs for Python: the same ones as the shell's, with the same names and defaults.

Scenarios are given as a builtin's name, a path, or the document's text; places are paths or store URLs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from civlab.database.asking import Answer, ask
from civlab.database.loading import Loaded, load_run
from civlab.errors import CivlabError
from civlab.results.reader import Results, open_results
from civlab.runs.devices import choose_backend
from civlab.runs.difference import Difference, diff_runs
from civlab.runs.explanation import Explanation, explain_spec
from civlab.runs.progress import Watcher, unwatched
from civlab.runs.spec import RunSpec
from civlab.runs.verify import MemberWatcher, Verification, uncounted, verify_run
from civlab.runs.whole import WholeRun, claim_place, run_whole
from civlab.store import open_store
from parpour_contracts.scenario import BUILTIN
from parpour_contracts.simulation import Design, Ensemble

__all__ = [
    "diff",
    "explain",
    "load",
    "open",
    "open_results",
    "query",
    "resume",
    "run",
    "scenario_text",
    "verify",
    "write_report",
]

open = open_results
LARGEST_FILE = 1 << 20


def write_report(results: Results, *, rate: int | None = None) -> str:
    """Write `report.html` beside a complete run's tables; its address comes back."""
    from civlab.report import page

    return page.write_report(results, rate=rate)


def scenario_text(scenario: str | Path) -> str:
    """The document behind a builtin's name, a path or a text of more than one line.

    Raises CivlabError SCENARIO_NOT_FOUND, SCENARIO_TOO_LARGE or SCENARIO_MALFORMED (not UTF-8).
    """
    if isinstance(scenario, str) and "\n" in scenario:
        return scenario
    if str(scenario) in BUILTIN:
        return BUILTIN[str(scenario)]
    path = Path(scenario)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise CivlabError("SCENARIO_TOO_LARGE", str(path), "is larger than 1 MiB; no scenario is")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise CivlabError("SCENARIO_MALFORMED", str(path), "is not a text in UTF-8") from None
    except (OSError, ValueError):
        raise CivlabError(
            "SCENARIO_NOT_FOUND",
            str(scenario),
            f"is neither a file that can be read nor a builtin scenario ({', '.join(sorted(BUILTIN))})",
        ) from None


def run(
    scenario: str | Path,
    out: str | Path,
    *,
    members: int = 1,
    seed: int = 0,
    ticks: int | None = None,
    population: int | None = None,
    parameters: Mapping[str, str] | None = None,
    design: Design | None = None,
    shards: int = 1,
    transmissions: bool = False,
    backend: str = "auto",
    threads: int | None = None,
    checkpoint_every: int = 30,
    keep_checkpoints: bool = False,
    force: bool = False,
    on_progress: Watcher = unwatched,
    stop: Callable[[], bool] = lambda: False,
) -> WholeRun:
    """Run an ensemble into `out`; go on with it when it stands there already.

    `population` overrides how many agents a member has; `parameters` maps dotted paths to decimal text. Raises
    CivlabError with a code for every bad input.
    """
    spec = make_spec(
        scenario,
        members=members,
        seed=seed,
        ticks=ticks,
        population=population,
        parameters=parameters,
        design=design,
        shards=shards,
        transmissions=transmissions,
    )
    device = choose_backend(backend, threads=threads)
    store = open_store(out, create=True)
    claim_place(spec, store, force=force)
    return run_whole(
        spec,
        store,
        device,
        checkpoint_every=checkpoint_every,
        keep_checkpoints=keep_checkpoints,
        on_progress=on_progress,
        stop=stop,
    )


def make_spec(
    scenario: str | Path,
    *,
    members: int = 1,
    seed: int = 0,
    ticks: int | None = None,
    population: int | None = None,
    parameters: Mapping[str, str] | None = None,
    design: Design | None = None,
    shards: int = 1,
    transmissions: bool = False,
) -> RunSpec:
    """The run that these arguments describe, checked. Raises CivlabError."""
    if members < 1:
        raise CivlabError("RUN_MEMBERS_OUT_OF_RANGE", "members", f"{members} members are none; use at least 1")
    return RunSpec.create(
        scenario_text(scenario),
        overrides=parameters,
        seed=seed,
        ticks=ticks,
        population=population,
        ensemble=Ensemble.model_construct(members=members, design=design or Design()),
        shards=shards,
        transmissions=transmissions,
    )


def resume(
    out: str | Path,
    *,
    backend: str = "auto",
    threads: int | None = None,
    checkpoint_every: int = 30,
    keep_checkpoints: bool = False,
    on_progress: Watcher = unwatched,
    stop: Callable[[], bool] = lambda: False,
) -> WholeRun:
    """Go on with the run in `out` from its newest checkpoints. Raises CivlabError RUN_NOT_FOUND and others."""
    store = open_store(out)
    return run_whole(
        RunSpec.load(store),
        store,
        choose_backend(backend, threads=threads),
        checkpoint_every=checkpoint_every,
        keep_checkpoints=keep_checkpoints,
        on_progress=on_progress,
        stop=stop,
    )


def verify(
    out: str | Path,
    *,
    members: int | None = None,
    backend: str = "auto",
    threads: int | None = None,
    on_member: MemberWatcher = uncounted,
) -> Verification:
    """Check a run's files, and run `members` of its members again (default all)."""
    return verify_run(open_store(out), choose_backend(backend, threads=threads), members=members, on_member=on_member)


def diff(
    first: str | Path,
    second: str | Path,
    *,
    member: int | None = None,
    backend: str = "auto",
    threads: int | None = None,
) -> Difference | None:
    """The first tick, phase, column and agent in which two runs differ; None when all members are equal."""
    device = choose_backend(backend, threads=threads)
    return diff_runs(open_store(first), open_store(second), device, member=member)


def explain(
    scenario: str | Path,
    *,
    members: int = 1,
    ticks: int | None = None,
    parameters: Mapping[str, str] | None = None,
    design: Design | None = None,
    backend: str = "auto",
    threads: int | None = None,
) -> Explanation:
    """What a run would do: its tick's phases, parameters, memory and time."""
    spec = make_spec(scenario, members=members, ticks=ticks, parameters=parameters, design=design)
    return explain_spec(spec, choose_backend(backend, threads=threads))


def load(out: str | Path, into: str | Path, *, force: bool = False) -> Loaded:
    """Load the complete run in `out` into a DuckDB file, beside other runs (the extra `analysis`)."""
    return load_run(open_store(out), Path(into), force=force)


def query(
    place: str | Path,
    name: str | None = None,
    *,
    sql: str | None = None,
    run: int | None = None,
    model: str | None = None,
) -> Answer:
    """What a run or a DuckDB file answers to a query by its name, or to one SELECT (the extra `analysis`).

    Raises CivlabError as `civlab.database.asking.ask` does.
    """
    return ask(place, name=name, sql=sql, run=run, model=model)
