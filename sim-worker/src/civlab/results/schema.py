"""The declared tables: names, Arrow types, units and meanings of every column.

Columns derive from the model's metrics and the run's design, so a table cannot hold what is not declared; units and
meanings travel in the Parquet files as field metadata.
"""

from __future__ import annotations

import pyarrow as pa

from civlab.models.epidemic.layout import METRICS, ORIGINS
from civlab.results.headline import HEADLINES
from civlab.results.outcome import AGE_COUNTS

TIMESERIES, MEMBERS, AGES, TRANSMISSIONS = "timeseries", "members", "ages", "transmissions"
PARAMETER_PREFIX = "parameter:"


def table_schemas(parameters: tuple[str, ...], *, transmissions: bool) -> dict[str, pa.Schema]:
    """The schema of each table of a run whose design varies `parameters`."""
    member = _field("member", pa.uint32(), "", "index of the member in the ensemble")
    tick = _field("tick", pa.uint32(), "tick", "the tick, counted from 0; stocks stand at its end")
    layers = ", ".join(f"{number} {name}" for number, name in enumerate(ORIGINS))
    schemas = {
        TIMESERIES: pa.schema(
            [member, tick, *(_field(m.name, pa.int64(), m.unit, f"{m.meaning} ({m.kind})") for m in METRICS)]
        ),
        MEMBERS: pa.schema(
            [
                member,
                _field("stream", pa.uint32(), "", "random stream; members with equal streams share random numbers"),
                *(
                    _field(PARAMETER_PREFIX + name, pa.float64(), "", f"the scenario's {name} in this member")
                    for name in parameters
                ),
                _field("population", pa.int64(), "persons", "persons of the member"),
                *(_field(h.name, pa.float64() if h.places else pa.int64(), h.unit, h.meaning) for h in HEADLINES),
                _field("digest", pa.string(), "", "digest of the member's whole course, hexadecimal"),
            ]
        ),
        AGES: pa.schema(
            [
                member,
                _field(
                    "age_from",
                    pa.uint8(),
                    "year",
                    "first year of the group; ten years wide, the last is open",
                ),
                *(_field(name, pa.int64(), "persons", f"of the group, at the end: {name}") for name in AGE_COUNTS),
            ]
        ),
    }
    if transmissions:
        schemas[TRANSMISSIONS] = pa.schema(
            [
                member,
                _field("tick", pa.uint32(), "tick", "tick of the infection"),
                _field("infector", pa.int64(), "", "agent who infected, -1 from outside"),
                _field("infected", pa.int64(), "", "agent who was infected"),
                _field("layer", pa.uint8(), "", f"where: {layers}"),
            ]
        )
    return schemas


def _field(name: str, kind: pa.DataType, unit: str, meaning: str) -> pa.Field:
    return pa.field(name, kind, nullable=False, metadata={"unit": unit, "meaning": meaning})
