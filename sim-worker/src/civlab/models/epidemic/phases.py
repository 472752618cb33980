"""The epidemic's tick and its generation, as data.

Order matters: whoever is due changes state first, then infections from outside arrive, then people meet, and only
after everyone has met are the infections settled, so nobody infects on the day of their own infection.
"""

from __future__ import annotations

from civlab.runtime.phases import Phase

INFECTION = ("state", "due", "infector", "infected_at", "origin")

PHASES = (
    Phase(
        "progress",
        "epidemic_progress",
        "tile",
        ("due", "state", "age", "vaccination", "stock"),
        ("state", "due", "flow", "column_digest", "phase_digest"),
        "whoever is due becomes infectious, is admitted, recovers or dies",
        streams=("due",),
    ),
    Phase(
        "introduce",
        "epidemic_introduce",
        "member",
        ("state",),
        ("state", "due", "infected_at", "origin", "flow", "column_digest", "phase_digest"),
        "infections from outside",
    ),
    Phase(
        "transmit",
        "epidemic_transmit",
        "tile",
        (
            "state",
            "row_start",
            "degree",
            "neighbour",
            "household_position",
            "household_size",
            "place_first",
            "place_size",
            "place_member",
            "age",
            "vaccination",
            "infected_at",
            "stock",
            "day",
        ),
        ("claim", "claimed"),
        "the infectious meet their contacts, layer by layer; hits become claims",
        streams=("state",),
        beyond=("state", "claim", "claimed"),
    ),
    Phase(
        "settle",
        "epidemic_settle",
        "tile",
        ("claim", "claimed"),
        ("claim", "claimed", *INFECTION, "flow", "column_digest", "phase_digest"),
        "each claimed person is infected by the claim with the least keyed hash",
        streams=("claimed",),
    ),
    Phase(
        "tally",
        "epidemic_tally",
        "tile",
        ("state",),
        ("count",),
        "counts every agent by state",
        streams=("state",),
    ),
    Phase(
        "record",
        "epidemic_record",
        "member",
        ("count", "flow", "day"),
        ("count", "flow", "stock", "history", "fault"),
        "checks that persons are conserved and writes the metrics",
    ),
    Phase(
        "chain",
        "epidemic_chain",
        "member",
        ("phase_digest", "history"),
        ("phase_digest", "head"),
        "seals the tick's changes and metrics with BLAKE3 under the previous head",
    ),
)
