"""The yearly phase of the climate, as a row of the tick."""

from __future__ import annotations

from civlab.runtime.phases import Phase

CLIMATE_STATE = ("boxes", "gases", "emitted", "heat", "tipping", "warming", "sea_level")
LEDGER = ("carbon_due", "carbon_rest", "carbon", "carbon_own")
PLACES = ("warmth", "yield", "land")

LAND_PHASES = (
    Phase(
        "climate",
        "civilisation_climate",
        "member",
        (
            "member_scenario",
            "member_region",
            "member_regions",
            "lands",
            "year",
            "parameters",
            "response",
            "region_zone",
            "region_farmed",
            *CLIMATE_STATE,
            *LEDGER,
            *PLACES,
        ),
        (*CLIMATE_STATE, *LEDGER, *PLACES, "fault", "column_digest", "phase_digest"),
        "once a year burnt fuel becomes carbon in the air, the climate answers, and harvests, work and land follow",
    ),
)
