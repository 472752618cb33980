"""An independent round of people: citizens and households as objects that know each other, in plain Python integers.

Nothing is an index here and nothing is marked: a household that moves is still the same household, so links need no
rewriting and only death and marriage change them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from civlab.models.civilisation.layout import ADULT, DRAWS, EPOCH, REACH, SKILLS, WEEKS

from ..epidemic_oracle import philox

DRAW = {name: number for number, name in enumerate(DRAWS, 1)}
DISC = [(q, r) for r in range(-3, 4) for q in range(-3, 4) if abs(q + r) <= 3]
COUNTED = ("births", "deaths", "arrivals", "departures", "estates", "inherited", "unclaimed")
OF_CITIZENS = ("born", "household", "traits", "employer")
OF_HOUSEHOLDS = ("deposit", "income", "origin_a", "origin_b", "size", "generation")
SIXTEENTH, SIXTEEN = 1 << 12, 1 << 20


@dataclass(eq=False)
class Household:
    """Who shares an account; `origins` are the households that its partners came from."""

    region: int
    slot: int
    deposit: int = 0
    income: int = 0
    generation: int = 0
    origins: list[Household | None] = field(default_factory=lambda: [None, None])
    members: list[Citizen] = field(default_factory=list)
    merged: Household | None = None
    ended: bool = False


@dataclass(eq=False)
class Citizen:
    """One person."""

    region: int
    slot: int
    born: int
    woman: bool
    skill: int
    health: int
    partnered: bool
    child: bool
    household: Household
    firm: int | None


class PeopleOracle:
    """One member's people, taken from its columns at some tick and then lived on round by round."""

    def __init__(self, columns: dict[str, Any], *, seed: int, stream: int) -> None:
        c = self.columns = {
            name: [int(x) for x in values] for name, values in columns.items() if values.dtype.names is None
        }
        self.people, self.scenario = columns["people"][0], columns["scenario"][0]
        self.weeks = int(self.people["round"])
        self.seed, self.stream = seed, stream
        self.regions = len(c["region_nation"])
        self.households: dict[int, Household] = {}
        for region in range(self.regions):
            for slot in range(*c["region_household"][2 * region : 2 * region + 2]):
                if c["size"][slot]:
                    self.households[slot] = Household(
                        region, slot, c["deposit"][slot], c["income"][slot], c["generation"][slot]
                    )
        for slot, household in self.households.items():
            links = (c["origin_a"][slot], c["origin_b"][slot])
            household.origins = [self.households[link - 1] if link else None for link in links]
        self.citizens: dict[int, Citizen] = {}
        for region in range(self.regions):
            for slot in range(*c["region_citizen"][2 * region : 2 * region + 2]):
                if c["household"][slot]:
                    bits, home = c["traits"][slot], self.households[c["household"][slot] - 1]
                    firm = c["employer"][slot] - 1 if c["employer"][slot] else None
                    what = bool(bits & 1), bits >> 1 & 3, bits >> 3 & 3, bool(bits & 32), bool(bits & 64)
                    self.citizens[slot] = Citizen(region, slot, c["born"][slot], *what, home, firm)
                    home.members.append(self.citizens[slot])
        self.rules: Counter[str] = Counter()
        self.vital = [dict.fromkeys(COUNTED, 0) for _ in range(self.regions)]

    def block(self, name: str, entity: int) -> tuple[int, int, int, int]:
        """Four words of a named draw in this tick."""
        return philox((self.seed & 0xFFFFFFFF, self.seed >> 32), (entity, self.tick, DRAW[name] << 24, self.stream))

    def drawn(self, name: str, entity: int) -> int:
        """The first 64 bits of a draw."""
        words = self.block(name, entity)
        return words[1] << 32 | words[0]

    def of_region(self, region: int, event: str) -> list[Citizen]:
        """Whom something befalls, in order."""
        return sorted(
            (c for c, what in self.event.items() if what == event and c.region == region), key=lambda c: c.slot
        )

    def round(self, tick: int) -> None:
        """All that happens in a round."""
        self.tick = tick
        self.taken = set(self.households)
        self.event: dict[Citizen, str] = {}
        self.may_work, self.work = [0] * self.regions, [0] * self.regions
        for citizen in list(self.citizens.values()):
            self.live(citizen)
        for region in range(self.regions):
            self.bury(region)
            self.bear(region)
            for citizen in self.of_region(region, "leaving"):
                self.leave(citizen)
            self.pair(region)
        movers = [self.choose(region) for region in range(self.regions)]
        self.move(movers)
        self.inherit()

    def live(self, c: Citizen) -> None:
        """What befalls a citizen: u is laid on the chances side by side."""
        words = self.block("event", c.slot // 2)
        low, high = words[:2] if c.slot % 2 == 0 else words[2:]
        left, p = (high << 32 | low) >> 1, self.people
        weeks = self.tick + EPOCH - c.born
        age = min(weeks // WEEKS, 110)
        season = (self.tick // self.weeks + c.region) % (WEEKS // self.weeks) == 0
        grown = c.child and age >= ADULT
        single = not c.child and not c.partnered
        for what, possible, chance in (
            ("death", True, p["death"][c.health][int(c.woman)][age]),
            ("birth", c.woman, p["birth"][age]),
            ("worse", c.health < 2, p["worsen"][age]),
            ("better", c.health > 0, p["recover"]),
            ("leaving", grown, p["leave"]),
            ("seeking", single and season, p["seek"][age]),
            ("thinking", single or (not c.child and c.woman), p["move"][age]),
        ):
            if not possible:
                continue
            if left < int(chance):
                self.event[c] = what
                break
            left -= int(chance)
        c.health += {"worse": 1, "better": -1}.get(self.event.get(c, ""), 0)
        if ADULT * WEEKS - self.weeks <= weeks < ADULT * WEEKS:
            word = self.block("school", c.slot)[0] >> 1
            c.skill = sum(word >= int(share) for share in p["skill"])
        if weeks >= ADULT * WEEKS and weeks < int(self.scenario["retirement"]) * WEEKS and c.health < 2:
            self.may_work[c.region] += 1
            self.work[c.region] += c.firm is not None

    def part_from_firm(self, c: Citizen) -> None:
        if c.firm is not None:
            self.columns["staff"][c.firm * len(SKILLS) + c.skill] -= 1
            c.firm = None

    def bury(self, region: int) -> None:
        """Deaths, widows, heirs of the head's place, orphans."""
        bereaved: set[Household] = set()
        for c in self.of_region(region, "death"):
            self.part_from_firm(c)
            c.household.members.remove(c)
            del self.citizens[c.slot]
            self.vital[region]["deaths"] += 1
            if not c.child:
                bereaved.add(c.household)
            if not c.household.members:
                c.household.ended = True
        waiting = sorted((h for h in bereaved if h.members), key=lambda h: h.slot)
        while waiting:
            household = waiting[0]
            heads = [m for m in household.members if not m.child]
            grown = [m for m in household.members if (self.tick + EPOCH - m.born) // WEEKS >= ADULT]
            for head in heads:
                head.partnered = False
                self.rules["widowed"] += 1
            if not heads and grown:
                min(grown, key=lambda m: (m.born, m.slot)).child = False
                self.rules["succeeded"] += 1
            elif not heads:
                self.take_in(household, waiting)
            waiting.remove(household)

    def take_in(self, orphans: Household, waiting: list[Household]) -> None:
        """The orphans' grandparents, else the next household in order."""
        near = sorted((h for h in self.households.values() if h.region == orphans.region), key=lambda h: h.slot)
        in_turn = [h for h in near if h.slot > orphans.slot] + [h for h in near if h.slot < orphans.slot]
        for other in [*(o for o in orphans.origins if o and o.region == orphans.region), *in_turn]:
            usable = other.members and other.merged is None and other not in waiting
            if usable and len(other.members) + len(orphans.members) <= 255:
                self.rules["orphaned"] += 1
                self.merge(orphans, other)
                return

    def merge(self, one: Household, into: Household) -> None:
        into.deposit += one.deposit
        into.income += one.income
        into.generation = max(into.generation, one.generation)
        for member in one.members:
            member.household = into
        into.members += one.members
        one.members, one.merged, one.deposit = [], into, 0
        del self.households[one.slot]

    def vacant(self, kind: str, region: int) -> int:
        """The first vacant slot of a region; a household's slot stays taken until the round is over."""
        taken = self.citizens if kind == "citizen" else self.taken
        first, end = self.columns[f"region_{kind}"][2 * region : 2 * region + 2]
        return next(slot for slot in range(first, end) if slot not in taken)

    def bear(self, region: int) -> None:
        for mother in self.of_region(region, "birth"):
            woman = self.block("birth", mother.slot)[0] >> 1 >= int(self.people["boys"])
            slot = self.vacant("citizen", region)
            born = self.tick + EPOCH
            baby = Citizen(region, slot, born, woman, 0, 0, False, True, mother.household, None)
            self.citizens[slot] = baby
            mother.household.members.append(baby)
            self.vital[region]["births"] += 1

    def leave(self, c: Citizen) -> None:
        old = c.household
        if not c.child:
            return
        c.child = False
        if len(old.members) == 1:
            return
        slot = self.vacant("household", c.region)
        new = Household(c.region, slot, generation=min(old.generation + 1, 255), origins=[old, None])
        new.deposit = old.deposit * int(self.people["endowment"]) >> 31
        new.income = old.income // len(old.members)
        old.deposit -= new.deposit
        old.income -= new.income
        self.rules["left"] += 1
        old.members.remove(c)
        new.members.append(c)
        c.household = new
        self.households[slot] = new
        self.taken.add(slot)

    def pair(self, region: int) -> None:
        def key(c: Citizen) -> tuple[int, int]:
            return c.born + self.block("partner", c.slot)[0] % 208, c.slot

        seekers = sorted(self.of_region(region, "seeking"), key=key)
        women, men = [c for c in seekers if c.woman], [c for c in seekers if not c.woman]
        while women and men:
            her, him = women[0], men[0]
            if self.suit(her, him):
                women.pop(0), men.pop(0)
                hers, his = her.household, him.household
                sides = [next((self.now(o) for o in h.origins if o), None) for h in (hers, his)]
                self.rules["paired"] += 1
                self.merge(his, hers)
                hers.origins = sides
                her.partnered = him.partnered = True
            elif key(her) < key(him):
                women.pop(0)
            else:
                men.pop(0)

    def suit(self, her: Citizen, him: Citizen) -> bool:
        self.rules["kin"] += bool(
            ({her.household, *her.household.origins} & {him.household, *him.household.origins}) - {None}
        )
        families = [{h, *h.origins} - {None} for h in (her.household, him.household)]
        small = len(her.household.members) + len(him.household.members) <= 255
        return abs(her.born - him.born) <= int(self.people["gap"]) and small and not families[0] & families[1]

    def now(self, household: Household) -> Household:
        while household.merged:
            household = household.merged
        return household

    def weight(self, here: int, place: int) -> int:
        """Weight of a place of a region's disc."""
        link = self.columns["reach"][here * REACH + place]
        if not link:
            return 0
        c, p, there = self.columns, self.people, link - 1
        q, r = DISC[place]
        weight = (c["region_settled"][there] << 8) * int(p["near"][(abs(q) + abs(r) + abs(q + r)) // 2]) >> 31
        ours, theirs = c["region_nation"][here], c["region_nation"][there]
        if ours != theirs:
            weight = weight * int(p["abroad"]) >> 31
        ratio = (c["wage"][there] * c["level"][ours] << 32) // (c["wage"][here] * c["level"][theirs])
        idle = [
            ((self.may_work[x] - self.work[x]) << 32) // self.may_work[x] if self.may_work[x] else 0
            for x in (here, there)
        ]
        gaps = (
            ("answer_wage", min(ratio, 1024 << 32) - (1 << 32)),
            ("answer_unemployment", idle[0] - idle[1]),
            ("answer_warmth", c["warmth"][here] - c["warmth"][there]),
        )
        for answer, gap in gaps:
            factor = 65536 + (int(p[answer]) * gap >> 48)
            weight = weight * min(max(factor, SIXTEENTH), SIXTEEN) >> 16
        return weight

    def choose(self, region: int) -> list[tuple[Household, int]]:
        """Who moves from a region, and where to."""
        weights = [self.weight(region, place) for place in range(REACH)]
        movers: list[tuple[Household, int]] = []
        for c in self.of_region(region, "thinking"):
            drawn = self.drawn("destination", c.slot) * sum(weights) >> 64
            place = 0
            while place < REACH - 1 and drawn >= sum(weights[: place + 1]):
                place += 1
            if place != REACH // 2 and any(weights) and c.household not in [h for h, _ in movers]:
                movers.append((c.household, self.columns["reach"][region * REACH + place] - 1))
        return movers

    def move(self, movers: list[list[tuple[Household, int]]]) -> None:
        """Whole households move at once: first all find their slots, then all leave their own."""
        homes: dict[Household, tuple[int, int]] = {}
        bodies: dict[Citizen, tuple[int, int]] = {}
        before = [
            sorted((c for c in self.citizens.values() if c.region == r), key=lambda c: c.slot)
            for r in range(self.regions)
        ]
        free: dict[int, list[int]] = {}
        for region in range(self.regions):
            first, end = self.columns["region_citizen"][2 * region : 2 * region + 2]
            free[region] = [slot for slot in range(first, end) if slot not in self.citizens]
        for here in range(self.regions):
            for place in range(REACH):
                from_region = self.columns["reach"][here * REACH + place] - 1
                if from_region < 0 or from_region == here:
                    continue
                coming = [household for household, to in movers[from_region] if to == here]
                for household in coming:
                    homes[household] = (here, self.vacant("household", here))
                    self.taken.add(homes[household][1])
                for c in before[from_region]:
                    if c.household in coming:
                        bodies[c] = (here, free[here].pop(0))
        for household in homes:
            del self.households[household.slot]
        for household, (region, slot) in homes.items():
            household.region, household.slot = region, slot
            self.households[slot] = household
        for c in bodies:
            self.part_from_firm(c)
            self.vital[c.region]["departures"] += 1
            self.columns["moved"][2 * c.region + 1] += 1
            del self.citizens[c.slot]
        for c, (region, slot) in bodies.items():
            c.region, c.slot = region, slot
            self.citizens[slot] = c
            self.vital[region]["arrivals"] += 1
            self.columns["moved"][2 * region] += 1

    def inherit(self) -> None:
        """Equal parts, the rest to the first heir, or all to the treasury."""
        in_order = [self.households[slot] for slot in sorted(self.households)]
        for ended in [h for h in in_order if h.ended]:
            heirs = [h for h in in_order for o in h.origins if o is ended and not h.ended]
            estate = ended.deposit
            self.vital[ended.region]["estates"] += estate
            for number, heir in enumerate(heirs):
                self.rules["co-heirs"] += len(heirs) > 1
                part = estate // len(heirs) + (estate % len(heirs) if number == 0 else 0)
                heir.deposit += part
                self.vital[heir.region]["inherited"] += part
            if not heirs:
                self.vital[ended.region]["unclaimed"] += estate
                self.columns["treasury"][self.columns["region_nation"][ended.region]] += estate
            del self.households[ended.slot]
        for household in self.households.values():
            links = [self.now(o) if o and not o.ended else None for o in household.origins]
            household.origins = [None if o is household else o for o in links]

    def state(self) -> dict[str, list[int]]:
        """The columns as the kernels hold them."""
        c = self.columns
        found = {name: [0] * len(c[name]) for name in (*OF_CITIZENS, *OF_HOUSEHOLDS)}
        for slot, citizen in self.citizens.items():
            found["born"][slot] = citizen.born
            found["household"][slot] = citizen.household.slot + 1
            found["employer"][slot] = 0 if citizen.firm is None else citizen.firm + 1
            found["traits"][slot] = (
                citizen.woman | citizen.skill << 1 | citizen.health << 3 | citizen.partnered << 5 | citizen.child << 6
            )
        for slot, household in self.households.items():
            found["deposit"][slot], found["income"][slot] = household.deposit, household.income
            found["size"][slot], found["generation"][slot] = len(household.members), household.generation
            found["origin_a"][slot], found["origin_b"][slot] = [o.slot + 1 if o else 0 for o in household.origins]
        return {**found, **{name: c[name] for name in ("staff", "moved", "treasury")}}
