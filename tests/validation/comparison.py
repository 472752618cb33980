"""The one comparison that the agreement test judges and the report prints: which epidemic, on which networks.

Every peer runs 100 seeds, each on the network of one civlab member. civlab runs four times as many members, because its
side of the comparison costs nothing.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

from civlab.runtime.backend import Backend
from validation.civlab_ensemble import Ensemble
from validation.contact_epidemic import ContactEpidemic, ContactNetwork, Course, DayTable
from validation.covasim_peer import CovasimRun
from validation.starsim_peer import StarsimRun

EPIDEMIC = ContactEpidemic(
    agents=1000,
    days=52,
    transmission=0.0665,
    exposed=DayTable((1, 2, 3), (0.3, 0.5, 0.2)),
    infectious=DayTable((1, 2, 3), (0.3, 0.4, 0.3)),
    introductions=20,
)
"""R0 ≈ 2.4 on a network of degree 20: 19 other contacts times 1 - E[(1 - 0.0665)^days]. The periods are short because
the peers' time goes into days, however few persons there are."""
DEGREE: dict[str, object] = {"law": "fixed", "value": 20}
SEEDS = 100
MEMBERS = 400
PEERS: dict[str, type[CovasimRun] | type[StarsimRun]] = {"Covasim": CovasimRun, "Starsim": StarsimRun}

Courses = dict[str, list[Course]]


def peer_course(peer: str, network: ContactNetwork, seed: int) -> Course:
    """One epidemic of a peer, in a process of its own pool."""
    run = PEERS[peer].prepare(EPIDEMIC, network, seed=seed)
    run.run()
    return run.course()


def civlab_ensemble(epidemic: ContactEpidemic, *, seed: int) -> Ensemble:
    """civlab's epidemics, run to the end."""
    backend = Backend.cpu(threads=2)
    ensemble = Ensemble.prepare(epidemic, degree=DEGREE, members=MEMBERS, seed=seed, backend=backend)
    ensemble.run()
    return ensemble


def all_courses() -> Courses:
    """The daily courses of civlab and of each peer."""
    ensemble = civlab_ensemble(EPIDEMIC, seed=1)
    networks = ensemble.networks()[:SEEDS]
    found: Courses = {"civlab": ensemble.courses()}
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        for peer in PEERS:
            found[peer] = list(pool.map(peer_course, repeat(peer), networks, range(SEEDS), chunksize=10))
    return found
