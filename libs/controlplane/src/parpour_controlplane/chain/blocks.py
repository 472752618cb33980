"""Sealed events and the blocks that they lie in.

A sealed event and a block carry their own hash beside their content. It proves nothing, since whoever changes the one
can change the other, but with it a verifier names the very event that was changed, and not just the block around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from struct import Struct
from uuid import UUID

from parpour_contracts.events import EventEnvelopeV1
from parpour_controlplane.chain.headers import Header, commitment, microseconds
from parpour_controlplane.chain.merkle import HASH_BYTES, leaf_hash, root_of

MAGIC = b"ppb1"
"""How a block of this version begins."""

NOTHING = bytes(HASH_BYTES)
"""What the first block, and the first checkpoint, follow."""

_FIXED = Struct(">4s16sQQI32s32sq")


@dataclass(frozen=True, slots=True)
class Opening:
    """What a commitment was made from; erased as one, because half of it proves nothing."""

    salt: bytes
    payload: bytes
    """The text of the payload, as it was stored."""


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """An event that has its place."""

    header: bytes
    commitment: bytes
    leaf: bytes
    """Hash of header and commitment."""
    opening: Opening | None
    """None after the payload was erased."""

    def erased(self) -> SealedEvent:
        """The same event without its payload, at the same place."""
        return replace(self, opening=None)


def seal_event(envelope: EventEnvelopeV1, opening: Opening, *, position: int) -> SealedEvent:
    """Give an event its position.

    Raises:
        ValueError: if the salt has not its length.
    """
    return seal_header(Header.of(envelope, position=position), opening)


def seal_header(header: Header, opening: Opening) -> SealedEvent:
    """The event of a header that has its position.

    Raises:
        ValueError: if the salt has not its length.
    """
    encoded = header.encode()
    committed = commitment(opening.salt, opening.payload)
    return SealedEvent(encoded, committed, leaf_hash(encoded + committed), opening)


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive events of one tenant, by the root of their tree, and the block before."""

    tenant: UUID
    number: int
    """From 1, without gaps."""
    first: int
    """Position of its first event."""
    count: int
    root: bytes
    previous: bytes
    """Hash of the block before, or `NOTHING`."""
    sealed_at: int
    """Microseconds since 1970."""

    @property
    def last(self) -> int:
        """Position of its last event."""
        return self.first + self.count - 1

    def encode(self) -> bytes:
        """The bytes that are hashed: fields of fixed size, numbers big-endian."""
        return _FIXED.pack(
            MAGIC,
            self.tenant.bytes,
            self.number,
            self.first,
            self.count,
            self.root,
            self.previous,
            self.sealed_at,
        )


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A block and its hash, which is its leaf in the tree of all blocks."""

    block: Block
    hash: bytes

    @classmethod
    def of(cls, block: Block) -> SealedBlock:
        """A block with the hash that it has."""
        return cls(block, leaf_hash(block.encode()))


def seal_block(tenant: UUID, events: Sequence[SealedEvent], *, after: SealedBlock | None, at: datetime) -> SealedBlock:
    """The block of these events, which follow those of the block before.

    Raises:
        ValueError: if there are none, or their positions or tenant are not those that follow.
    """
    first = after.block.last + 1 if after else 1
    headers = [Header.decode(event.header) for event in events]
    if not headers or [header.position for header in headers] != list(range(first, first + len(headers))):
        raise ValueError(f"a block has events, at the positions from {first} on")
    if {header.tenant for header in headers} != {tenant} or (after and after.block.tenant != tenant):
        raise ValueError("a block is of one tenant")
    return SealedBlock.of(
        Block(
            tenant=tenant,
            number=after.block.number + 1 if after else 1,
            first=first,
            count=len(headers),
            root=root_of([event.leaf for event in events]),
            previous=after.hash if after else NOTHING,
            sealed_at=microseconds(at),
        )
    )
