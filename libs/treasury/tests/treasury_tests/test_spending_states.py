"""The table of states: the database has the same, and every path ends."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import asyncpg
import pytest

from parpour_controlplane.testing import Place
from parpour_treasury.spending.states import COMMITTED, HELD, METERED_STEPS, PAID_STEPS, STEPS, State, Step, next_state

TERMINAL = {State.REFUSED, State.REJECTED, State.EXPIRED, State.CANCELLED, State.FAILED, State.RETURNED}


@pytest.mark.anyio
async def test_the_database_takes_the_steps_of_the_table_and_no_others(place: Place) -> None:
    session = await asyncpg.connect(place.dsn("postgres"))
    states: list[State | None] = [None, *State]
    for state, step, internal in product(states, Step, (False, True)):
        theirs = await session.fetchval("select treasury.next_state($1, $2, $3)", state, step, internal)
        assert theirs == next_state(state, step, internal=internal), (state, step, internal)
    assert await session.fetchval("select treasury.next_state('reserved', 'forgotten', false)") is None
    await session.close()


@pytest.mark.unit
def test_every_state_is_reached_and_every_end_is_an_end() -> None:
    assert set(STEPS.values()) == set(State)
    leaving = {state for state, _ in STEPS if state is not None}
    assert set(State) - leaving == TERMINAL
    for internal in (False, True):
        reached: set[State | None] = {None}
        for _ in State:
            reached |= {next_state(state, step, internal=internal) for state, step in product(reached, Step)}
        assert (State.SUBMITTING in reached) is not internal
        assert State.SETTLED in reached


@pytest.mark.unit
def test_what_is_held_is_committed() -> None:
    assert HELD < COMMITTED
    assert COMMITTED.isdisjoint(TERMINAL)


@pytest.mark.unit
def test_the_page_about_spending_has_the_table() -> None:
    page = (Path(__file__).parents[4] / "docs" / "explanation" / "spending.md").read_text()
    section = page.partition("## States")[2].partition("\n\nInternal")[0]
    told = re.findall(r"^\| (\w*) ?\| (\w+)(?: \((internal|paid)\))? \| (\w+) \|$", section, re.MULTILINE)
    ours = {
        (state or "", step, "internal" if row in METERED_STEPS else "paid" if row in PAID_STEPS else "", leads_to)
        for row, leads_to in STEPS.items()
        for state, step in (row,)
    }
    assert {one for one in told if one[1] != "Step"} == ours
