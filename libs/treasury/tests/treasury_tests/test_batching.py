"""What goes into one batch, without a database."""

from __future__ import annotations

import asyncio
from collections import deque
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_treasury.batcher import Waiting, next_batch
from parpour_treasury.batches import Request
from parpour_treasury.commands import Command, Leg, Post, Void, touches

pytestmark = pytest.mark.unit


def command(key: int, what: int) -> Command:
    if what == 0:
        return Post(key=str(key), correlation=UUID(int=0), legs=(Leg(1, 1, "USD"), Leg(2, -1, "USD")))
    return Void(key=str(key), correlation=UUID(int=0), hold=UUID(int=what))


@given(
    asked=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=30),
    commands_max=st.integers(1, 10),
)
def test_batches_keep_the_order_and_put_nothing_together_that_touches_the_same(
    asked: list[tuple[int, int]], commands_max: int
) -> None:
    loop = asyncio.new_event_loop()
    waiting = deque(
        Waiting(Request.of(one, actor="a"), loop.create_future()) for one in (command(key, what) for key, what in asked)
    )
    submitted = list(waiting)
    places = {id(one): place for place, one in enumerate(submitted)}
    answered = 0
    while batch := next_batch(waiting, batch_max=commands_max):
        assert len(batch) <= commands_max
        keys = [one.request.command.key for one in batch]
        assert len(set(keys)) == len(keys)
        touched = [touches(one.request.command) for one in batch]
        holds = [one for one in touched if one is not None]
        assert len(set(holds)) == len(holds)
        assert [places[id(one)] for one in batch] == sorted(places[id(one)] for one in batch)
        answered += len(batch) + sum(len(one.same) for one in batch)
        for one in batch:
            # Nothing that waits was asked earlier about the same thing.
            assert not any(
                places[id(other)] < places[id(one)]
                and touches(other.request.command) is not None
                and touches(other.request.command) == touches(one.request.command)
                for other in waiting
            )
    assert answered == len(submitted)
    loop.close()
