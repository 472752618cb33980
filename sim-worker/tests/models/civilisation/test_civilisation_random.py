"""Whatever a document says within its bounds, nothing is created or lost, nothing crashes, and a stop has a name.

The fast suite draws a few worlds; `make torture-civlab` a thousand.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from civlab.errors import CivlabError
from civlab.models.civilisation.compile import CompiledCivilisation, compile_civilisation
from civlab.models.civilisation.invariants import invariants
from civlab.models.civilisation.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import Scenario, ScenarioError

from .random_scenarios import scenarios

pytestmark = pytest.mark.kernel

WORLDS = 1000 if settings.get_current_profile_name() == "torture" else 15
NAMED_STOPS = {"WORLD_FULL", "PRICES_UNBOUNDED"}
"""How a run of a valid document may end before its last tick."""


def residues(world: World) -> list[int]:
    """What each invariant's count in Python differs by from what it should be."""
    limbs = invariants(world, 0)[-1]
    return [int(low) + (int(high) << 64) for low, high in limbs.reshape(-1, 2)]


def lived(world: World) -> str:
    """Runs a world to its end; the code by which it stopped, or "lived"."""
    try:
        world.advance(world.ticks - world.tick)
    except CivlabError as stopped:
        return f"{stopped.code}" if stopped.code in NAMED_STOPS else str(stopped)
    return "lived"


def compiled_or_refused(scenario: Scenario | ScenarioError) -> CompiledCivilisation | CivlabError | ScenarioError:
    """The compiled form, or why there is none."""
    if isinstance(scenario, ScenarioError):
        return scenario
    try:
        return compile_civilisation(scenario)
    except CivlabError as refused:
        return refused


@pytest.mark.long
@settings(max_examples=WORLDS, deadline=None, suppress_health_check=list(HealthCheck))
@given(scenario=scenarios(), seed=st.integers(0, 2**64 - 1), stop=st.integers(1, 29))
def test_any_world_conserves_everything_and_goes_on_from_any_tick(
    scenario: Scenario | ScenarioError, seed: int, stop: int
) -> None:
    form = compiled_or_refused(scenario)
    if not isinstance(form, CompiledCivilisation):
        event(f"{form.code}: {form.path}")
        assert form.code
        assert form.path
        return
    members = [MemberSpec(0, seed % 2**32, form)]
    world = World.create(MODEL, members, seed=seed, backend=Backend.cpu(1))
    ending = lived(world)
    event(ending)
    assert ending in {"lived", *NAMED_STOPS}
    if ending != "lived":
        return
    world.check()
    assert not any(residues(world))
    whole = world.member_digests()
    world = World.create(MODEL, members, seed=seed, backend=Backend.cpu(1))
    world.advance(stop)
    world = World.restore(MODEL, members, seed=seed, backend=Backend.cpu(2), snapshot=world.snapshot())
    assert lived(world) == "lived"
    assert world.member_digests() == whole
