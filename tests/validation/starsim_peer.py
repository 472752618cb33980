"""Starsim's own SEIR disease on a given network: the first peer.

Starsim moves agents on as soon as `ti` reaches their day, so whole-day periods mean the same here as in
`contact_epidemic`. Its common random numbers are off: with them both meetings of a pair that stands twice in the
network would share one draw, and drawing is slower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import starsim as ss

from validation.contact_epidemic import ContactEpidemic, ContactNetwork, Course, DayTable

VERSION: str = ss.__version__


class FixedNetwork(ss.Network):  # type: ignore[misc]  # Starsim carries no types
    """Contacts that stay as they are."""

    def step(self) -> None:
        """Nothing changes."""


def fixed_network(network: ContactNetwork, name: str) -> FixedNetwork:
    """The network with every contact at full strength."""
    strength = np.ones(len(network.first), dtype=ss.dtypes.float)
    return FixedNetwork(p1=network.first, p2=network.second, beta=strength, name=name)


def period(table: DayTable) -> Any:
    """Whole days drawn from the table."""
    return ss.choice(a=[float(day) for day in table.days], p=list(table.weights))


def course_of(disease: Any, epidemic: ContactEpidemic) -> Course:
    """The daily counts from the times that Starsim (and Covasim on top of it) keeps for each agent."""
    infected = disease.ti_exposed.raw[: epidemic.agents]
    known = np.isfinite(infected)
    times = (infected, disease.ti_infectious.raw[: epidemic.agents], disease.ti_recovered.raw[: epidemic.agents])
    begin, infectious, recovered = (time[known].astype(np.int64) for time in times)
    return Course.from_times(begin, infectious, recovered, days=epidemic.days)


@dataclass(frozen=True)
class StarsimRun:
    """A prepared simulation: `run` is what is timed, `course` reads it afterwards."""

    sim: Any
    epidemic: ContactEpidemic

    @classmethod
    def prepare(cls, epidemic: ContactEpidemic, network: ContactNetwork, *, seed: int) -> StarsimRun:
        """Everything up to the first day."""
        ss.options(verbose=0, crn=False)
        disease = ss.SEIR(
            beta=ss.probperday(epidemic.transmission),
            init_prev=ss.choose_n(epidemic.introductions),
            dur_exp=period(epidemic.exposed),
            dur_inf=period(epidemic.infectious),
            p_death=ss.bernoulli(p=0.0),
        )
        sim = ss.Sim(
            people=ss.People(epidemic.agents, age_data=None),
            networks=fixed_network(network, "contact"),
            diseases=disease,
            start=ss.date("2020-01-01"),
            dur=ss.days(epidemic.days - 1),
            dt=ss.days(1),
            rand_seed=seed,
            people_results=False,
            verbose=0,
        )
        sim.init()
        return cls(sim, epidemic)

    def run(self) -> None:
        """All days."""
        self.sim.run()

    def course(self) -> Course:
        """The daily counts."""
        return course_of(self.sim.diseases[0], self.epidemic)
