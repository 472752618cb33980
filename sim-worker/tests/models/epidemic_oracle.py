"""An independent epidemic: plain Python, one person at a time, no code in common with the kernels.

It takes the compiled tables (tested on their own) and the declared numbering of draws, and works everything out the
slow way: who lives where, who knows whom, who infects whom. Kernels must agree with it bit for bit on small worlds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import blake3

from civlab.models.epidemic.compile import CompiledScenario
from civlab.models.epidemic.layout import AGES, DRAWS, FLOWS, LAYERS, METRICS, STATES, WORKERS

M32 = 0xFFFFFFFF
M64 = 0xFFFFFFFFFFFFFFFF
WHOLE = 1 << 31
S, E, I, V, H, R, D = range(len(STATES))  # noqa: E741
DRAW = {name: number for number, name in enumerate(DRAWS, 1)}


def philox(key: tuple[int, int], counter: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Philox4x32-10 as in the paper of 2011."""
    (k0, k1), (x0, x1, x2, x3) = key, counter
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * x0, 1 << 32)
        high1, low1 = divmod(0xCD9E8D57 * x2, 1 << 32)
        x0, x1, x2, x3 = high1 ^ x1 ^ k0, low1, high0 ^ x3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) & M32, (k1 + 0xBB67AE85) & M32
    return x0, x1, x2, x3


