"""civlab, Covasim and Starsim give the same distribution of epidemics on the same networks.

Every peer runs 100 seeds, each on the network of one civlab member. civlab runs four times as many members, because its
side of the comparison costs nothing; the planted difference shows what these samples can tell apart.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import pytest
from civlab.runtime.backend import Backend
from validation.agreement import differences, figures_of, probabilities, ratios
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


@pytest.fixture(scope="module")
def courses() -> Courses:
    """The daily courses of civlab and of each peer."""
    ensemble = civlab_ensemble(EPIDEMIC, seed=1)
    networks = ensemble.networks()[:SEEDS]
    found: Courses = {"civlab": ensemble.courses()}
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        for peer in PEERS:
            found[peer] = list(pool.map(peer_course, repeat(peer), networks, range(SEEDS), chunksize=10))
    return found


@pytest.mark.kernel
def test_no_difference_from_covasim_or_starsim_is_found_in_one_family_of_tests(courses: Courses) -> None:
    family = [p for peer in PEERS for p in probabilities(peer, courses["civlab"], courses[peer])]
    assert len(family) == 18
    assert differences(family) == []


@pytest.mark.kernel
@pytest.mark.parametrize("peer", PEERS)
def test_mean_figures_lie_within_the_stated_band_of_the_peers(courses: Courses, peer: str) -> None:
    assert [ratio for ratio in ratios(peer, courses["civlab"], courses[peer]) if not ratio.within_band()] == []


@pytest.mark.kernel
def test_a_reproduction_number_fifteen_percent_higher_is_detected_by_the_same_tests(courses: Courses) -> None:
    higher = dataclasses.replace(EPIDEMIC, transmission=EPIDEMIC.transmission * 1.15)
    planted = civlab_ensemble(higher, seed=1).courses()
    family = [p for peer in PEERS for p in probabilities(peer, planted, courses[peer])]
    for peer in PEERS:
        assert len([p for p in differences(family) if p.comparison == peer]) >= 5
        assert not any(ratio.within_band() for ratio in ratios(peer, planted, courses[peer]) if "size" in ratio.figure)


@pytest.mark.kernel
def test_every_epidemic_that_is_compared_ends_within_the_days_simulated(courses: Courses) -> None:
    longest = {name: figures_of(listed)["duration"].max() for name, listed in courses.items()}
    assert max(longest.values()) < EPIDEMIC.days
