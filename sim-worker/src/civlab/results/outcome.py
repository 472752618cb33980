"""What a batch of members came to: the bridge from a world at its end to tables.

It is kept as a few plain arrays, so that it can wait in the store until the shard's other batches are done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civlab.models.epidemic.layout import METRICS, STATES
from civlab.runtime.world import World

AGE_GROUPS = tuple(range(0, 90, 10))
"""First year of each age group of the `ages` table; the last group is open."""
AGE_COUNTS = ("persons", "infected", "dead")
TREE_COLUMNS = ("member", "tick", "infector", "infected", "layer")


@dataclass(frozen=True)
class BatchOutcome:
    """Results of the members first, first + 1, …

    `digests` is u8 [members, 32]; `metrics` i64 [metrics, ticks, members] in the order of METRICS; `populations` i64
    [members]; `ages` i64 [members, age groups, AGE_COUNTS]; `tree`, where it was asked for, i64 [TREE_COLUMNS, rows],
    by member and tick.
    """

    first: int
    digests: NDArray[np.uint8]
    metrics: NDArray[np.int64]
    populations: NDArray[np.int64]
    ages: NDArray[np.int64]
    tree: NDArray[np.int64] | None

    @property
    def count(self) -> int:
        """Number of members."""
        return int(self.digests.shape[0])

    def metric(self, name: str) -> NDArray[np.int64]:
        """One metric, [ticks, members]."""
        names = [metric.name for metric in METRICS]
        series: NDArray[np.int64] = self.metrics[names.index(name)]
        return series

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, as `from_arrays` takes them."""
        named: dict[str, NDArray[Any]] = {
            "digests": self.digests,
            "metrics": self.metrics,
            "populations": self.populations,
            "ages": self.ages,
        }
        if self.tree is not None:
            named["tree"] = self.tree
        return named

    @classmethod
    def from_arrays(cls, first: int, arrays: Mapping[str, NDArray[Any]]) -> BatchOutcome:
        """The outcome of the batch that begins at member `first`."""
        return cls(
            first,
            arrays["digests"],
            arrays["metrics"],
            arrays["populations"],
            arrays["ages"],
            arrays.get("tree"),
        )


def batch_outcome(world: World, *, first: int, count: int, ticks: int, transmissions: bool) -> BatchOutcome:
    """What the world's members came to after their last tick."""
    series = world.metrics(0, ticks)
    ages = np.stack([_by_age(world, member) for member in range(count)])
    return BatchOutcome(
        first=first,
        digests=np.frombuffer(b"".join(world.member_digests()), dtype=np.uint8).reshape(count, 32),
        metrics=np.stack([series[metric.name] for metric in METRICS]),
        populations=ages[:, :, 0].sum(axis=1),
        ages=ages,
        tree=np.concatenate([_tree(world, member, first + member) for member in range(count)], axis=1)
        if transmissions
        else None,
    )


def _by_age(world: World, member: int) -> NDArray[np.int64]:
    groups = np.minimum(world.agent_column("age", member) // 10, len(AGE_GROUPS) - 1)
    infected = world.agent_column("infected_at", member) != 0
    dead = world.agent_column("state", member) == STATES.index("dead")
    return np.stack(
        [
            np.bincount(groups[chosen], minlength=len(AGE_GROUPS)).astype(np.int64)
            for chosen in (slice(None), infected, dead)
        ],
        axis=1,
    )


def _tree(world: World, member: int, index: int) -> NDArray[np.int64]:
    columns = world.transmissions(member)
    members = np.full(len(columns["tick"]), index, dtype=np.int64)
    return np.stack([members, *(columns[name].astype(np.int64) for name in TREE_COLUMNS[1:])])
