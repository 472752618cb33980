"""A firm that failed gets no credit for the time stated, and then again like any other."""

from __future__ import annotations

import numpy as np
import pytest

from civlab.runtime.world import World

from .civilisations import column, compiled, meddled

pytestmark = pytest.mark.kernel

WEEKS_WITHOUT = 3


def test_no_bank_lends_to_a_firm_that_failed_until_its_time_is_over() -> None:
    """A debt that it cannot bear makes it fail once; every week it is robbed, so that it needs credit."""
    world = meddled(compiled(ticks=20, more=f"economy: {{credit: {{exclusion: {WEEKS_WITHOUT}}}}}\n"))
    firm, excess = 4, 10**9
    seen: list[tuple[int, bool]] = []

    def rob(now: World) -> None:
        cash, base_money = column(now, "cash"), column(now, "base_money")
        base_money[0, 0] -= int(cash[firm, 0])
        cash[firm, 0] = 0

    def ruin(now: World) -> None:
        column(now, "loan")[firm, 0] += np.uint64(excess)
        column(now, "lent")[int(column(now, "bank")[firm, 0]), 0] += np.uint64(excess)
        column(now, "base_money")[0, 0] -= excess

    def look(now: World) -> None:
        seen.append((int(column(now, "barred")[firm, 0]), bool(column(now, "borrow")[firm, 0])))

    for week in range(WEEKS_WITHOUT + 3):
        world.acts = {"plan": rob, "lend": look, **({"account": ruin} if week == 1 else {})}
        world.advance()
    assert seen == [(0, True), (0, True), *((left, False) for left in range(WEEKS_WITHOUT, 0, -1)), (0, True)]
