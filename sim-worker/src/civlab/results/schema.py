"""The declared tables: names, Arrow types, units and meanings of every column.

Columns derive from the model's declarations and the run's design, so a table cannot hold what is not declared; units
and meanings travel in the Parquet files as field metadata.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from civlab.results.declaration import ResultSet
from civlab.runtime.columns import Metric

TIMESERIES, MEMBERS = "timeseries", "members"
PARAMETER_PREFIX = "parameter:"
WIDE = pa.decimal128(38, 0)
"""The type of 128-bit numbers."""
METRIC_TYPES = {"i8": pa.int64(), "f8": pa.float64(), "i16": WIDE}


def table_meanings(results: ResultSet) -> dict[str, str]:
    """What one row of each table is; the model's own tables may leave it unsaid."""
    return {
        TIMESERIES: "one row a member and tick: the metrics",
        MEMBERS: "one row a member: its point of the design, its headline figures and its digest",
        **{table.name: table.meaning for table in results.tables},
    }


def table_schemas(
    metrics: Iterable[Metric], results: ResultSet, parameters: tuple[str, ...], *, on_request: bool
) -> dict[str, pa.Schema]:
    """The schema of each table of a run whose design varies `parameters`; `on_request` includes the tables that are
    written only for runs that ask for them."""
    member = _field("member", pa.uint32(), "", "index of the member in the ensemble")
    tick = _field("tick", pa.uint32(), "tick", "the tick, counted from 0; stocks stand at its end")
    schemas = {
        TIMESERIES: pa.schema(
            [
                member,
                tick,
                *(_field(m.name, METRIC_TYPES[m.dtype], m.unit, f"{m.meaning} ({m.kind})") for m in metrics),
            ]
        ),
        MEMBERS: pa.schema(
            [
                member,
                _field("stream", pa.uint32(), "", "random stream; members with equal streams share random numbers"),
                *(
                    _field(PARAMETER_PREFIX + name, pa.float64(), "", f"the scenario's {name} in this member")
                    for name in parameters
                ),
                _field(results.size.name, results.size.type, results.size.unit, results.size.meaning),
                *(
                    _field(h.name, pa.float64() if h.places else pa.int64(), h.unit, h.meaning)
                    for h in results.headlines
                ),
                _field("digest", pa.string(), "", "digest of the member's whole course, hexadecimal"),
            ]
        ),
    }
    for table in results.written(on_request=on_request):
        columns = (_field(column.name, column.type, column.unit, column.meaning) for column in table.columns)
        schemas[table.name] = pa.schema([member, *columns])
    return schemas


def _field(name: str, kind: pa.DataType, unit: str, meaning: str) -> pa.Field:
    return pa.field(name, kind, nullable=False, metadata={"unit": unit, "meaning": meaning})
