"""Lays members out in shared arrays and generates their populations and networks on the device.

Everything counts and ranks in integers and shuffles by keyed permutations, so a member comes out the same wherever
it lies in whatever batch. The host only adds up counters of tiles, with the backend's own integer cumulative sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from civlab.errors import CivlabError
from civlab.models.epidemic.compile import CompiledScenario
from civlab.models.epidemic.layout import AGES, GROUPS, KEYS, PAD, TALLIES, TILE
from civlab.runtime.arrays import Arrays, MemberSpec, agents_in_turn, shared_scenarios
from civlab.runtime.backend import Backend
from civlab.runtime.model import Model

CLAIM_NONE = np.uint64(0xFFFFFFFFFFFFFFFF)
AFTER_GENERATION = ("age_key", "stub_owner", "key_rank", "tally_rank", "tally_total", "group_start", "block_start")
"""Columns that are released once the population stands."""


def arrange(model: Model, members: Sequence[MemberSpec[CompiledScenario]], *, seed: int, backend: Backend) -> Arrays:
    """Empty arrays with the plan of members and tiles filled in.

    Raises CivlabError WORLD_TOO_LARGE if the members' slots cannot be numbered in 32 bits.
    """
    population = np.array([member.scenario.population for member in members], np.int64)
    plan, first, slots = agents_in_turn(members, population, pad=PAD, tile=TILE)
    scenarios, plan["member_scenario"] = shared_scenarios(members)
    plan["scenario"] = np.concatenate([scenario.record for scenario in scenarios])
    plan["day"] = np.concatenate([scenario.days for scenario in scenarios])
    days = [len(scenario.days) for scenario in scenarios]
    plan["scenario"]["day_first"] = np.cumsum(days) - days
    sizes = {
        "agent": int(first[-1] + slots[-1]),
        "member": len(members),
        "tile": len(plan["tile_member"]),
        "tick": members[0].scenario.ticks,
    }
    arrays = Arrays.empty(model, backend=backend, seed=seed, sizes=sizes)
    arrays.lay_out("agent", first=first, count=population)
    arrays.record["tiles"] = sizes["tile"]
    arrays.upload(plan)
    arrays.allocate_rest()
    arrays.column["claim"].fill(CLAIM_NONE)
    clear_padding(arrays, first, population, slots)
    return arrays


def clear_padding(arrays: Arrays, first: np.ndarray, population: np.ndarray, slots: np.ndarray) -> None:
    """Marks the slots after each member's agents as vacant, so no scan of states finds them."""
    lengths = slots - population
    offsets = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    padding = np.repeat(first + population, lengths) + offsets
    arrays.column["state"][arrays.backend.upload(padding)] = 255


def tile_ranks(arrays: Arrays, counts: Any, *, ordered_bins: bool) -> tuple[Any, Any]:
    """Ranks at which each tile starts counting, and totals by member, from counts by tile and bin.

    With `ordered_bins` a bin begins where the one before it ends (a counting sort by bin); otherwise each bin counts
    from zero.
    """
    xp = arrays.backend.xp
    member = arrays.column["tile_member"].astype("i8")
    bounds = xp.searchsorted(member, xp.arange(arrays.sizes["member"] + 1))
    running = xp.concatenate([xp.zeros((1, counts.shape[1]), "i8"), xp.cumsum(counts.astype("i8"), axis=0)])
    start = running[bounds[:-1]]
    totals = running[bounds[1:]] - start
    ranks = running[:-1] - start[member]
    if ordered_bins:
        ranks = ranks + (xp.cumsum(totals, axis=1) - totals)[member]
    return ranks, totals


def generate(arrays: Arrays) -> None:
    """Makes ages, households, classes, teams, appointments and the community graph of every member.

    Raises CivlabError WORLD_TOO_LARGE if a member's contacts cannot be numbered in 32 bits.
    """
    backend = arrays.backend
    arrays.run("epidemic_households", "tile")
    ranks, _ = tile_ranks(arrays, arrays.column["key_rank"].reshape(-1, KEYS), ordered_bins=True)
    arrays.put("key_rank", ranks.astype("u4").reshape(-1))
    arrays.run("epidemic_ages", "tile")
    ranks, totals = tile_ranks(arrays, arrays.column["tally_rank"].reshape(-1, TALLIES), ordered_bins=False)
    arrays.put("tally_rank", ranks.astype("u4").reshape(-1))
    arrays.put("tally_total", totals.astype("u4").reshape(-1))
    host = backend.download(totals)
    edges = host[:, :GROUPS].sum(axis=1)
    places = host[:, GROUPS : GROUPS + AGES + 1].sum(axis=1)
    if int(edges.max(initial=0)) >= 1 << 31:
        message = "a member has 2^31 contacts or more; lower the degree or the population"
        raise CivlabError("WORLD_TOO_LARGE", "contacts.community.degree", message)
    arrays.sizes["edge"] = int(edges.sum())
    arrays.sizes["place"] = int(places.sum())
    for kind, counts in (("edge", edges), ("place", places)):
        first = np.cumsum(counts) - counts
        arrays.lay_out(kind, first=first, count=counts)
        arrays.put(f"member_{kind}", backend.upload(first.astype("u8")))
    for name in ("stub_owner", "neighbour", "place_member"):
        arrays.allocate(name)
    arrays.run("epidemic_blocks", "member")
    arrays.run("epidemic_places", "tile")
    arrays.run("epidemic_connect", "tile")
    backend.finish()
    for name in AFTER_GENERATION:
        arrays.release(name)
