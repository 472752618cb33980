"""The exchange model's kernels agree with the oracle bit for bit, round after round."""

from __future__ import annotations

import pytest

from civlab.runtime.backend import Backend

from .exchange_oracle import Oracle
from .worlds import LAWS, compiled, world_of

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("law", LAWS)
def test_every_round_is_that_of_the_oracle(law: str, backend: Backend) -> None:
    scenarios = [compiled(law, size=size, ticks=6) for size in (2, 3, 301, 1024, 5001)]
    world = world_of(scenarios, backend, seed=2**40 + 5)
    oracles = [Oracle(s, seed=2**40 + 5, stream=40 + number) for number, s in enumerate(scenarios)]
    for tick in range(world.ticks):
        world.advance()
        metrics = world.metrics(tick, tick + 1)
        for number, oracle in enumerate(oracles):
            flows = oracle.step()
            assert world.member_column("money", number).tolist() == oracle.money
            assert (int(metrics["trades"][0, number]), int(metrics["moved"][0, number])) == flows
            low, high = (int(limb) for limb in metrics["squares"][0, number])
            assert high << 64 | low == sum(holding**2 for holding in oracle.money)
            assert int(metrics["penniless"][0, number]) == oracle.money.count(0)
            assert int(metrics["richest"][0, number]) == max(oracle.money)
    world.check()
