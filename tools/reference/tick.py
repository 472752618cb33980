"""The pages of the models' ticks: phases, state, metrics and result tables, from what the engine itself runs."""

from __future__ import annotations

from civlab.models import model_of, results_of
from civlab.results.declaration import ResultSet
from civlab.results.schema import table_meanings, table_schemas
from civlab.runtime.model import Enumeration, Model
from reference.markdown import cell, code, page, table

INTRODUCTION = """
The engine runs this table and nothing else; `civlab explain SCENARIO` prints it for one scenario. A test holds every
kernel to its row: a phase that writes a column it does not declare fails. What the phases do and why is in
[the {model} model](../explanation/{model}-model.md).
"""

C_NAMES = {"u1": "u8", "u2": "u16", "u4": "u32", "u8": "u64", "i8": "i64", "f8": "f64"}


def names(columns: tuple[str, ...]) -> str:
    """Column names as inline code."""
    return ", ".join(code(name) for name in columns)


def phases(model: Model) -> str:
    """The tick, in order."""
    rows = [
        (
            f"{p.stage}: {code(p.name)}" if p.stage else code(p.name),
            f"each {p.over}",
            names(p.reads),
            names(p.writes),
            cell(p.meaning),
        )
        for p in model.phases
    ]
    chained = ", ".join(code(name) for name in model.chained)
    shared = [launch.phases for launch in model.launches if len(launch.phases) > 1]
    fused = ", ".join(" + ".join(code(p.name) for p in phases) for phases in shared)
    return (
        "## The tick, in order\n\n"
        + table(("Phase", "Runs for", "Reads", "Writes", "What happens"), rows)
        + "\n\nA tile is a stretch of agents of one member that one thread walks. "
        + "From what phases read and write follows which need no barrier between them and share a launch: "
        + f"{fused}. The [chain]"
        + f"(../explanation/determinism.md) takes in one digest of each of {chained}."
    )


def state(model: Model) -> str:
    """The columns that are the world: what is digested and checkpointed, and what never changes."""
    rows = [
        (
            code(c.name),
            f"{C_NAMES.get(c.dtype, c.dtype)} {'an' if c.per[0] in 'aeio' else 'a'} {c.per}",
            c.role,
            c.unit,
            cell(c.meaning),
        )
        for c in model.columns
        if c.role in ("dynamic", "static")
    ]
    return (
        "## State\n\n*Dynamic* columns are the state: digested every tick and checkpointed. *Static* columns are made "
        "once and hashed once.\n\n"
        + table(("Column", "Type", "Role", "Unit", "Meaning"), rows)
        + "".join(f"\n\n{told(listed)}" for listed in model.enumerations)
    )


def told(listed: Enumeration) -> str:
    """The names and numbers of an enumeration; draws have numbers only so that no two share one."""
    if listed.prefix == "DRAW":
        draws = ", ".join(code(name) for name in listed.names)
        return f"Random draws, each a name of its own, so that no two ever share a number: {draws}."
    values = ", ".join(f"{number} {name}" for number, name in enumerate(listed.names, listed.first))
    return f"{listed.prefix.capitalize().replace('_', ' ')}: {values}."


def metrics(model: Model, results: ResultSet) -> str:
    """What is recorded for each member and tick."""
    rows = [(code(m.name), m.unit, m.kind, cell(m.meaning)) for m in model.metrics]
    heads = [(code(h.name), h.unit, cell(h.meaning)) for h in results.headlines]
    return (
        "## Metrics\n\nRecorded for each member and tick; a stock stands at the tick's end, a flow happened during "
        "it.\n\n"
        + table(("Metric", "Unit", "Kind", "Meaning"), rows)
        + "\n\n## Headline figures\n\nOne number a member; a run reports their mean, 5th and 95th percentile.\n\n"
        + table(("Figure", "Unit", "Meaning"), heads)
    )


def sentence(words: str) -> str:
    """Words as a sentence; nothing for nothing."""
    return f"{words[0].upper()}{words[1:]}." if words else ""


def tables(model: Model, results: ResultSet) -> str:
    """The Parquet tables of a run."""
    parts = ["## Result tables", "Parquet files, one set a shard; units and meanings are in each field's metadata."]
    for name, schema in table_schemas(model.metrics, results, (), on_request=True).items():
        rows = []
        for field in schema:
            said = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
            rows.append((code(field.name), str(field.type), said["unit"], cell(said["meaning"])))
        parts += [
            f"### {name}",
            sentence(table_meanings(results)[name]),
            table(("Column", "Type", "Unit", "Meaning"), rows),
        ]
    parts.append("`members` has one further column `parameter:PATH` for each parameter that the design varies.")
    parts += [
        f"`{one.name}` is written with `civlab run --{one.name}` only." for one in results.tables if one.on_request
    ]
    return "\n\n".join(parts)


def tick_page(name: str) -> str:
    """docs/reference/MODEL-tick.md."""
    model, results = model_of(name), results_of(name)
    return page(
        f"The {name} model's tick, state and tables",
        INTRODUCTION.format(model=name),
        phases(model),
        state(model),
        metrics(model, results),
        tables(model, results),
        source=f"civlab.models.{name}",
    )
