"""The climate's tick, as data: physics, its consequences, the count of carbon, the record and the chain."""

from __future__ import annotations

from civlab.models.climate.layout import DIAGNOSED, PUBLISHED, RESPONSE, STATE
from civlab.runtime.phases import Phase

PHYSICS = tuple(column.name for column in STATE[:11])
CONSEQUENCES = tuple(column.name for column in STATE[11:19])
LEDGER = tuple(column.name for column in STATE[19:])

PHASES = (
    Phase(
        "advance",
        "climate_advance",
        "tile",
        ("constants", "year", *(column.name for column in (*PUBLISHED, *RESPONSE)), *PHYSICS),
        (*PHYSICS, *(column.name for column in DIAGNOSED)),
        "emissions become concentrations, forcing and the layers' temperatures",
        streams=(*PHYSICS, *(column.name for column in (*RESPONSE, *DIAGNOSED))),
    ),
    Phase(
        "respond",
        "climate_respond",
        "tile",
        ("constants", "temperature_surface", *CONSEQUENCES),
        CONSEQUENCES,
        "tipping elements answer the warming and add to it; the sea rises",
        streams=("temperature_surface", *CONSEQUENCES),
    ),
    Phase(
        "post",
        "climate_post",
        "tile",
        ("constants", "year", *PHYSICS[:4], *LEDGER),
        (*LEDGER, "emission", "uptake"),
        "carbon is posted in kilograms from emitters to air to land and sea",
        streams=LEDGER,
    ),
    Phase(
        "record",
        "climate_record",
        "tile",
        ("constants", *PHYSICS, *CONSEQUENCES, *LEDGER, *(column.name for column in DIAGNOSED), "emission", "uptake"),
        ("history", "fault"),
        "carbon must be conserved; metrics are written",
    ),
    Phase(
        "chain",
        "climate_chain",
        "tile",
        (*PHYSICS, *CONSEQUENCES, *LEDGER),
        ("column_digest", "head"),
        "the tick is sealed",
    ),
)
