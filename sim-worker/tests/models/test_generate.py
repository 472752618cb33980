"""Laying members out: ranks are a stable, total sort, and what cannot be numbered is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civlab.errors import CivlabError
from civlab.models.epidemic.compile import compile_scenario
from civlab.models.epidemic.generate import tile_ranks
from civlab.models.epidemic.model import MODEL, arrange_members
from civlab.runtime.arrays import Arrays, MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import BUILTIN, override, parse_scenario

pytestmark = pytest.mark.kernel

BINS = 5
tiles_of_keys = st.lists(st.lists(st.integers(0, BINS - 1), max_size=7), min_size=1, max_size=6)


@given(st.lists(tiles_of_keys, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_ranks_by_tile_are_those_of_a_stable_sort_within_each_member(members: list[list[list[int]]]) -> None:
    tiles = [(member, tile) for member, of_member in enumerate(members) for tile in of_member]
    counts = np.array([np.bincount(tile, minlength=BINS) for _, tile in tiles], "u4").reshape(-1, BINS)
    plan = {"tile_member": np.array([member for member, _ in tiles], "u4")}
    arrays = Arrays.empty(MODEL, backend=Backend.cpu(1), seed=0, sizes={"member": len(members), "tick": 1})
    arrays.column.update(plan)
    ranks, totals = tile_ranks(arrays, counts, ordered_bins=True)
    found: list[list[int]] = [[] for _ in members]
    for (member, tile), start in zip(tiles, ranks.tolist(), strict=True):
        for key in tile:
            found[member].append(start[key])
            start[key] += 1
    for member, of_member in enumerate(members):
        keys = np.array([key for tile in of_member for key in tile], int)
        expected = np.empty(len(keys), int)
        expected[np.argsort(keys, kind="stable")] = np.arange(len(keys))
        assert found[member] == expected.tolist()
        assert totals[member].tolist() == np.bincount(keys, minlength=BINS).tolist()


def test_a_batch_that_32_bits_cannot_number_is_refused_before_it_is_allocated() -> None:
    scenario = compile_scenario(override(parse_scenario(BUILTIN["epidemic-contact"]), {"population.size": "50000000"}))
    members = [MemberSpec(i, i, scenario) for i in range(90)]
    with pytest.raises(CivlabError) as refused:
        arrange_members(members, seed=1, backend=Backend.cpu(1))
    assert refused.value.code == "WORLD_TOO_LARGE"


def test_members_of_different_lengths_and_seeds_out_of_range_are_refused() -> None:
    short, long = (
        compile_scenario(override(parse_scenario(BUILTIN["epidemic"]), {"ticks": ticks, "population.size": "50"}))
        for ticks in ("5", "6")
    )
    with pytest.raises(ValueError, match="number of ticks"):
        World.create(MODEL, [MemberSpec(0, 0, short), MemberSpec(1, 1, long)], seed=1, backend=Backend.cpu(1))
    with pytest.raises(CivlabError) as refused:
        World.create(MODEL, [MemberSpec(0, 0, short)], seed=2**64, backend=Backend.cpu(1))
    assert refused.value.code == "SEED_OUT_OF_RANGE"


def test_an_r0_that_no_contact_can_give_is_refused() -> None:
    scenario = override(parse_scenario(BUILTIN["epidemic-contact"]), {"contacts.community.degree.value": "2"})
    with pytest.raises(CivlabError) as refused:
        compile_scenario(scenario)
    assert (refused.value.code, refused.value.path) == ("SCENARIO_UNREACHABLE_R0", "disease.r0")
