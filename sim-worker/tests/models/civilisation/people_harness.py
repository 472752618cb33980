"""A world of people without an economy: regions in a row, each with citizens, households and a firm for every good, on
which the phases of a round run alone.

It lays out only what the rounds of people read, so that their laws can be tested without a market in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from civlab.models.civilisation import layout
from civlab.models.civilisation.compile_people import citizens_of_household, fill_people
from civlab.models.civilisation.layout_economy import SCENARIO
from civlab.models.civilisation.layout_land import LAND, YEAR
from civlab.models.civilisation.layout_people import PEOPLE
from civlab.models.civilisation.metrics import METRICS
from civlab.models.civilisation.phases_people import PEOPLE_PHASES
from civlab.runtime.arrays import Arrays, tiles_of
from civlab.runtime.backend import Backend
from civlab.runtime.model import Model
from parpour_contracts.scenario.civilisation.people import PeopleSection

CENTRE = layout.REACH // 2
GOODS = len(layout.GOODS)
MONEY = 1_000_003
"""What each founding household holds: no multiple of small numbers."""


def never(*_: Any, **__: Any) -> NoReturn:
    """Stands where the whole model has something to do."""
    raise AssertionError("not part of the rounds of people")


PEOPLE_ALONE = Model(
    name="civilisation",
    kinds=layout.KINDS,
    columns=layout.COLUMNS,
    scalars=layout.SCALARS,
    structures=(SCENARIO, PEOPLE, LAND, YEAR),
    phases=PEOPLE_PHASES,
    chained=layout.CHAINED,
    metrics=METRICS,
    compile=never,
    arrange=never,
    generate=never,
    fault=never,
    constants=layout.CONSTANTS,
    enumerations=layout.ENUMERATIONS,
)


def padded(count: np.ndarray) -> np.ndarray:
    """Slots: so many, and up to whole runs."""
    return (count // layout.PAD + 1) * layout.PAD


def people_row(section: PeopleSection) -> np.ndarray:
    """One compiled record."""
    record = np.zeros(1, PEOPLE.dtype())
    fill_people(record[0], section)
    return record


def world_of_people(
    settled: Sequence[int],
    section: PeopleSection | None = None,
    *,
    backend: Backend,
    members: int = 1,
    seed: int = 7,
    room: float = 1.5,
    homes: float = 1.3,
    nations: Sequence[int] | None = None,
) -> Arrays:
    """Members that are alike, each with regions of so many citizens in a row, generated; every founding household holds
    MONEY and every second adult of working age has a job. `room` is slots over citizens, `homes` households' slots over
    founding households, by as much room."""
    section = section or PeopleSection()
    regions = len(settled)
    counts = np.tile(np.array(settled, "i8"), members)
    nation = np.array(nations or [0] * regions, "u1")
    citizens = padded((counts * room).astype("i8"))
    households = padded((counts * room / float(citizens_of_household(section)) * homes).astype("i8"))
    first = np.cumsum(citizens) - citizens
    first_household = np.cumsum(households) - households
    of_member = np.repeat(np.arange(members), regions)
    by_member = [slice(m * regions, (m + 1) * regions) for m in range(members)]
    tiles = tiles_of(first, citizens, tile=layout.TILE)
    blocks = tiles_of(first_household, households, tile=layout.TILE)
    firm = np.arange(members * regions) * GOODS
    row_of = np.arange(regions)
    reach = np.zeros((members * regions, layout.REACH), "u4")
    for distance in range(-3, 4):
        other = np.tile(row_of + distance, members)
        reach[:, CENTRE + distance] = np.where((other >= 0) & (other < regions), other + 1, 0)
    scenario = np.zeros(1, SCENARIO.dtype())
    scenario["retirement"] = section.retirement
    sizes = {
        "citizen": int(citizens.sum()),
        "household": int(households.sum()),
        "firm": members * regions * GOODS,
        "region": members * regions,
        "nation": members * (int(nation.max()) + 1),
        "bank": members,
        "crowd": members * regions,
        "switch": 0,
        "member": members,
        "tile": len(tiles[0]),
        "block": len(blocks[0]),
        "cluster": members * regions,
        "scenario": 1,
        "year": 1,
        "tick": 8,
    }
    arrays = Arrays.empty(PEOPLE_ALONE, backend=backend, seed=seed, sizes=sizes)
    plan = {
        "tile_member": of_member[tiles[0]],
        "tile_region": tiles[0],
        "tile_begin": tiles[1],
        "tile_end": tiles[2],
        "block_member": of_member[blocks[0]],
        "block_region": blocks[0],
        "block_begin": blocks[1],
        "block_end": blocks[2],
        "cluster_member": of_member,
        "cluster_begin": firm,
        "cluster_end": firm + GOODS,
        "region_citizen": np.stack([first, first + citizens], axis=1).reshape(-1),
        "region_household": np.stack([first_household, first_household + households], axis=1).reshape(-1),
        "member_citizen": [first[part][0] for part in by_member],
        "member_citizens": [citizens[part].sum() for part in by_member],
        "member_household": [first_household[part][0] for part in by_member],
        "member_households": [households[part].sum() for part in by_member],
        "member_firm": np.arange(members) * regions * GOODS,
        "member_firms": [regions * GOODS] * members,
        "member_region": np.arange(members) * regions,
        "member_regions": [regions] * members,
        "member_nation": np.arange(members) * (int(nation.max()) + 1),
        "member_nations": [int(nation.max()) + 1] * members,
        "member_crowd": np.arange(members) * regions,
        "member_crowds": [regions] * members,
        "region_switch": np.zeros(2 * members * regions),
        "member_bank": np.arange(members),
        "member_banks": [1] * members,
        "member_stream": np.arange(members),
        "member_scenario": [0] * members,
        "region_settled": counts,
        "reach": reach.reshape(-1),
    }
    arrays.upload({name: np.asarray(values, "u4") for name, values in plan.items()})
    arrays.upload({"region_nation": np.tile(nation, members), "scenario": scenario, "people": people_row(section)})
    arrays.upload({"level": np.full(sizes["nation"], 10_000, "u8"), "wage": np.full(sizes["region"], 500, "u8")})
    for kind in layout.KINDS:
        arrays.lay_out(kind.name, first=np.array(plan[kind.first]), count=np.array(plan[kind.count or kind.first]))
    arrays.allocate_rest()
    arrays.run("civilisation_populate", "cluster")
    backend.finish()
    begin(arrays, section)
    return arrays


def begin(arrays: Arrays, section: PeopleSection) -> None:
    """Gives founders money and jobs, and takes the digests of what then is."""
    column = {name: arrays.backend.download(arrays.column[name]).copy() for name in arrays.column}
    column["deposit"][column["size"] > 0] = MONEY
    column["income"][column["size"] > 0] = 700
    weeks = layout.EPOCH - column["born"].astype("i8")
    able = (column["household"] > 0) & (weeks >= 52 * layout.ADULT) & (weeks < 52 * section.retirement)
    hired = np.flatnonzero(able & ((column["traits"] >> 3 & 3) < 2))[::2]
    region = column["tile_region"][np.searchsorted(column["tile_begin"], hired, side="right") - 1].astype("i8")
    firm = column["cluster_begin"][region] + hired % GOODS
    member = column["cluster_member"][region]
    column["employer"][hired] = firm - column["member_firm"][member] + 1
    np.add.at(column["staff"], firm * 3 + (column["traits"][hired] >> 1 & 3), 1)
    arrays.upload({name: column[name] for name in ("deposit", "income", "employer", "staff")})
    arrays.put("column_digest", arrays.column["column_digest"] * 0)
    arrays.upload({"column_digest": recounted(arrays)})


def recounted(arrays: Arrays) -> np.ndarray:
    """The digests of all dynamic columns, counted in full."""
    arrays.allocate("column_recount")
    for kind in PEOPLE_ALONE.recounted:
        arrays.run(f"civilisation_recount_{kind.name}", kind.tiles or "member")
    arrays.backend.finish()
    return arrays.backend.download(arrays.column["column_recount"]).copy()


def run_round(arrays: Arrays, number: int) -> dict[str, np.ndarray]:
    """One round of people, and what it added up by region; the cells are cleared."""
    weeks = int(arrays.backend.download(arrays.column["people"])[0]["round"])
    tick = weeks * (number + 1) - 1
    for phase in PEOPLE_PHASES:
        arrays.run(phase.kernel, phase.over, tick)
    arrays.backend.finish()
    vital = arrays.backend.download(arrays.column["vital"]).reshape(-1, len(layout.VITALS)).copy()
    arrays.put("vital", arrays.column["vital"] * 0)
    return {name: vital[:, number] for number, name in enumerate(layout.VITALS)}


def state(arrays: Arrays, *names: str) -> dict[str, np.ndarray]:
    """Copies of columns: by default all that the rounds change."""
    wanted = names or sorted({name for phase in PEOPLE_PHASES for name in phase.writes})
    return {name: arrays.backend.download(arrays.column[name]).copy() for name in wanted}
