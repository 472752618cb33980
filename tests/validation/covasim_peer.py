"""Covasim's COVID-19 disease reduced to the shared epidemic: the second peer.

Nobody shows symptoms (so nobody falls ill or dies), viral load and transmissibility are the same for all, immunity does
not wane, and the population is not rescaled; what remains is exposed, infectious, recovered on the given contacts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import covasim as cv
import starsim as ss

from validation.contact_epidemic import ContactEpidemic, ContactNetwork, Course
from validation.starsim_peer import course_of, fixed_network, period

VERSION: str = cv.__version__


@dataclass(frozen=True)
class CovasimRun:
    """A prepared simulation: `run` is what is timed, `course` reads it afterwards."""

    sim: Any
    epidemic: ContactEpidemic

    @classmethod
    def prepare(cls, epidemic: ContactEpidemic, network: ContactNetwork, *, seed: int) -> CovasimRun:
        """Everything up to the first day."""
        ss.options(verbose=0, crn=False)
        disease = cv.COVID(
            init_prev=ss.choose_n(epidemic.introductions),
            beta=ss.probperday(epidemic.transmission),
            beta_layer=1.0,
            beta_dist={"dist": "uniform", "par1": 1.0, "par2": 1.0},
            viral_dist={"frac_time": 0.3, "load_ratio": 1.0, "high_cap": 4},
            asymp_factor=1.0,
            prog_by_age=False,
            rel_symp_prob=0.0,
            dur_exp2inf=period(epidemic.exposed),
            dur_asym2rec=period(epidemic.infectious),
        )
        sim = cv.Sim(
            pop_size=epidemic.agents,
            n_days=epidemic.days - 1,
            networks=[fixed_network(network, "a")],
            diseases=disease,
            rand_seed=seed,
            rescale=False,
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
