"""The keyed queue, with a clock that the test moves."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_operator.queueing import Backoff, KeyedQueue
from parpour_operator.testing.memory import Clock

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


def queue() -> tuple[KeyedQueue[str], Clock]:
    clock = Clock()
    return KeyedQueue[str](clock=clock.seconds), clock


async def take(keys: KeyedQueue[str]) -> str | None:
    """The next key, or None if none is ready."""
    try:
        return (await asyncio.wait_for(keys.take(), timeout=0.002))[0]
    except TimeoutError:
        return None


async def test_a_key_added_often_is_worked_on_once() -> None:
    keys, _ = queue()
    for _ in range(5):
        keys.add("a")
    assert await take(keys) == "a"
    keys.done("a")
    assert await take(keys) is None


async def test_a_key_added_while_worked_on_comes_once_more_and_never_twice_at_a_time() -> None:
    keys, _ = queue()
    keys.add("a")
    assert await take(keys) == "a"
    keys.add("a")
    keys.add("a")
    assert await take(keys) is None
    keys.done("a")
    assert await take(keys) == "a"


async def test_failures_back_off_and_success_forgets_them() -> None:
    keys, clock = queue()
    keys.add("a")
    delays = []
    for _ in range(4):
        assert await take(keys) == "a"
        delays.append(keys.failed("a"))
        assert await take(keys) is None
        clock.advance(delays[-1] + 0.001)
    assert delays == pytest.approx([0.2, 0.4, 0.8, 1.6])
    assert await take(keys) == "a"
    keys.done("a")
    keys.add("a")
    assert await take(keys) == "a"
    assert keys.failed("a") == pytest.approx(0.2)


async def test_the_earlier_of_two_times_holds_and_an_add_overtakes_both() -> None:
    keys, clock = queue()
    keys.add_after("a", 10)
    keys.add_after("a", 5)
    keys.add_after("a", 7)
    clock.advance(5.001)
    assert await take(keys) == "a"
    keys.done("a")
    clock.advance(10)
    assert await take(keys) is None
    keys.add_after("b", 10)
    keys.add("b")
    assert await take(keys) == "b"
    keys.done("b")
    clock.advance(20)
    assert await take(keys) is None


async def test_a_waiting_worker_wakes_for_a_new_key() -> None:
    keys, _ = queue()
    waiting = asyncio.create_task(keys.take())
    await asyncio.sleep(0)
    keys.add("a")
    assert (await asyncio.wait_for(waiting, 1))[0] == "a"


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["add", "after", "take", "done", "failed"])), max_size=60
    )
)
def test_no_key_is_lost_or_worked_on_twice_at_a_time(actions: list[tuple[str, str]]) -> None:
    asyncio.run(_walk(actions))


async def _walk(actions: list[tuple[str, str]]) -> None:
    keys, clock = queue()
    owed: set[str] = set()
    working: set[str] = set()
    for key, action in actions:
        if action == "add":
            keys.add(key)
            owed.add(key)
        elif action == "after":
            keys.add_after(key, 1)
            owed.add(key)
        elif action == "take":
            taken = await take(keys)
            if taken is not None:
                assert taken not in working
                working.add(taken)
                owed.discard(taken)
        elif key in working:
            working.remove(key)
            if action == "done":
                keys.done(key)
            else:
                keys.failed(key)
                owed.add(key)
    for key in sorted(working):
        keys.done(key)
    clock.advance(10_000)
    seen: set[str] = set()
    while owed - seen:
        key, _ = await asyncio.wait_for(keys.take(), timeout=1)
        seen.add(key)
        keys.done(key)


def test_back_off_never_exceeds_its_longest_delay() -> None:
    assert Backoff(first=1, longest=60).delay(10_000) == 60
