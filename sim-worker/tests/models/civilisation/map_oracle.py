"""An independent cartographer: plain Python integers and floats, by the rules of model.md, no code shared with kernels.

It grows land, nations and citizens by sets and sorted lists where the kernels walk arrays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from civlab.models.civilisation.layout import DRAWS, LANDS, WEEKS, ZONES

from ..epidemic_oracle import philox

DRAW = {name: number for number, name in enumerate(DRAWS, 1)}
SHARED = 0xFFFFFFFF
COLUMN, ROW = 56756, 98304
"""Half a column and a row of the map in 65,536ths of a hexagon's side."""
DISC = [(q, r) for r in range(-3, 4) for q in range(-3, 4) if -3 <= q + r <= 3]


def apportion(total: int, weights: list[int]) -> list[int]:
    """Largest remainders, by fractions."""
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    exact = [Fraction(total * weight, whole) for weight in weights]
    shares = [int(part) for part in exact]
    order = sorted(range(len(weights)), key=lambda place: (shares[place] - exact[place], place))
    for place in order[: total - sum(shares)]:
        shares[place] += 1
    return shares


def smooth(t: int) -> int:
    """A smooth step in Q16."""
    return (t * t // 65536) * (3 * 65536 - 2 * t) // 65536


@dataclass
class Cartographer:
    """One member's map; `land` is the compiled record."""

    land: np.void
    seed: int
    stream: int
    height: dict[int, int] = field(default_factory=dict)
    nation: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.columns, self.rows = int(self.land["width"]), int(self.land["height"])
        self.reach = int(self.land["straits"]) + 1
        self.height = {cell: self.terrain(cell) for cell in range(self.columns * self.rows)}
        self.cells = self.raised()
        self.coast = self.inland()
        self.nation = self.divided()
        self.regions = sorted(self.cells, key=lambda cell: (self.nation[cell], cell))
        low, high = (f(self.height[cell] for cell in self.cells) for f in (min, max))
        relief = int(self.land["relief"])
        self.metres = {cell: (self.height[cell] - low) * relief // (high - low or 1) for cell in self.cells}

    def draw(self, name: str, entity: int, number: int) -> tuple[int, int, int, int]:
        """Four words of a named draw."""
        stream = SHARED if self.land["shared"] else self.stream
        return philox((self.seed & 0xFFFFFFFF, self.seed >> 32), (entity, 0, DRAW[name] << 24 | number, stream))

    def axial(self, cell: int) -> tuple[int, int]:
        """q and r of a cell."""
        row, column = divmod(cell, self.columns)
        return column - row // 2, row

    def apart(self, a: int, b: int) -> int:
        """Cells from one to another: the greatest difference of the three cube coordinates."""
        (qa, ra), (qb, rb) = self.axial(a), self.axial(b)
        return max(abs(qa - qb), abs(ra - rb), abs(qa + ra - qb - rb))

    def near(self, cell: int, within: int) -> list[int]:
        """Cells of the map within some distance, itself left out."""
        q, r = self.axial(cell)
        found = []
        for dq, dr in DISC:
            column = q + dq + (r + dr) // 2
            if 0 <= r + dr < self.rows and 0 <= column < self.columns:
                other = (r + dr) * self.columns + column
                if 0 < self.apart(cell, other) <= within:
                    found.append(other)
        return found

    def terrain(self, cell: int) -> int:
        """Fractal noise less a bowl."""
        row, column = divmod(cell, self.columns)
        extent = ((2 * self.columns + 1) * COLUMN, self.rows * ROW)
        at = ((2 * column + row % 2 + 1) * COLUMN, row * ROW + ROW // 2)
        edge = max(abs(2 * a - e) * 65536 // e for a, e in zip(at, extent, strict=True))
        bowl = (edge * edge // 65536) ** 2 // 65536
        spacing, amplitude, total, octave = max(extent) // 3 + 1, 4096, 0, 0
        while octave < 12 and spacing >= ROW and amplitude:
            (x, fx), (y, fy) = (divmod(a, spacing) for a in at)
            east, south = smooth(fx * 65536 // spacing), smooth(fy * 65536 // spacing)
            north_side, south_side = (
                self.mixed(self.lattice(octave, x, line), self.lattice(octave, x + 1, line), east)
                for line in (y, y + 1)
            )
            total += amplitude * self.mixed(north_side, south_side, south)
            amplitude = amplitude * int(self.land["roughness"]) // 65536
            spacing //= 2
            octave += 1
        return total + (65536 - bowl) * 2048

    def lattice(self, octave: int, x: int, y: int) -> int:
        """Sixteen random bits of a lattice point."""
        return self.draw("terrain", y << 16 | x, octave)[0] >> 16

    @staticmethod
    def mixed(a: int, b: int, weight: int) -> int:
        """Part of the way from a to b."""
        return (a * (65536 - weight) + b * weight) // 65536

    def raised(self) -> set[int]:
        """Cells of land."""
        order = sorted(self.height, key=lambda cell: (-self.height[cell], cell))
        land = {order[0]}
        while len(land) < self.land["regions"]:
            open_cells = {other for cell in land for other in self.near(cell, self.reach)} - land
            land.add(min(open_cells, key=lambda cell: (-self.height[cell], cell)))
        return land

    def inland(self) -> dict[int, int]:
        """Cells from the sea, 1 on the coast."""
        beyond = set(self.cells)
        found: dict[int, int] = {}
        ring = 1
        while beyond:
            shore = {cell for cell in beyond if len([o for o in self.near(cell, 1) if o in beyond]) < 6}
            found.update(dict.fromkeys(shore, ring))
            beyond -= shore
            ring += 1
        return found

    def furthest(self, others: list[int]) -> int:
        """The cell furthest from all others; the lowest among equals."""
        return max(sorted(self.cells), key=lambda cell: (min(self.apart(cell, other) for other in others), -cell))

    def divided(self) -> dict[int, int]:
        """Each cell's nation."""
        share = [int(part) for part in self.land["share"][: self.land["nations"]]]
        seeds = [self.furthest([max(self.cells, key=lambda cell: (self.height[cell], -cell))])]
        while len(seeds) < len(share):
            seeds.append(self.furthest(seeds))
        owner = {seed: k for k, seed in enumerate(seeds)}
        free = self.cells - set(seeds)
        shut: set[int] = set()
        while free:
            k = min(set(range(len(share))) - shut, key=lambda k: (Fraction(self.count(owner, k), share[k]), k))
            border = [cell for cell in free if any(owner.get(other) == k for other in self.near(cell, self.reach))]
            if not border:
                shut.add(k)
                continue
            cell = min(border, key=lambda c: (2 * self.apart(c, seeds[k]) + self.height[c] % 4, c))
            owner[cell] = k
            free.remove(cell)
        self.balance(owner, seeds, [1 + part for part in apportion(len(self.cells) - len(share), share)])
        return owner

    @staticmethod
    def count(owner: dict[int, int], k: int) -> int:
        """Regions of a nation."""
        return sum(1 for other in owner.values() if other == k)

    def balance(self, owner: dict[int, int], seeds: list[int], quota: list[int]) -> None:
        """Moves cells along borders until each nation has its number, as far as all stay in one piece."""
        nations = range(len(quota))
        refused: set[tuple[int, int]] = set()
        for _ in range(8 * len(owner)):
            excess = [self.count(owner, k) - quota[k] for k in nations]
            beside = {(owner[a], owner[b]) for a in owner for b in self.near(a, self.reach) if b in owner} - refused
            way = self.ways(excess, beside)
            short = [k for k in nations if way[k] < math.inf and excess[k] < 0]
            if not short:
                return
            taker = min(short, key=lambda k: (excess[k], k))
            givers = [k for k in nations if k != taker and (k, taker) in beside and way[k] < way[taker]]
            giver = min(givers, key=lambda k: (way[k], -k))
            for cell in sorted(owner, key=lambda c: (self.apart(c, seeds[taker]), c)):
                if owner[cell] == giver and self.touches(owner, cell, taker) and self.whole_without(owner, cell):
                    owner[cell] = taker
                    refused = set()
                    break
            else:
                refused.add((giver, taker))

    @staticmethod
    def ways(excess: list[int], beside: set[tuple[int, int]]) -> list[float]:
        """Steps from each nation to one that has too many."""
        way = [0.0 if more > 0 else math.inf for more in excess]
        for _ in excess:
            for giver, taker in beside:
                way[taker] = min(way[taker], way[giver] + 1)
        return way

    def touches(self, owner: dict[int, int], cell: int, nation: int) -> bool:
        """Whether a nation is near a cell."""
        return any(owner.get(other) == nation for other in self.near(cell, self.reach))

    def whole_without(self, owner: dict[int, int], cell: int) -> bool:
        """Whether the cell's nation stays in one piece without it, and is left with something."""
        rest = {other for other, nation in owner.items() if nation == owner[cell] and other != cell}
        return bool(rest) and self.connected(rest)

    def connected(self, cells: set[int]) -> bool:
        """Whether one gets from any cell to any other over straits."""
        start = min(cells)
        seen, edge = {start}, [start]
        while edge:
            step = [other for other in self.near(edge.pop(), self.reach) if other in cells and other not in seen]
            seen.update(step)
            edge += step
        return seen == cells

    def kilometres(self, cell: int) -> int:
        """From the middle of a cell to the coast."""
        return (2 * self.coast[cell] - 1) * int(self.land["pitch"]) // 2

    def zone(self, cell: int) -> str:
        """Climate zone."""
        south, north = int(self.land["sine_south"]), int(self.land["sine_north"])
        above = 2 * (self.rows - 1 - cell // self.columns) + 1
        part = int(Fraction((north - south) * above, 2 * self.rows))
        sine = (south + part) // 65536
        mean = 14970 - 28000 * (3 * sine * sine // 65536 - 65536) // 131072 - 6500 * self.metres[cell] // 1000
        swing = abs(sine) * (12000 + 12 * min(self.kilometres(cell), 1000)) // 65536
        if mean + swing < 10000:
            return "polar"
        if 16962 < abs(sine) < 42126 and self.kilometres(cell) > 300 and self.metres[cell] < 1500:
            return "arid"
        if mean - swing >= 18000:
            return "tropical"
        return "temperate" if mean - swing > 0 else "continental"

    def score(self, cell: int) -> float:
        """Suitability of a site and its draw."""
        words = self.draw("settlement", cell, 0)
        u = ((words[1] << 32 | words[0]) // 4096 + 0.5) / 2**52
        by_zone = {"temperate": 0.5, "tropical": 0.0, "polar": -4.0, "arid": -1.0, "continental": -1.0}
        shore = 1.1 if self.coast[cell] == 1 or self.kilometres(cell) < 100 else 0.0
        return by_zone[self.zone(cell)] + shore - self.metres[cell] / 1000 - math.log(-math.log(u))

    def settled(self) -> dict[int, int]:
        """Citizens of each cell of land."""
        total, nations = int(self.land["citizens"]), int(self.land["nations"])
        least = min(int(self.land["minimum"]), total // len(self.cells))
        regions = [[cell for cell in self.regions if self.nation[cell] == k] for k in range(nations)]
        due = apportion(total, [int(part) for part in self.land["share"][:nations]])
        beyond = [max(0, part - least * len(cells)) for part, cells in zip(due, regions, strict=True)]
        spare = apportion(total - least * len(self.cells), beyond)
        found: dict[int, int] = {}
        for cells, more in zip(regions, spare, strict=True):
            ranked = sorted(cells, key=lambda cell: (-self.score(cell), cell))
            weights = [
                max(1, round(2**32 * rank ** -float(self.land["exponent"]))) for rank in range(1, len(cells) + 1)
            ]
            above = len(ranked)
            while above > 1:
                left = more + least * above
                if left * weights[above - 1] >= least * sum(weights[:above]):
                    break
                above -= 1
            citizens = apportion(more + least * above, weights[:above]) + [least] * (len(ranked) - above)
            found.update(zip(ranked, citizens, strict=True))
        return found

    def used(self, settled: dict[int, int]) -> dict[int, list[int]]:
        """km2 of each use by cell."""
        area = int(self.land["area"])
        built = apportion(
            int(self.land["settled"]) * area * len(self.cells) >> 31, [settled[cell] for cell in self.regions]
        )
        mined = int(self.land["mined"]) * area >> 31
        found = {}
        for cell, share in zip(self.regions, built, strict=True):
            towns = min(share, area // 2)
            farmed = int(self.land["farmed"][ZONES.index(self.zone(cell))]) * (area - towns - mined) >> 31
            uses = {"settled": towns, "mined": mined, "farmed": farmed, "wild": area - towns - mined - farmed}
            found[cell] = [uses[name] for name in LANDS]
        return found

    def fuel(self, cell: int, citizens: int) -> int:
        """mJ of fuel in the ground."""
        number = 0
        while True:
            words = self.draw("reserve", cell, number)
            u, v = ((word - 2147483647.5) / 2**31 for word in words[:2])
            square = u * u + v * v
            if 0 < square < 1:
                break
            number += 1
        deviate, spread = u * math.sqrt(-2 * math.log(square) / square), float(self.land["fuel_spread"])
        factor = int(math.exp(spread * deviate - spread * spread / 2) * 65536 + 0.5)
        years = int(self.land["fuel_years"]) * factor >> 16
        return (citizens * WEEKS * int(self.land["fuel_use"]) >> 16) * years >> 16