@dataclass(frozen=True)
class Shuffle:
    """The keyed permutation: rows and columns of a nearly square table stir each other."""

    key: tuple[int, int, int, int]
    size: int

    def stir(self, half: int, turn: int, extent: int) -> int:
        key = (self.key[turn % 4] + turn * 0x9E3779B9) & M32
        x = (half ^ key) * 0x7FEB352D & M32
        x ^= x >> 15
        x = x * 0x846CA68B & M32
        x ^= x >> 16
        return x * extent >> 32

    def place(self, x: int) -> int:
        rows = max(math.isqrt(self.size), 2)
        columns = max(-(-self.size // rows), 1)
        while True:
            row, column = divmod(x, columns)
            for turn in range(0, 24 if self.size < 1024 else 8, 2):
                row = (row + self.stir(column, turn, rows)) % rows
                column = (column + self.stir(row, turn + 1, columns)) % columns
            x = row * columns + column
            if x < self.size:
                return x

    def order(self) -> list[int]:
        """Element at each place."""
        found = [0] * self.size
        for x in range(self.size):
            found[self.place(x)] = x
        return found


def from_table(table: list[int], draw: int, lowest: int = 0) -> int:
    """The value that a cumulative table gives for a 64-bit draw."""
    for value in range(lowest, len(table) - 1):
        if draw < table[value]:
            return value
    return len(table) - 1


def mix(column: int, index: int, value: int) -> tuple[int, int]:
    """The digest's term of one element."""
    if value == 0:
        return 0, 0
    x = (index << 32 | value) ^ ((column + 1) * 0x9E3779B97F4A7C15 & M64)
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & M64
    x = (x ^ x >> 27) * 0x94D049BB133111EB & M64
    x ^= x >> 31
    y = x * 0xD6E8FEB86659FD93 & M64
    y = (y ^ y >> 32) * 0xC2B2AE3D27D4EB4F & M64
    return x, y ^ y >> 29


@dataclass
class Person:
    """One agent: what it is, whom it knows, and how it fares."""

    age: int = 0
    household_position: int = 0
    household_size: int = 1
    mates: list[int] = field(default_factory=list)
    contacts: list[int] = field(default_factory=list)
    place: list[int] = field(default_factory=list)
    at_school: bool = False
    vaccination: int = 0
    state: int = S
    due: int = 0
    infector: int = 0
    infected_at: int = 0
    origin: int = 0


class Oracle:
    """One member, from compiled tables, seed and stream."""

    def __init__(self, scenario: CompiledScenario, *, seed: int, stream: int, head: bytes) -> None:
        record, days = scenario.record, scenario.days
        self.head = head
        self.s = {name: record[0][name].tolist() for name in record.dtype.names or ()}
        self.days = [{name: day[name].tolist() for name in days.dtype.names or ()} for day in days]
        self.seed, self.stream = seed, stream
        self.size = self.s["population"]
        self.people = [Person() for _ in range(self.size)]
        self.settle_households()
        self.connect_community(self.degrees())
        self.fill_places()
        self.make_appointments()
        self.tick = 0
        self.history: list[list[int]] = []

    def draw(self, name: str, entity: int, tick: int = 0, number: int = 0) -> tuple[int, int, int, int]:
        key = (self.seed & M32, self.seed >> 32)
        return philox(key, (entity, tick, DRAW[name] << 24 | number, self.stream))

    def draw64(self, name: str, entity: int, tick: int = 0) -> int:
        words = self.draw(name, entity, tick)
        return words[1] << 32 | words[0]

    # population

    def settle_households(self) -> None:
        first = self.s["household_first"]
        keys = []
        for agent, person in enumerate(self.people):
            size = next(k for k in range(1, 11) if agent < first[k + 1])
            person.household_size = size
            person.household_position = (agent - first[size]) % size
            head = agent - person.household_position
            person.mates = [mate for mate in range(head, head + size) if mate != agent]
            keys.append((min(self.desired_age(agent, head, size), 511), agent))
        ages = [age for age in range(AGES) for _ in range(self.persons_aged(age))]
        for rank, (_, agent) in enumerate(sorted(keys)):
            self.people[agent].age = ages[rank]

    def persons_aged(self, age: int) -> int:
        upto = self.s["pyramid"]
        return int(upto[age] - (upto[age - 1] if age else 0))

    def desired_age(self, agent: int, head: int, size: int) -> int:
        words = self.draw("head", head)
        quarters = 4 * from_table(self.s["head_age"][min(size, 3) - 1], words[1] << 32 | words[0]) + words[2] % 4
        if agent == head:
            return quarters
        own = self.draw("relative", agent)
        if agent == head + 1 and words[3] % 100 >= 15:
            return max(quarters + own[0] % 21 + own[1] % 21 - 20, 72)
        return max(quarters - (80 + own[0] % 41 + own[1] % 41), own[2] % 12)

    # community graph

    def degrees(self) -> list[int]:
        if not self.s["community"]:
            return [0] * self.size
        return [from_table(self.s["degree"], self.draw64("degree", agent)) for agent in range(self.size)]

    def connect_community(self, degree: list[int]) -> None:
        if not self.s["community"]:
            return
        groups = range(self.s["groups"])
        owners: list[list[int]] = [[] for _ in groups]
        for agent, person in enumerate(self.people):
            owners[self.s["group"][person.age]] += [agent] * degree[agent]
        pairs = self.pair_counts([len(stubs) for stubs in owners])
        orders = []
        for a in groups:
            shuffled = Shuffle(self.draw("stubs", a), len(owners[a])).order() if owners[a] else []
            cut, blocks = 0, []
            for b in groups:
                blocks.append(shuffled[cut : cut + pairs[a][b]])
                cut += pairs[a][b]
            orders.append((blocks, shuffled[cut:]))
        partner: dict[tuple[int, int], int] = {}
        for a in groups:
            for stub in orders[a][1]:
                partner[a, stub] = owners[a][stub]
            for b in groups:
                mine, theirs = orders[a][0][b], orders[b][0][a]
                for at, stub in enumerate(mine):
                    partner[a, stub] = owners[b][theirs[at ^ 1] if a == b else theirs[at]]
        for a in groups:
            for stub, agent in enumerate(owners[a]):
                self.people[agent].contacts.append(partner[a, stub])

    def pair_counts(self, stubs: list[int]) -> list[list[int]]:
        groups = range(self.s["groups"])
        mixing = self.s["mixing"]
        x = [math.sqrt(count) for count in stubs]
        for _ in range(100):
            for a in groups:
                total = 0.0
                for b in groups:
                    total = total + mixing[a][b] * x[b]
                if total > 0.0:
                    x[a] = math.sqrt(x[a] * (stubs[a] / total))
        left = list(stubs)
        count = [[0] * len(groups) for _ in groups]

        def give(a: int, b: int, wanted: int) -> None:
            most = min(left[a], left[b], wanted)
            if a == b:
                most -= most % 2
            count[a][b] += most
            left[a] -= most
            if a != b:
                count[b][a] += most
                left[b] -= most

        rests: list[tuple[float, int, int, int]] = []
        for a in groups:
            for b in groups[a:]:
                want = mixing[a][b] * x[a] * x[b]
                step = 2 if a == b else 1
                whole = int(want / step) * step
                rests.append((-((want - whole) / step), len(rests), a, b))
                give(a, b, whole)
        for _, _, a, b in sorted(rests):
            give(a, b, 2 if a == b else 1)
        for _, _, a, b in sorted(rests):
            give(a, b, M32)
        return count

    # classes, teams, appointments

    def fill_places(self) -> None:
        pools: dict[int, list[int]] = {}
        for agent, person in enumerate(self.people):
            if self.s["class_size"] and self.s["pupil_first"] <= person.age <= self.s["pupil_last"]:
                pools.setdefault(person.age, []).append(agent)
                person.at_school = True
            elif (
                self.s["team_size"]
                and self.s["worker_first"] <= person.age <= self.s["worker_last"]
                and self.draw("employment", agent)[0] >> 1 < self.s["employed"]
            ):
                pools.setdefault(WORKERS, []).append(agent)
        for pool, members in pools.items():
            order = Shuffle(self.draw("pool", pool), len(members)).order()
            size = self.s["team_size"] if pool == WORKERS else self.s["class_size"]
            for cut in range(0, len(members), size):
                place = [members[k] for k in order[cut : cut + size]]
                for agent in place:
                    self.people[agent].place = place

    def make_appointments(self) -> None:
        doses = self.s["vaccination_doses"]
        if not doses:
            return
        if self.s["vaccination_oldest_first"]:
            queue = []
            for age in reversed(range(AGES)):
                alike = [agent for agent, person in enumerate(self.people) if person.age == age]
                if alike:
                    queue += [alike[k] for k in Shuffle(self.draw("vaccine_order", age), len(alike)).order()]
        else:
            queue = Shuffle(self.draw("vaccine_order", AGES), self.size).order()
        for turn, agent in enumerate(queue[: self.s["vaccination_invited"]]):
            self.people[agent].vaccination = self.s["vaccination_from"] + turn // doses + 1

    # a day

    def step(self) -> None:
        flows = dict.fromkeys(FLOWS, 0)
        patients = sum(person.state == H for person in self.people)
        sums = [self.sum_of_digests()]
        self.progress(flows, patients)
        sums.append(self.sum_of_digests())
        self.introduce(flows)
        sums.append(self.sum_of_digests())
        for agent, (layer, infector) in sorted(self.claims().items()):
            self.infect(agent, infector + 1, layer + 1)
            flows[LAYERS[layer]] += 1
        sums.append(self.sum_of_digests())
        self.record(flows)
        phases = [(b[0] - a[0] & M64, b[1] - a[1] & M64) for a, b in pairwise(sums)]
        recorded = [mix(5 + 3, k, value & M32) for k, value in enumerate(self.history[-1])]
        phases.append((sum(low for low, _ in recorded) & M64, sum(high for _, high in recorded) & M64))
        self.head = link(self.head, phases)
        self.tick += 1

    def protected(self, person: Person) -> bool:
        return person.vaccination > 0 and self.tick + 1 >= person.vaccination + self.s["vaccination_delay"]

    def progress(self, flows: dict[str, int], patients: int) -> None:
        for agent, person in enumerate(self.people):
            if self.tick == 0 or person.due != self.tick:
                continue
            if person.state == E:
                words = self.draw("course", agent, self.tick)
                severe = self.s["severe"][person.age] if self.s["hospital"] else 0
                if severe and self.protected(person):
                    severe = severe * self.s["vaccination_severe"] >> 31
                ill = words[2] >> 1 < severe
                person.state = V if ill else I
                table = self.s["admission" if ill else "infectious"]
                person.due = self.tick + from_table(table, words[1] << 32 | words[0], 1)
            elif person.state == V:
                person.state = H
                person.due = self.tick + from_table(self.s["stay"], self.draw64("outcome", agent, self.tick), 1)
                flows["admissions"] += 1
            elif person.state == H:
                chance = self.s["fatal"][person.age]
                if patients > self.s["beds"]:
                    beds = self.s["beds"]
                    weight = beds * 65536 + (patients - beds) * self.s["surge"]
                    chance = min(chance * weight // (patients * 65536), WHOLE)
                dies = self.draw("outcome", agent, self.tick)[2] >> 1 < chance
                person.state, person.due = (D if dies else R), 0
                flows["deaths"] += dies
            else:
                person.state, person.due = R, 0

    def introduce(self, flows: dict[str, int]) -> None:
        for k in range(self.s["introductions"]):
            if self.s["introduction_tick"][k] != self.tick:
                continue
            shuffle = Shuffle(self.draw("introduction", 0), self.size)
            first = self.s["introduction_first"][k]
            for turn in range(first, first + self.s["introduction_count"][k]):
                agent = shuffle.place(turn)
                if self.people[agent].state == S:
                    self.infect(agent, 0, 5)
                    flows["introduced"] += 1

    def infect(self, agent: int, infector: int, origin: int) -> None:
        person = self.people[agent]
        days = from_table(self.s["exposed"], self.draw64("exposed", agent, self.tick), 1)
        person.state, person.due = E, self.tick + days
        person.infector, person.infected_at, person.origin = infector, self.tick + 1, origin

    def claims(self) -> dict[int, tuple[int, int]]:
        """Layer and infector of everyone infected today: the contact with the least hash."""
        best: dict[int, tuple[int, int, int]] = {}
        for agent, person in enumerate(self.people):
            if person.state not in (I, V):
                continue
            isolation = self.isolation(agent, person)
            for layer, row in enumerate(self.rows(person)):
                for at in self.hits(agent, layer, len(row)):
                    target = row[at]
                    if self.people[target].state == S and self.accepted(agent, layer, at, target, isolation):
                        claim = (self.contact_hash(agent, layer, target), layer, agent)
                        best[target] = min(best.get(target, claim), claim)
        return {target: (layer, agent) for target, (_, layer, agent) in best.items()}

    def rows(self, person: Person) -> list[list[int]]:
        return [
            person.contacts,
            person.mates if self.s["household"] else [],
            person.place if person.at_school else [],
            [] if person.at_school else person.place,
        ]

    def hits(self, agent: int, layer: int, length: int) -> list[int]:
        miss = self.s["miss"][layer]
        found, start, number = [], 0, 0
        while start < length:
            words = self.draw(f"contact_{LAYERS[layer]}", agent, self.tick, number // 2)
            x = words[3] << 32 | words[2] if number % 2 else words[1] << 32 | words[0]
            number += 1
            span = min(length - start, 255)
            hit = next((j for j in range(span) if x >= miss[j + 1]), None)
            if hit is None:
                start += span
            else:
                found.append(start + hit)
                start += hit + 1
        return found

    def isolation(self, agent: int, person: Person) -> int:
        day = self.days[self.tick]
        if not day["detection"] or self.tick + 1 < person.infected_at + day["isolation_delay"]:
            return WHOLE
        found = self.draw("detection", agent, person.infected_at)[0] >> 1 < day["detection"]
        return day["isolation"] if found else WHOLE

    def accepted(self, agent: int, layer: int, at: int, target: int, isolation: int) -> bool:
        person = self.people[target]
        factors = [self.days[self.tick]["factor"][layer]]
        if layer != LAYERS.index("household"):
            factors.append(isolation)
        if self.s["thins"]:
            factors.append(self.s["susceptibility"][person.age])
            if self.protected(person):
                factors.append(self.s["vaccination_infection"])
        chance = WHOLE
        for factor in factors:
            chance = chance * factor >> 31
        return self.draw(f"accept_{LAYERS[layer]}", agent, self.tick, at)[0] >> 1 < chance

    def contact_hash(self, agent: int, layer: int, target: int) -> int:
        x = self.seed ^ (agent << 32 | target)
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & M64
        x ^= (self.stream << 32 | self.tick) + (DRAW["claim"] + layer << 56) & M64
        x = (x ^ x >> 27) * 0x94D049BB133111EB & M64
        x = (x ^ x >> 32) * 0xD6E8FEB86659FD93 & M64
        return x >> 34

    def record(self, flows: dict[str, int]) -> None:
        count = [sum(person.state == state for person in self.people) for state in range(len(STATES))]
        row = {
            "susceptible": count[S],
            "exposed": count[E],
            "infectious": count[I] + count[V],
            "hospital": count[H],
            "recovered": count[R],
            "dead": count[D],
            "new_infections": sum(flows[layer] for layer in (*LAYERS, "introduced")),
            **{f"infected_{layer}": flows[layer] for layer in LAYERS},
            "introduced": flows["introduced"],
            "new_admissions": flows["admissions"],
            "new_deaths": flows["deaths"],
            "doses": self.days[self.tick]["doses"],
            "without_bed": max(0, count[H] - self.s["beds"]) if self.s["hospital"] else 0,
        }
        self.history.append([row[metric.name] for metric in METRICS])

    # the chain

    def columns(self) -> list[list[int]]:
        """The dynamic columns in their declared order."""
        names = ("state", "due", "infector", "infected_at", "origin")
        return [[getattr(person, name) for person in self.people] for name in names]

    def digests(self) -> list[tuple[int, int]]:
        """The digest of each dynamic column, counted in full."""
        result = []
        for number, values in enumerate(self.columns()):
            terms = [mix(number, agent, value) for agent, value in enumerate(values)]
            result.append((sum(low for low, _ in terms) & M64, sum(high for _, high in terms) & M64))
        return result

    def sum_of_digests(self) -> tuple[int, int]:
        """The digests of all dynamic columns, added up."""
        parts = self.digests()
        return sum(low for low, _ in parts) & M64, sum(high for _, high in parts) & M64


def link(head: bytes, phases: list[tuple[int, int]]) -> bytes:
    """The next head of the chain: keyed BLAKE3 of the digests of four phases."""
    message = b"".join(lane.to_bytes(8, "little") for digest in phases for lane in digest)
    return blake3.blake3(message, key=head).digest()
