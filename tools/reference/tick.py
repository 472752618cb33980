"""The page of the epidemic's tick: phases, state, metrics and result tables, from what the engine itself runs."""

from __future__ import annotations

from civlab.models.epidemic.layout import CHAINED, COLUMNS, DRAWS, METRICS, STATES, TILE
from civlab.models.epidemic.phases import PHASES
from civlab.models.epidemic.results import HEADLINES, RESULTS
from civlab.results.schema import table_schemas
from reference.markdown import cell, code, page, table

INTRODUCTION = """
The engine runs this table and nothing else; `civlab explain SCENARIO` prints it for one scenario. A test holds every
kernel to its row: a phase that writes a column it does not declare fails. What the phases do and why is in
[the epidemic model](../explanation/epidemic-model.md).
"""

C_NAMES = {"u1": "u8", "u2": "u16", "u4": "u32", "u8": "u64", "i8": "i64", "f8": "f64"}


def names(columns: tuple[str, ...]) -> str:
    """Column names as inline code."""
    return ", ".join(code(name) for name in columns)


def phases() -> str:
    """The tick, in order."""
    rows = [(code(p.name), f"each {p.over}", names(p.reads), names(p.writes), cell(p.meaning)) for p in PHASES]
    chained = ", ".join(code(name) for name in CHAINED)
    return (
        "## The tick, in order\n\n"
        + table(("Phase", "Runs for", "Reads", "Writes", "What happens"), rows)
        + f"\n\nA tile is at most {TILE:,} agents of one member. The [chain](../explanation/determinism.md) takes in "
        + f"one digest of each of {chained}."
    )


def state() -> str:
    """The columns that are the world: what is digested and checkpointed, and what never changes."""
    rows = [
        (
            code(c.name),
            f"{C_NAMES.get(c.dtype, c.dtype)} an {c.per}"
            if c.per in ("agent", "edge")
            else f"{C_NAMES.get(c.dtype, c.dtype)} a {c.per}",
            c.role,
            c.unit,
            cell(c.meaning),
        )
        for c in COLUMNS
        if c.role in ("dynamic", "static")
    ]
    listed = ", ".join(f"{number} {name}" for number, name in enumerate(STATES))
    draws = ", ".join(code(name) for name in DRAWS)
    return (
        "## State\n\n*Dynamic* columns are the state: digested every tick and checkpointed. *Static* columns are made "
        "once and hashed once.\n\n"
        + table(("Column", "Type", "Role", "Unit", "Meaning"), rows)
        + f"\n\nStates: {listed}.\n\nRandom draws, each a name of its own, so that no two ever share a number: {draws}."
    )


def metrics() -> str:
    """What is recorded for each member and tick."""
    rows = [(code(m.name), m.unit, m.kind, cell(m.meaning)) for m in METRICS]
    heads = [(code(h.name), h.unit, cell(h.meaning)) for h in HEADLINES]
    return (
        "## Metrics\n\nRecorded for each member and tick; a stock stands at the tick's end, a flow happened during "
        "it.\n\n"
        + table(("Metric", "Unit", "Kind", "Meaning"), rows)
        + "\n\n## Headline figures\n\nOne number a member; a run reports their mean, 5th and 95th percentile.\n\n"
        + table(("Figure", "Unit", "Meaning"), heads)
    )


def tables() -> str:
    """The Parquet tables of a run."""
    parts = ["## Result tables", "Parquet files, one set a shard; units and meanings are in each field's metadata."]
    for name, schema in table_schemas(METRICS, RESULTS, (), on_request=True).items():
        rows = []
        for field in schema:
            said = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
            rows.append((code(field.name), str(field.type), said["unit"], cell(said["meaning"])))
        parts += [f"### {name}", table(("Column", "Type", "Unit", "Meaning"), rows)]
    parts.append(
        "`members` has one further column `parameter:PATH` for each parameter that the design varies. `transmissions` "
        "is written with `civlab run --transmissions` only."
    )
    return "\n\n".join(parts)


def tick_page() -> str:
    """docs/reference/epidemic-tick.md."""
    return page(
        "The epidemic's tick, state and tables",
        INTRODUCTION,
        phases(),
        state(),
        metrics(),
        tables(),
        source="civlab.models.epidemic.layout and phases",
    )
