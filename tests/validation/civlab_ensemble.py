"""civlab's side of the comparison: an ensemble on the contact layer alone, and the networks that it was drawn on.

Peers run on the network of a member as civlab generated it, so that no difference can hide in the generator; a stub
whose partner is its own owner (a leftover of the pairing) is no contact and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import yaml

from civlab.models.epidemic.compile import compile_scenario
from civlab.models.epidemic.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario
from validation.contact_epidemic import ContactEpidemic, ContactNetwork, Course, DayTable


def law(table: DayTable) -> dict[str, object]:
    """A table of days as a scenario writes it."""
    return {"law": "table", "weights": dict(zip(table.days, table.weights, strict=True))}


def scenario_text(epidemic: ContactEpidemic, *, degree: dict[str, object]) -> str:
    """The scenario document with the contact layer alone, age-blind."""
    document = {
        "apiVersion": "civlab/v1",
        "model": "epidemic",
        "title": "The contact layer alone",
        "ticks": epidemic.days,
        "population": {"size": epidemic.agents, "pyramid": "uniform", "households": "single"},
        "contacts": {"community": {"degree": degree, "mixing": "none"}},
        "disease": {
            "probability": epidemic.transmission,
            "exposed": law(epidemic.exposed),
            "infectious": law(epidemic.infectious),
        },
        "introductions": [{"tick": 0, "count": epidemic.introductions}],
    }
    return yaml.safe_dump(document, sort_keys=False)


def network_of(world: World, number: int) -> ContactNetwork:
    """The contacts of the batch's member `number`, each once; raises ValueError if they are not mutual."""
    degree = world.member_column("degree", number)
    owner = np.repeat(np.arange(len(degree), dtype=np.int64), degree)
    partner = world.member_column("neighbour", number)[: len(owner)].astype(np.int64)
    if not np.array_equal(np.sort(owner * len(degree) + partner), np.sort(partner * len(degree) + owner)):
        raise ValueError("the contacts of the member are not mutual")
    once = owner < partner
    return ContactNetwork(owner[once], partner[once])


@dataclass(frozen=True)
class Ensemble:
    """A world of replicates: every member has its own network and its own chance."""

    world: World
    epidemic: ContactEpidemic

    @classmethod
    def prepare(
        cls, epidemic: ContactEpidemic, *, degree: dict[str, object], members: int, seed: int, backend: Backend
    ) -> Ensemble:
        """Everything up to the first day."""
        compiled = compile_scenario(parse_scenario(scenario_text(epidemic, degree=degree)))
        specs = [MemberSpec(index=number, stream=number, scenario=compiled) for number in range(members)]
        return cls(World.create(MODEL, specs, seed=seed, backend=backend), epidemic)

    def run(self) -> None:
        """All days."""
        self.world.advance(self.epidemic.days)

    def networks(self) -> Sequence[ContactNetwork]:
        """The network of each member."""
        return [network_of(self.world, number) for number in range(len(self.world.members))]

    def courses(self) -> list[Course]:
        """The daily counts of each member."""
        metrics = self.world.metrics(0, self.epidemic.days)
        exposed, infectious, infections = (metrics[name] for name in ("exposed", "infectious", "new_infections"))
        return [
            Course(exposed[:, number], infectious[:, number], int(infections[:, number].sum()))
            for number in range(len(self.world.members))
        ]
