"""The order in which events get their places.

That of transactions, as the database counts them, is nearly right. But a transaction gets its number with its first
write and sees what others commit later on, so an event may have a higher number than another one that follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar
from uuid import UUID


class Caused(Protocol):
    """What has an id, and perhaps a cause."""

    @property
    def id(self) -> UUID: ...

    @property
    def causation(self) -> UUID | None: ...


T = TypeVar("T", bound=Caused)


def causes_first(events: Sequence[T]) -> list[T]:
    """The same events with every cause before its effects, and otherwise in the order that they had.

    A cause that is not among them was given its place before.

    Raises:
        ValueError: if events are each other's causes, or two have one id.
    """
    if all(one.causation is None for one in events):
        return list(events)
    by_id = {one.id: one for one in events}
    if len(by_id) < len(events):
        raise ValueError("two events have one id")
    placed: dict[UUID, T] = {}
    for event in events:
        path: list[T] = []
        on_path: set[UUID] = set()
        following: T | None = event
        while following is not None and following.id not in placed:
            if following.id in on_path:
                raise ValueError(f"events are each other's causes: {following.id}")
            on_path.add(following.id)
            path.append(following)
            following = by_id.get(following.causation) if following.causation else None
        placed.update((one.id, one) for one in reversed(path))
    return list(placed.values())
