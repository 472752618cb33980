"""An independent economy of random exchange: plain Python integers, one pair at a time, no code shared with kernels."""

from __future__ import annotations

from civlab.models.exchange.compile import CompiledExchange
from civlab.models.exchange.layout import DRAWS, LAWS

from ..epidemic_oracle import Shuffle, philox

DRAW = {name: number for number, name in enumerate(DRAWS, 1)}


class Oracle:
    """One member; `money` is what each agent holds."""

    def __init__(self, scenario: CompiledExchange, *, seed: int, stream: int) -> None:
        self.row = scenario.record[0]
        self.seed = seed
        self.stream = stream
        self.tick = 0
        self.money = [int(self.row["mean"])] * scenario.population

    def block(self, name: str, entity: int) -> tuple[int, int, int, int]:
        """Four words of a named draw."""
        key = (self.seed & 0xFFFFFFFF, self.seed >> 32)
        return philox(key, (entity, self.tick, DRAW[name] << 24, self.stream))

    def step(self) -> tuple[int, int]:
        """A round: pairs between which money moved, and how much moved."""
        order = Shuffle(self.block("order", 0), len(self.money)).order()
        trades = moved = 0
        for pair in range(len(order) // 2):
            words = self.block("trade", pair // 2)
            low, high = words[:2] if pair % 2 == 0 else words[2:]
            gain = self.gain(order[2 * pair], order[2 * pair + 1], high << 32 | low)
            self.money[order[2 * pair]] += gain
            self.money[order[2 * pair + 1]] -= gain
            trades += gain != 0
            moved += abs(gain)
        self.tick += 1
        return trades, moved

    def gain(self, first: int, second: int, draw: int) -> int:
        """What the first of a pair gains."""
        law = LAWS[self.row["law"]]
        mine, yours = self.money[first], self.money[second]
        if law == "pooled":
            saved = [holding * int(self.row["saving"]) // 2**64 for holding in (mine, yours)]
            pool = mine + yours - sum(saved)
            return saved[0] + draw * (pool + 1) // 2**64 - mine
        bounds = {"share-of-pair": (mine + yours) // 2, "share-of-mean": int(self.row["mean"])}
        amount = draw * (bounds[law] + 1) // 2**64 if law in bounds else int(self.row["amount"])
        if draw % 2:
            return -amount if mine >= amount else 0
        return amount if yours >= amount else 0
