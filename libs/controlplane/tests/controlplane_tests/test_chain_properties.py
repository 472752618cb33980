"""Whatever is done to whatever history, the verifier finds it; and it finds nothing where nothing was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parpour_controlplane.chain.blocks import SealedEvent
from parpour_controlplane.chain.checkpoints import Checkpoint, TreeHead
from parpour_controlplane.chain.faults import ChainFault
from parpour_controlplane.chain.verifying import History, verify

from .histories import KEY, KEYS, NEXT_KEY, STRANGER, cut, event, event_id, resumed, sealed, sizes_of

pytestmark = pytest.mark.unit
T = TypeVar("T")


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Up to five blocks, causes among earlier events, some payloads erased, signed after some blocks."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    events = []
    for position in range(1, sum(sizes) + 1):
        cause = draw(st.none() | st.integers(1, position - 1)) if position > 1 else None
        one = event(position, cause=event_id(cause) if cause else None)
        events.append(one.erased() if draw(st.booleans()) else one)
    signed = draw(st.sets(st.integers(1, len(sizes))))
    return sealed(events, sizes, signed=sorted(signed))


def _other_bytes(draw: st.DrawFn, old: bytes) -> bytes:
    """A bit flipped, a byte lost or one too many."""
    if not old:
        return b"\0"
    place = draw(st.integers(0, len(old) - 1))
    flipped = bytes([old[place] ^ 1 << draw(st.integers(0, 7))])
    return old[:place] + draw(st.sampled_from([flipped, b"", old[place : place + 1] + b"\0"])) + old[place + 1 :]


def _with_another_field(draw: st.DrawFn, value: Any) -> Any:
    """A dataclass with one field changed, however deep it lies."""
    name = draw(st.sampled_from([field.name for field in fields(value) if getattr(value, field.name) is not None]))
    old = getattr(value, name)
    if isinstance(old, bytes):
        new: Any = _other_bytes(draw, old)
    elif isinstance(old, int):
        new = old + draw(st.integers(-(2**65), 2**65).filter(bool))
    elif isinstance(old, str):
        new = old + "x"
    elif hasattr(old, "hex"):
        new = draw(st.uuids().filter(lambda other: other != old))
    else:
        new = _with_another_field(draw, old)
    return replace(value, **{name: new})


def _with_another_list(draw: st.DrawFn, items: Sequence[T]) -> Sequence[T]:
    """One dropped, doubled or moved, or one changed."""
    one = draw(st.integers(0, len(items) - 1))
    rest = [*items[:one], *items[one + 1 :]]
    kind = draw(st.sampled_from(["changed", "dropped", "doubled", "moved", "truncated"]))
    if kind == "dropped":
        return rest
    if kind == "truncated":
        return items[:one]
    if kind == "doubled":
        to = draw(st.integers(0, len(items)))
        return [*items[:to], items[one], *items[to:]]
    if kind == "moved" and len(items) > 1:
        to = draw(st.integers(0, len(rest)).filter(lambda other: other != one))
        return [*rest[:to], items[one], *rest[to:]]
    return [*items[:one], _with_another_field(draw, items[one]), *items[one + 1 :]]


@st.composite
def tampered(draw: st.DrawFn) -> tuple[History, Checkpoint]:
    """A history to which one thing was done, and the last checkpoint of what it had been."""
    true = draw(histories())
    kind = draw(st.sampled_from(["events", "blocks", "checkpoints", "rolled back", "forked", "swapped key"]))
    sizes, kept = sizes_of(true), true.checkpoints[-1]
    signed = [one.head.blocks for one in true.checkpoints]
    if kind == "rolled back":
        return cut(true, draw(st.integers(0, len(sizes) - 1))), kept
    if kind == "forked":
        position = draw(st.integers(1, len(true.events)))
        events: list[SealedEvent] = list(true.events)
        events[position - 1] = event(position, note="another")
        return sealed(events, sizes, signed=signed, key=draw(st.sampled_from([KEY, NEXT_KEY, STRANGER]))), kept
    if kind == "swapped key":
        return sealed(true.events, sizes, signed=signed, key=draw(st.sampled_from([NEXT_KEY, STRANGER]))), kept
    other: dict[str, Any] = {kind: _with_another_list(draw, getattr(true, kind))}
    return replace(true, **other), kept


@st.composite
def resumptions(draw: st.DrawFn) -> History:
    """A history that was set back once or twice, went on with other events each time, and has no other fault."""
    of = draw(histories())
    for life in range(draw(st.integers(1, 2))):
        blocks = draw(st.integers(0, of.checkpoints[-1].head.blocks - 1))
        first = sum(one.block.count for one in of.blocks[:blocks]) + 1
        more = [event(position, note=f"life {life}") for position in range(first, first + draw(st.integers(1, 4)))]
        of = resumed(of, blocks, more)
    return of


def accepted(of: History) -> list[bytes]:
    return [one.hash for one in of.checkpoints if one.resumption is not None]


@settings(max_examples=50)
@given(resumptions(), st.data())
def test_nothing_is_found_in_what_was_resumed_and_accepted(true: History, data: st.DataObject) -> None:
    kept = data.draw(st.none() | st.sampled_from(true.checkpoints))
    every = accepted(true)
    assert verify(true, keys=KEYS, kept=kept, accepted=every).events == len(true.events)
    without = data.draw(st.sampled_from(every))
    with pytest.raises(ChainFault, match="CHAIN_RESUMED"):
        verify(true, keys=KEYS, kept=kept, accepted=[one for one in every if one != without])


@st.composite
def tampered_resumptions(draw: st.DrawFn) -> tuple[History, History]:
    """Such a history, and the same with one thing done to it."""
    true = draw(resumptions())
    kind = draw(st.sampled_from(["events", "blocks", "checkpoints"]))
    other: dict[str, Any] = {kind: _with_another_list(draw, getattr(true, kind))}
    return true, replace(true, **other)


@settings(max_examples=150)
@given(tampered_resumptions())
def test_whatever_is_done_to_what_was_resumed_is_found(case: tuple[History, History]) -> None:
    true, changed = case
    with pytest.raises(ChainFault):
        verify(changed, keys=KEYS, kept=true.checkpoints[-1], accepted=accepted(true))


@settings(max_examples=30)
@given(histories(), st.data())
def test_nothing_is_found_where_nothing_was_done(true: History, data: st.DataObject) -> None:
    kept = data.draw(st.none() | st.sampled_from(true.checkpoints))
    proven = verify(true, keys=KEYS, kept=kept)
    assert proven.events == len(true.events)
    assert proven.erased == sum(one.opening is None for one in true.events)
    further = replace(true, events=[one.erased() for one in true.events])
    assert verify(further, keys=KEYS, kept=kept).erased == len(true.events)


@settings(max_examples=150)
@given(tampered())
def test_whatever_is_done_is_found(case: tuple[History, Checkpoint]) -> None:
    history, kept = case
    with pytest.raises(ChainFault):
        verify(history, keys=KEYS, kept=kept)


def test_a_place_that_is_named_is_the_place_of_what_was_changed() -> None:
    """Every event of a history in turn."""
    true = sealed([event(position) for position in range(1, 21)], [7, 1, 12])
    for number, one in enumerate(true.events, 1):
        assert one.opening is not None
        for changed in (
            replace(one, header=one.header + b"\0"),
            replace(one, opening=replace(one.opening, payload=b"{}")),
        ):
            events = [*true.events[: number - 1], changed, *true.events[number:]]
            with pytest.raises(ChainFault) as caught:
                verify(replace(true, events=events), keys=KEYS)
            assert str(caught.value.place) == f"event {number}"


def test_heads_that_differ_make_checkpoints_that_differ() -> None:
    """Whatever stands in a tree head is signed."""
    true = sealed([event(1)], [1]).checkpoints[0]
    for head in (
        TreeHead(true.head.tenant, 2, 1, true.head.root),
        TreeHead(true.head.tenant, 1, 2, true.head.root),
        TreeHead(true.head.tenant, 1, 1, bytes(32)),
    ):
        assert replace(true, head=head).hash != true.hash
    assert replace(true, time=true.time + 1).hash != true.hash
