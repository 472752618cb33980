"""Lays a batch of worlds out and founds them: the map first, then people, firms and their accounts.

How many slots people and firms need follows from the map, so the host reads the regions' numbers back once and plans
the rest; everything else is made by kernels, the first jobs by the same ones that match people and jobs in every week.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from civlab.errors import CivlabError
from civlab.models.civilisation.compile import CompiledCivilisation
from civlab.models.civilisation.geography import survey
from civlab.models.civilisation.layout import GOODS, PAD, TILE
from civlab.models.civilisation.zoom import switches
from civlab.runtime.arrays import Arrays, MemberSpec, shared_scenarios, tiles_of
from civlab.runtime.backend import Backend
from civlab.runtime.model import Model

FOUNDING = 0xFFFFFFFF
"""The tick under which the first jobs are matched: no real one, so that no draw is used twice."""
EMPTIED = ("phase_digest", "vital", "seeking", "tile_seekers", "joined", "pay", "census")
"""Cells that founding leaves full."""
FUEL_AT_START = 1 << 63
"""Most fuel, mJ, that a region may take from the ground in a week of the start: two thirds of `layout.HIGHEST_FLOW`."""
Specs = Sequence[MemberSpec[CompiledCivilisation]]


def arrange(model: Model, members: Specs, *, seed: int, backend: Backend) -> Arrays:
    """Empty arrays of what is known before the maps are drawn: members, nations, banks, regions."""
    scenarios, scenario_of = shared_scenarios(members)
    plan = {
        "scenario": np.concatenate([scenario.record for scenario in scenarios]),
        "people": np.concatenate([scenario.people for scenario in scenarios]),
        "lands": np.concatenate([scenario.lands for scenario in scenarios]),
        "year": np.concatenate([scenario.years for scenario in scenarios]),
        "member_scenario": scenario_of,
        "member_stream": np.array([member.stream for member in members], "u4"),
        "parameters": np.array(
            [member.scenario.sets[member.stream % len(member.scenario.sets)] for member in members], "f8"
        ).reshape(-1),
    }
    rows = np.array([len(scenario.years) for scenario in scenarios])
    plan["lands"]["year_first"] = np.cumsum(rows) - rows
    records = [member.scenario.record[0] for member in members]
    regions = np.array([int(member.scenario.lands["regions"][0]) for member in members])
    nations = np.array([int(record["nations"]) for record in records])
    of_banks = [record["banks"][: int(record["nations"])].astype("i8") for record in records]
    banks = np.array([int(number.sum()) for number in of_banks])
    plan["bank_nation"] = np.concatenate([np.repeat(np.arange(len(number)), number) for number in of_banks]).astype(
        "u1"
    )
    sizes = {
        "member": len(members),
        "scenario": len(scenarios),
        "year": int(rows.sum()),
        "tick": members[0].scenario.ticks,
        "region": int(regions.sum()),
        "cluster": int(regions.sum()),
        "market": int(regions.sum()) * len(GOODS),
        "nation": int(nations.sum()),
        "bank": int(banks.sum()),
    }
    arrays = Arrays.empty(model, backend=backend, seed=seed, sizes=sizes)
    for kind, count in (("region", regions), ("nation", nations), ("bank", banks)):
        first = np.cumsum(count) - count
        arrays.lay_out(kind, first=first, count=count)
        plan[f"member_{kind}"], plan[f"member_{kind}s"] = first.astype("u4"), count.astype("u4")
    plan["cluster_member"] = np.repeat(np.arange(len(members)), regions).astype("u4")
    arrays.record["regions"], arrays.record["nations"] = sizes["region"], sizes["nation"]
    arrays.upload(plan)
    arrays.allocate_rest()
    return arrays


def generate(arrays: Arrays, members: Specs) -> None:
    """Draws maps, lays people and firms out, and founds the economy.

    Raises CivlabError WORLD_TOO_LARGE if the slots cannot be numbered in 32 bits, or a region's fuel of a week not be
    counted in 64.
    """
    settled = survey(arrays).astype("i8")
    region_member = np.repeat(np.arange(len(members)), arrays.segments["region"].count)
    limit_regions(members, settled, region_member)
    lay_out_people(arrays, members, settled, region_member)
    lay_out_firms(arrays, members, settled, region_member)
    lay_out_crowds(arrays, members, settled, region_member)
    arrays.allocate_rest()
    for kernel, over in (
        ("prepare_climate", "member"),
        ("populate", "cluster"),
        ("open", "member"),
        ("muster", "tile"),
        ("found", "cluster"),
        ("rank", "cluster"),
    ):
        arrays.run(f"civilisation_{kernel}", over)
    arrays.run("civilisation_hire", "tile", FOUNDING)
    for kernel, over in (
        ("endow", "cluster"),
        ("attract", "member"),
        ("pay", "tile"),
        ("save", "block"),
        ("constitute", "member"),
    ):
        arrays.run(f"civilisation_{kernel}", over)
    arrays.backend.finish()
    for name in EMPTIED:
        arrays.allocate(name)


def limit_regions(members: Specs, settled: np.ndarray, region_member: np.ndarray) -> None:
    """Raises WORLD_TOO_LARGE where a region has more citizens than its flows of fuel leave room for."""
    for number, member in enumerate(members):
        largest, most = int(settled[region_member == number].max()), most_citizens(member.scenario)
        if largest > most:
            message = (
                f"a region has {largest} citizens, but flows of fuel are counted up to those of {most}: take fewer "
                "citizens, more regions (world.map.regions) or a lower world.settlement.exponent"
            )
            raise CivlabError("WORLD_TOO_LARGE", "population.size", message)


def most_citizens(scenario: CompiledCivilisation) -> int:
    """Citizens of a region for whose fuel its flows leave room at the start."""
    return FUEL_AT_START // max(int(scenario.lands["fuel_use"][0]), 1)


def room(members: Specs, region_member: np.ndarray, entities: np.ndarray) -> np.ndarray:
    """Slots for the entities of each region: those of the start, the scenario's share more, and whole runs of PAD."""
    share = np.array([member.scenario.room for member in members])[region_member]
    return np.asarray((entities + entities * share // 1000 + PAD - 1) // PAD * PAD + PAD, "i8")


def segment(arrays: Arrays, kind: str, slots: np.ndarray, region_member: np.ndarray) -> np.ndarray:
    """Lays a kind out in segments by region; first slot of each region, int64. Raises WORLD_TOO_LARGE."""
    first = np.cumsum(slots) - slots
    if int(slots.sum()) >= 1 << 32:
        raise CivlabError("WORLD_TOO_LARGE", "population.size", "too many citizens in one batch; use more shards")
    bounds = np.searchsorted(region_member, np.arange(arrays.sizes["member"] + 1))
    ends = np.append(first, slots.sum())[bounds]
    arrays.sizes[kind] = int(slots.sum())
    arrays.lay_out(kind, first=ends[:-1], count=np.diff(ends))
    arrays.upload({f"member_{kind}": ends[:-1].astype("u4"), f"member_{kind}s": np.diff(ends).astype("u4")})
    placed: np.ndarray = first
    return placed


def lay_out_people(arrays: Arrays, members: Specs, settled: np.ndarray, region_member: np.ndarray) -> None:
    """Segments and tiles of citizens and households."""
    for kind, tiles, slots in (
        ("citizen", "tile", room(members, region_member, settled)),
        ("household", "block", room(members, region_member, settled * 3 // 4)),
    ):
        first = segment(arrays, kind, slots, region_member)
        region, begin, end = tiles_of(first, slots, tile=TILE)
        arrays.sizes[tiles] = len(region)
        arrays.upload(
            {
                f"{tiles}_member": region_member[region].astype("u4"),
                f"{tiles}_region": region.astype("u4"),
                f"{tiles}_begin": begin.astype("u4"),
                f"{tiles}_end": end.astype("u4"),
                f"region_{kind}": np.stack([first, first + slots], axis=1).astype("u4").reshape(-1),
            }
        )
        if kind == "citizen":
            bounds = np.searchsorted(region, np.arange(len(slots) + 1))
            arrays.upload({"region_tile": np.stack([bounds[:-1], bounds[1:]], axis=1).astype("u4").reshape(-1)})


def lay_out_firms(arrays: Arrays, members: Specs, settled: np.ndarray, region_member: np.ndarray) -> None:
    """Firms by region and industry: every region has one of each industry at least, the rest go by people and jobs."""
    counts = np.zeros((len(settled), len(GOODS)), "i8")
    for number, member in enumerate(members):
        regions = np.flatnonzero(region_member == number)
        record = member.scenario.record[0]
        spare = int(record["firms"]) - len(regions) * len(GOODS)
        for region, firms in zip(regions, largest_remainder(spare, settled[regions]), strict=True):
            counts[region] = 1 + largest_remainder(int(firms), record["employment"])
    slots = counts.sum(axis=1)
    first = segment(arrays, "firm", slots, region_member)
    begin = first[:, None] + np.concatenate([np.zeros((len(slots), 1), "i8"), np.cumsum(counts, axis=1)], axis=1)
    arrays.upload(
        {
            "cluster_begin": first.astype("u4"),
            "cluster_end": (first + slots).astype("u4"),
            "industry_begin": begin.astype("u4").reshape(-1),
            "industry": np.concatenate([np.repeat(np.arange(len(GOODS)), row) for row in counts]).astype("u1"),
            "bank": banks_of_firms(arrays, members, region_member, slots),
        }
    )


def lay_out_crowds(arrays: Arrays, members: Specs, settled: np.ndarray, region_member: np.ndarray) -> None:
    """A crowd for each region of a member with changes of zoom, and when regions make them."""
    nation = np.asarray(arrays.backend.download(arrays.column["region_nation"])).astype("i8")
    weeks: list[list[int]] = []
    for number, member in enumerate(members):
        here, form = region_member == number, member.scenario
        weeks += switches(form.changes, settled=settled[here], nation=nation[here], names=form.nations)
    ends = np.cumsum([len(of_region) for of_region in weeks])
    bounds = np.stack([ends - [len(of_region) for of_region in weeks], ends], axis=1)
    regions = arrays.segments["region"].count
    count = np.where([bool(member.scenario.changes) for member in members], regions, 0)
    first = np.cumsum(count) - count
    arrays.sizes["crowd"], arrays.sizes["switch"] = int(count.sum()), int(ends[-1])
    arrays.lay_out("crowd", first=first, count=count)
    arrays.upload(
        {
            "member_crowd": first.astype("u4"),
            "member_crowds": count.astype("u4"),
            "region_switch": bounds.astype("u4").reshape(-1),
            "switch_week": np.array([week for of_region in weeks for week in of_region], "u4"),
        }
    )


def banks_of_firms(arrays: Arrays, members: Specs, region_member: np.ndarray, slots: np.ndarray) -> np.ndarray:
    """The bank of each firm, within the member: its nation's in turn, u2 [firms]."""
    nation = np.asarray(arrays.backend.download(arrays.column["region_nation"])).astype("i8")
    within = np.arange(len(slots)) - np.searchsorted(region_member, region_member)
    found = []
    for region, firms in enumerate(slots):
        banks = members[region_member[region]].scenario.record[0]["banks"].astype("i8")
        first = int(banks[: nation[region]].sum())
        found.append(first + (np.arange(firms) + within[region]) % banks[nation[region]])
    return np.concatenate(found).astype("u2")


def largest_remainder(total: int, weights: np.ndarray) -> np.ndarray:
    """Splits a whole number by weights, the lowest index first among equal remainders; int64."""
    exact = [total * int(weight) for weight in weights]
    whole = sum(int(weight) for weight in weights)
    shares = np.array([part // whole for part in exact], "i8")
    order = sorted(range(len(exact)), key=lambda place: (-(exact[place] % whole), place))
    shares[order[: total - int(shares.sum())]] += 1
    return shares
