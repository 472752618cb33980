"""civlab, Covasim and Starsim give the same distribution of epidemics on the same networks.

The planted difference shows what samples of this size can tell apart: without it, agreement could mean weak tests.
"""

from __future__ import annotations

import dataclasses
import fcntl
import os
import pickle

import pytest

from validation.agreement import differences, figures_of, probabilities, ratios
from validation.comparison import EPIDEMIC, PEERS, Courses, all_courses, civlab_ensemble

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def courses(tmp_path_factory: pytest.TempPathFactory) -> Courses:
    """The daily courses of civlab and of each peer, simulated once for all workers of a session."""
    own = tmp_path_factory.getbasetemp()
    kept = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "courses.pickle"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(all_courses()))
    found: Courses = pickle.loads(kept.read_bytes())
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
