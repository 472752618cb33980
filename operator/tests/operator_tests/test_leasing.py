"""The election and the fence, with a Lease in memory and a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from parpour_operator.leasing import Election, Fence, LeaseLost, Record
from parpour_operator.testing.memory import Clock

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@dataclass
class OneLease:
    """A Lease whose version changes with each write; `away` makes the server unreachable."""

    record: Record | None = None
    version: int = 0
    away: bool = False

    async def read(self) -> Record | None:
        if self.away:
            raise OSError("no route")
        return self.record

    async def write(self, record: Record) -> Record | None:
        if self.away:
            raise OSError("no route")
        if record.version != (self.record.version if self.record else ""):
            return None
        self.version += 1
        self.record = replace(record, version=str(self.version))
        return self.record


def candidate(name: str, lease: OneLease, clock: Clock) -> Election:
    return Election(
        leases=lease,
        identity=name,
        seconds=15,
        renew_deadline=10.0,
        retry=0.0,
        clock=clock.seconds,
        now=clock.now,
        fence=Fence(clock.seconds),
    )


async def test_one_of_two_candidates_wins() -> None:
    lease, clock = OneLease(), Clock()
    a, b = candidate("a", lease, clock), candidate("b", lease, clock)
    assert await a.attempt()
    assert not await b.attempt()
    assert (a.fence.open, b.fence.open) == (True, False)


async def test_a_dead_leader_is_followed_after_the_lease_time_and_not_before() -> None:
    lease, clock = OneLease(), Clock()
    a, b = candidate("a", lease, clock), candidate("b", lease, clock)
    assert await a.attempt()
    assert not await b.attempt()
    clock.advance(14.9)
    assert not await b.attempt()
    clock.advance(0.2)
    assert await b.attempt()
    assert not a.fence.open
    assert lease.record is not None
    assert lease.record.transitions == 1


async def test_a_renewed_lease_does_not_expire_whatever_the_holders_clock_says() -> None:
    lease, clock = OneLease(), Clock()
    a, b = candidate("a", lease, clock), candidate("b", lease, clock)
    for _ in range(10):
        assert await a.attempt()
        assert not await b.attempt()
        clock.advance(9)


async def test_a_released_lease_is_taken_at_once() -> None:
    lease, clock = OneLease(), Clock()
    a, b = candidate("a", lease, clock), candidate("b", lease, clock)
    assert await a.attempt()
    await a.release()
    assert not a.fence.open
    assert await b.attempt()


async def test_a_restarted_container_of_the_same_pod_goes_on_at_once() -> None:
    lease, clock = OneLease(), Clock()
    assert await candidate("a", lease, clock).attempt()
    assert await candidate("a", lease, clock).attempt()


async def test_a_leader_that_cannot_renew_stops_writing_before_another_may_start() -> None:
    lease, clock = OneLease(), Clock()
    a = candidate("a", lease, clock)
    assert await a.attempt()
    lease.away = True
    clock.advance(9.9)
    assert not await a.attempt()
    a.fence.check()
    clock.advance(0.2)
    with pytest.raises(LeaseLost):
        a.fence.check()
    with pytest.raises(LeaseLost):
        await a.hold()


async def test_a_leader_that_sees_another_holder_stops_at_once() -> None:
    lease, clock = OneLease(), Clock()
    a = candidate("a", lease, clock)
    assert await a.attempt()
    assert lease.record is not None
    lease.record = replace(lease.record, holder="b", version="99", renewed="later")
    with pytest.raises(LeaseLost):
        await a.hold()
