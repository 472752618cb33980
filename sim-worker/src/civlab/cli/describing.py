"""`civlab explain` and `civlab scenarios`."""

from __future__ import annotations

import json
from typing import Any

import click

from civlab import api
from civlab.cli.options import DESIGN_HELP, parse_design, parse_overrides
from civlab.cli.output import human_bytes, human_count, human_seconds, print_json, print_table
from civlab.runs.devices import BACKENDS
from civlab.runs.explanation import Explanation
from civlab.runs.spec import civlab_errors
from civlab.wording import counted
from parpour_contracts.scenario import BUILTIN, MODELS, Parameter, builtin_scenario, json_schema, parse_scenario

TICK_TITLE = "The tick, in order, with what a phase costs an agent in a short trial; a launch has no barrier inside"


@click.command()
@click.argument("scenario")
@click.option("--members", type=int, default=1, show_default=True, help="Number of worlds.")
@click.option("--ticks", type=int, help="Days to simulate; default the scenario's own.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a parameter; may be repeated.")
@click.option("--design", "designs", multiple=True, metavar="DESIGN", help=f"How members differ: {DESIGN_HELP}.")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads; default all that are available.")
@click.option("--backend", type=click.Choice(BACKENDS), default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def explain(
    scenario: str,
    members: int,
    ticks: int | None,
    settings: tuple[str, ...],
    designs: tuple[str, ...],
    threads: int | None,
    backend: str,
    as_json: bool,
) -> None:
    """Say what a run of SCENARIO would do: its tick, phase by phase, its parameters, its memory and its time.

    \b
    Examples:
      civlab explain epidemic
      civlab explain scenario.yaml --members 1000 --set population.size=5000 --json
    """
    result = api.explain(
        scenario,
        members=members,
        ticks=ticks,
        parameters=parse_overrides(settings),
        design=parse_design(designs),
        backend=backend,
        threads=threads,
    )
    if as_json:
        print_json(_document(result))
        return
    click.echo(f"{result.title}\n")
    steps = [
        (
            *([p.stage] if any(phase.stage for phase in result.phases) else []),
            p.name,
            str(result.launches[p.name]),
            f"{result.phase_nanoseconds[p.name]:.2f}",
            p.meaning,
        )
        for p in result.phases
    ]
    heads = ("stage", "phase", "launch", "ns", "meaning")[-len(steps[0]) :]
    print_table(TICK_TITLE, heads, steps, right="ns")
    touched = [(p.name, ", ".join(p.reads), ", ".join(p.writes)) for p in result.phases]
    print_table("\nWhat each phase reads and writes", ("phase", "reads", "writes"), touched)
    print_table("\nThe state", ("column", "type", "role", "meaning"), result.columns)
    print_table("\nMetrics by member and tick", ("metric", "unit", "meaning"), result.metrics)
    parameters = [
        (
            path,
            p.value,
            p.unit,
            f"{'' if p.minimum is None else p.minimum} … {'' if p.maximum is None else p.maximum}",
            p.meaning,
        )
        for path, p in result.parameters.items()
    ]
    print_table("\nParameters", ("path", "value", "unit", "range", "meaning"), parameters, right="value")
    click.echo(
        f"\n{counted(result.members, 'member')}, {result.agents:,} agents, {counted(result.ticks, 'tick')}: "
        f"{human_count(result.agents * result.ticks)} agent-{result.tick_name}s\n"
        f"memory  at most {human_bytes(result.memory_bytes)} if all are held at once, of it "
        f"{human_bytes(result.copies_bytes)} copies for checkpoints and tables\n"
        f"        ({result.bytes_an_agent} bytes an agent in its world); batches take what there is: one member needs "
        f"{human_bytes(result.member_bytes)},\n"
        f"        and the program {human_bytes(result.program_bytes)} besides\n"
        f"time    about {human_seconds(result.seconds)} here "
        f"({human_count(result.agent_updates_per_second)} agent-{result.tick_name}s/s in a short trial)"
    )


def _range(parameter: Parameter) -> str:
    low, high = ("" if bound is None else f"{bound}" for bound in (parameter.minimum, parameter.maximum))
    return f"{low} … {high}"


def _document(result: Explanation) -> dict[str, Any]:
    return {
        "title": result.title,
        "members": result.members,
        "ticks": result.ticks,
        "agents": result.agents,
        "memoryBytes": result.memory_bytes,
        "copiesBytes": result.copies_bytes,
        "memberBytes": result.member_bytes,
        "programBytes": result.program_bytes,
        "bytesAnAgent": result.bytes_an_agent,
        "seconds": round(result.seconds, 3),
        "agentUpdatesPerSecond": result.agent_updates_per_second,
        "phases": [
            {
                "stage": p.stage,
                "name": p.name,
                "launch": result.launches[p.name],
                "reads": p.reads,
                "writes": p.writes,
                "meaning": p.meaning,
                "nanosecondsAnAgent": round(result.phase_nanoseconds[p.name], 3),
            }
            for p in result.phases
        ],
        "columns": [dict(zip(("name", "type", "role", "meaning"), row, strict=True)) for row in result.columns],
        "metrics": [dict(zip(("name", "unit", "meaning"), row, strict=True)) for row in result.metrics],
        "parameters": {
            path: {
                "value": str(p.value),
                "minimum": None if p.minimum is None else str(p.minimum),
                "maximum": None if p.maximum is None else str(p.maximum),
                "unit": p.unit,
                "meaning": p.meaning,
            }
            for path, p in result.parameters.items()
        },
    }


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.pass_context
def scenarios(ctx: click.Context, as_json: bool) -> None:
    """List the builtin scenarios, print one, or print the schema of scenario files.

    \b
    Examples:
      civlab scenarios
      civlab scenarios show epidemic > mine.yaml
      civlab scenarios schema > scenario.schema.json
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_scenarios, as_json=as_json)


@scenarios.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def list_scenarios(as_json: bool) -> None:
    """List the builtin scenarios."""
    found = {name: parse_scenario(text) for name, text in BUILTIN.items()}
    if as_json:
        print_json(
            {
                "scenarios": [
                    {"name": name, "title": s.title, "population": s.agents, "ticks": s.ticks}
                    for name, s in found.items()
                ]
            }
        )
        return
    rows = [(name, f"{s.agents:,}", s.ticks, s.title) for name, s in found.items()]
    print_table("Builtin scenarios", ("name", "population", "ticks", "title"), rows, right="population,ticks")


@scenarios.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def show(name: str, as_json: bool) -> None:
    """Print the document of a builtin scenario: a starting point for one's own."""
    with civlab_errors():
        text = builtin_scenario(name)
    if as_json:
        print_json({"name": name, "text": text})
    else:
        click.echo(text, nl=False)


@scenarios.command("schema")
@click.argument("model", required=False, metavar="[MODEL]", type=click.Choice(list(MODELS)))
@click.option("--json", "as_json", is_flag=True, help="The same; the schema is JSON in any case.")
def schema(model: str | None, as_json: bool) -> None:
    """Print the JSON Schema of scenario documents, for editors: of MODEL, or of all models."""
    click.echo(json.dumps(json_schema(model), indent=None if as_json else 2))
