"""Builds histories, and builds them anew as somebody would who holds a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from parpour_contracts.events import EventEnvelopeV1
from parpour_controlplane.chain.blocks import Opening, SealedBlock, SealedEvent, seal_block, seal_event
from parpour_controlplane.chain.checkpoints import Checkpoint, SigningKey, TreeHead, resume, sign, trusted
from parpour_controlplane.chain.headers import Header
from parpour_controlplane.chain.merkle import GrowingTree, leaf_hash
from parpour_controlplane.chain.verifying import History

TENANT, OTHER = UUID(int=7), UUID(int=8)
KEY, NEXT_KEY, STRANGER = (SigningKey(bytes([seed]) * 32) for seed in (1, 2, 3))
KEYS = trusted([KEY.public, NEXT_KEY.public])
START = datetime(2026, 1, 1, tzinfo=UTC)


def event_id(position: int) -> UUID:
    return UUID(int=1000 + position)


def event(
    position: int, *, cause: UUID | None = None, tenant: UUID = TENANT, id: UUID | None = None, note: str = ""
) -> SealedEvent:
    """The event of a position, with a salt that follows from it."""
    envelope = EventEnvelopeV1(
        tenant=tenant,
        id=id or event_id(position),
        type="treasury.journal.posted",
        version=1,
        time=START + timedelta(seconds=position),
        actor="agent:7",
        correlation=UUID(int=1),
        causation=cause,
        subject=f"journal/{position}",
        payload={},
        taint=("web",),
    )
    payload = f'{{"journal": {position}, "note": "{note}"}}'.encode()
    return seal_event(envelope, Opening(sha256(payload).digest(), payload), position=position)


def sealed(
    events: Sequence[SealedEvent],
    sizes: Sequence[int],
    *,
    key: SigningKey = KEY,
    signed: Sequence[int] = (),
    tenant: UUID = TENANT,
) -> History:
    """A history of these events in blocks of these sizes, signed after the blocks named and after the last."""
    blocks: list[SealedBlock] = []
    checkpoints: list[Checkpoint] = []
    tree, first = GrowingTree(), 0
    for number, size in enumerate(sizes, 1):
        after = blocks[-1] if blocks else None
        at = START + timedelta(minutes=number)
        blocks.append(seal_block(tenant, events[first : first + size], after=after, at=at))
        tree.append(blocks[-1].hash)
        first += size
        if number in signed or number == len(sizes):
            head = TreeHead(tenant, first, number, tree.root())
            checkpoints.append(sign(head, after=checkpoints[-1] if checkpoints else None, key=key, at=at))
    return History(tenant, tuple(events), tuple(blocks), tuple(checkpoints))


def history(sizes: Sequence[int] = (3, 2, 4), *, causes: Mapping[int, int] | None = None) -> History:
    """A history that is signed after each block; `causes` names positions by position."""
    named = causes if causes is not None else {2: 1, 7: 3}
    events = [
        event(position, cause=event_id(named[position]) if position in named else None)
        for position in range(1, sum(sizes) + 1)
    ]
    return sealed(events, sizes, signed=range(1, len(sizes) + 1))


def forged(one: SealedEvent, **fields: object) -> SealedEvent:
    """An event with another header, and a leaf that agrees with it."""
    header = replace(Header.decode(one.header), **fields).encode()  # type: ignore[arg-type]
    return replace(one, header=header, leaf=leaf_hash(header + one.commitment))


def sizes_of(of: History) -> list[int]:
    return [sealed.block.count for sealed in of.blocks]


def cut(of: History, blocks: int) -> History:
    """The history as it was when it had so many blocks."""
    end = of.blocks[blocks - 1].block.last if blocks else 0
    checkpoints = tuple(one for one in of.checkpoints if one.head.blocks <= blocks)
    return History(of.tenant, of.events[:end], of.blocks[:blocks], checkpoints)


def resumed(of: History, blocks: int, more: Sequence[SealedEvent] = (), *, key: SigningKey = KEY) -> History:
    """The history after a restore to so many blocks: people resumed it, and other events came, in one block."""
    left = cut(of, blocks)
    tree = GrowingTree()
    for one in left.blocks:
        tree.append(one.hash)
    at = START + timedelta(hours=1)
    head = TreeHead(of.tenant, len(left.events), blocks, tree.root())
    going_on = resume(head, after=of.checkpoints[-1], key=key, at=at, by="user:ann", reason="a disk was lost")
    if not more:
        return replace(left, checkpoints=(*of.checkpoints, going_on))
    new = seal_block(of.tenant, more, after=left.blocks[-1] if left.blocks else None, at=at)
    tree.append(new.hash)
    head = TreeHead(of.tenant, new.block.last, blocks + 1, tree.root())
    last = sign(head, after=going_on, key=key, at=at)
    return History(of.tenant, (*left.events, *more), (*left.blocks, new), (*of.checkpoints, going_on, last))
