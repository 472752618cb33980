"""The epidemic's results: headline figures, attack rates by age, and who infected whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civlab.models.epidemic.layout import ORIGINS, STATES
from civlab.models.epidemic.transmissions import transmissions
from civlab.results.declaration import Headline, ResultSet, Table, TableColumn
from civlab.results.inequality import parts
from civlab.results.outcome import BatchOutcome
from civlab.runtime.world import World
from parpour_contracts.scenario import EpidemicScenario

MILLION = 1_000_000
AGE_GROUPS = tuple(range(0, 90, 10))
"""First year of each age group of the `ages` table; the last group is open."""

HEADLINES = (
    Headline("attack_rate", "share", "persons ever infected, as a share of the population", 6),
    Headline("infected", "persons", "persons ever infected"),
    Headline("peak_infectious", "persons", "most persons infectious at a tick's end"),
    Headline("peak_tick", "tick", "first tick of that peak"),
    Headline("peak_hospital", "persons", "most persons in hospital at a tick's end"),
    Headline("bedless_days", "person-ticks", "patients above the number of beds, summed over ticks"),
    Headline("deaths", "persons", "persons who died of the disease"),
    Headline("last_infection", "tick", "last tick with an infection"),
)


def figures(outcome: BatchOutcome) -> Mapping[str, NDArray[np.int64]]:
    """The HEADLINES of a batch, i64 [members] each."""
    series = outcome.series()
    flow = series["new_infections"]
    infected = flow.sum(axis=0)
    ticks = flow.shape[0]
    last = ticks - 1 - np.argmax(flow[::-1] > 0, axis=0)
    people = outcome.agents
    return {
        "attack_rate": (2 * infected * MILLION + people) // (2 * people),
        "infected": infected,
        "peak_infectious": series["infectious"].max(axis=0),
        "peak_tick": series["infectious"].argmax(axis=0),
        "peak_hospital": series["hospital"].max(axis=0),
        "bedless_days": series["without_bed"].sum(axis=0),
        "deaths": series["dead"][-1],
        "last_infection": np.where(infected > 0, last, 0),
    }


def ages(world: World, number: int) -> Sequence[NDArray[np.int64]]:
    """Persons, infected and dead by age group at the end."""
    age, infected_at, state = (world.member_column(name, number) for name in ("age", "infected_at", "state"))
    counts = np.zeros((3, len(AGE_GROUPS)), np.int64)
    for part in parts(len(age)):
        groups = np.minimum(age[part] // 10, len(AGE_GROUPS) - 1)
        chosen = (slice(None), infected_at[part] != 0, state[part] == STATES.index("dead"))
        counts += [np.bincount(groups[which], minlength=len(AGE_GROUPS)) for which in chosen]
    return [np.array(AGE_GROUPS), *counts]


def tree(world: World, number: int) -> Sequence[NDArray[Any]]:
    """Every infection, by tick."""
    found = transmissions(world, number)
    return [found[name] for name in ("tick", "infector", "infected", "layer")]


def persons(scenario: EpidemicScenario) -> int:
    """Nobody is infected twice."""
    return scenario.agents


RESULTS = ResultSet(
    size=TableColumn("population", pa.int64(), "persons", "persons of the member"),
    headlines=HEADLINES,
    figures=figures,
    tables=(
        Table(
            "ages",
            (
                TableColumn(
                    "age_from", pa.uint8(), "year", "first year of the group; ten years wide, the last is open"
                ),
                *(
                    TableColumn(name, pa.int64(), "persons", f"of the group, at the end: {name}")
                    for name in ("persons", "infected", "dead")
                ),
            ),
            rows=ages,
            meaning="one row a member and age group, at the end",
        ),
        Table(
            "transmissions",
            (
                TableColumn("tick", pa.uint32(), "tick", "tick of the infection"),
                TableColumn("infector", pa.int64(), "", "agent who infected, -1 from outside"),
                TableColumn("infected", pa.int64(), "", "agent who was infected"),
                TableColumn(
                    "layer",
                    pa.uint8(),
                    "",
                    f"where: {', '.join(f'{number} {name}' for number, name in enumerate(ORIGINS))}",
                ),
            ),
            rows=tree,
            most_rows=persons,
            on_request=True,
            meaning="one row an infection: who infected whom",
        ),
    ),
)
