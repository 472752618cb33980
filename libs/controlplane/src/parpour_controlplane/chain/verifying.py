"""The offline verifier: is this history the one that was sealed, and if not, where does it leave it?

It trusts public keys and, if there is one, a checkpoint that was kept from an earlier look. Hashes are looked at before
positions, so that an event that was changed is called changed and not dropped; signatures come before both, as
everything else is measured against them. A history that was made anew from end to end by the holder of a key
contradicts nothing but the kept checkpoint: without one, neither a roll-back nor such a fork can be seen.

A history that people resumed after a restore has lost what was signed. Nobody is to overlook that, so it verifies only
for those who name each resumption by its hash.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import error
from typing import Protocol
from uuid import UUID

from parpour_controlplane.chain.blocks import NOTHING, SealedBlock, SealedEvent
from parpour_controlplane.chain.checkpoints import Checkpoint, Keys, Resumption, covered, trusted
from parpour_controlplane.chain.faults import ChainFault, Part
from parpour_controlplane.chain.headers import COMMITMENT, FIXED, MAGIC, SALT_BYTES
from parpour_controlplane.chain.merkle import EMPTY, HASH_BYTES, LEAF, GrowingTree, leaf_hash, root_of


@dataclass(frozen=True)
class History:
    """A tenant's export: everything from the first event to the last checkpoint."""

    tenant: UUID
    events: Sequence[SealedEvent]
    blocks: Sequence[SealedBlock]
    checkpoints: Sequence[Checkpoint]


class Provable(Protocol):
    """A history as the verifier takes it. Its events may lie in a file: they are gone through one after the other."""

    @property
    def tenant(self) -> UUID:
        """Whose it is."""

    @property
    def events(self) -> Iterable[SealedEvent]:
        """In their order; once more, if a fault has to be named."""

    @property
    def blocks(self) -> Sequence[SealedBlock]:
        """In their order."""

    @property
    def checkpoints(self) -> Sequence[Checkpoint]:
        """In their order."""


@dataclass(frozen=True)
class Verified:
    """What was proven of a history without a fault."""

    events: int
    blocks: int
    erased: int
    """Events whose payload was erased: that they happened is proven, what they said cannot be told."""
    checkpoint: Checkpoint | None
    """The last one, to be kept for the next time; None if nothing was ever signed."""
    resumptions: tuple[Checkpoint, ...] = ()
    """Checkpoints by which it went on with less than was signed, each of them accepted."""


class Proof:
    """A history that is being verified: whoever goes through its events has, at the end, gone through proven ones.

    An event is handed on before the block around it is complete, so what was made of events counts for nothing until
    `verified` can be asked for.
    """

    def __init__(
        self, history: Provable, *, keys: Keys, kept: Checkpoint | None = None, accepted: Collection[bytes] = ()
    ) -> None:
        self._history = history
        self._keys = keys
        self._kept = kept
        self._accepted = accepted
        self._verified: Verified | None = None

    def __iter__(self) -> Iterator[SealedEvent]:
        """Each event, as it was sealed.

        Raises:
            ChainFault: with the first place that contradicts the rest, and how.
        """
        history, kept = self._history, self._kept
        keys = _check_checkpoints(history, self._keys, self._accepted)
        if kept is not None:
            _check_signature(kept, history.tenant, keys, "kept checkpoint", kept.head.size)
        _check_blocks(history)
        events = erased = 0
        for event in _checked_events(history):
            events += 1
            erased += event.opening is None
            yield event
        _check_heads(history)
        if kept is not None:
            _check_kept(history.checkpoints, kept)
        self._verified = Verified(
            events=events,
            blocks=len(history.blocks),
            erased=erased,
            checkpoint=history.checkpoints[-1] if history.checkpoints else None,
            resumptions=tuple(one for one in history.checkpoints if one.resumption is not None),
        )

    @property
    def verified(self) -> Verified:
        """What was proven.

        Raises:
            ValueError: if nobody has gone through all events.
        """
        if self._verified is None:
            raise ValueError("the history was not gone through")
        return self._verified


def verify(
    history: Provable, *, keys: Keys, kept: Checkpoint | None = None, accepted: Collection[bytes] = ()
) -> Verified:
    """Check a whole history. `accepted` has the hashes of resumptions that are no fault.

    Raises:
        ChainFault: with the first place that contradicts the rest, and how.
    """
    proof = Proof(history, keys=keys, kept=kept, accepted=accepted)
    for _ in proof:
        pass
    return proof.verified


def _check_checkpoints(history: Provable, keys: Keys, accepted: Collection[bytes]) -> Keys:
    """Each is signed by the key whose turn it is; returns the trusted keys, with those that they handed over to."""
    known, retired = dict(keys), set[bytes]()
    before: Checkpoint | None = None
    for number, checkpoint in enumerate(history.checkpoints, 1):
        if checkpoint.key_id in retired:
            raise ChainFault("CHAIN_KEY_RETIRED", "checkpoint", number)
        _check_signature(checkpoint, history.tenant, known, "checkpoint", number)
        if checkpoint.previous != (before.hash if before else NOTHING):
            raise ChainFault("CHAIN_UNLINKED", "checkpoint", number)
        if checkpoint.resumption is not None:
            _check_resumption(checkpoint, checkpoint.resumption, before, number, accepted)
        elif before and checkpoint.head.size < before.head.size:
            raise ChainFault("CHAIN_ROLLED_BACK", "checkpoint", number)
        if checkpoint.successor:
            retired.add(checkpoint.key_id)
            known.update(trusted([checkpoint.successor]))
        before = checkpoint
    return known


def _check_resumption(
    checkpoint: Checkpoint, said: Resumption, before: Checkpoint | None, number: int, accepted: Collection[bytes]
) -> None:
    """It lets go of what it says, and somebody has accepted that."""
    head = checkpoint.head
    if before is None or said.lost != before.head.size or head.size >= said.lost or head.blocks >= before.head.blocks:
        raise ChainFault("CHAIN_RESUMPTION_GROUNDLESS", "checkpoint", number)
    if checkpoint.hash not in accepted:
        detail = (
            f"events {head.size + 1} to {said.lost} were signed and are lost; resumed by {said.by!r}, because of "
            f"{said.reason!r}; whoever agrees says --accept-resumption {checkpoint.hash.hex()}"
        )
        raise ChainFault("CHAIN_RESUMED", "checkpoint", number, detail)


def _check_signature(checkpoint: Checkpoint, tenant: UUID, keys: Keys, part: Part, number: int) -> None:
    key = keys.get(checkpoint.key_id)
    if key is None:
        raise ChainFault("CHAIN_KEY_UNKNOWN", part, number)
    try:
        signed = checkpoint.is_signed_by(key)
    except error:  # a number that no checkpoint can hold
        signed = False
    if not signed:
        raise ChainFault("CHAIN_SIGNATURE_INVALID", part, number)
    if checkpoint.head.tenant != tenant:
        raise ChainFault("CHAIN_TENANT_MIXED", part, number)


def _check_blocks(history: Provable) -> None:
    """Each block is what it says, at its place, and follows the one before; the last checkpoint covers them all."""
    signed = history.checkpoints[-1].head.blocks if history.checkpoints else 0
    previous, first = NOTHING, 1
    for number, sealed in enumerate(history.blocks, 1):
        block = sealed.block
        try:
            changed = leaf_hash(block.encode()) != sealed.hash
        except error:  # a number that no block can hold
            changed = True
        if changed:
            raise ChainFault("CHAIN_BLOCK_CHANGED", "block", number)
        if block.tenant != history.tenant:
            raise ChainFault("CHAIN_TENANT_MIXED", "block", number)
        if block.number != number:
            raise _misplaced("block", [one.block.number for one in history.blocks], number, signed)
        if block.previous != previous or block.first != first or block.count < 1:
            raise ChainFault("CHAIN_UNLINKED", "block", number)
        previous, first = sealed.hash, block.last + 1
    if len(history.blocks) < signed:
        raise ChainFault("CHAIN_TRUNCATED", "block", len(history.blocks) + 1)
    if len(history.blocks) > signed:
        raise ChainFault("CHAIN_UNSIGNED", "block", signed + 1)


def _checked_events(history: Provable) -> Iterator[SealedEvent]:
    """Each event is what it says, at its place, after its cause; and the blocks are made of them."""
    total = history.blocks[-1].block.last if history.blocks else 0
    tenant = history.tenant.bytes
    seen: set[bytes] = set()
    unpack = FIXED.unpack_from
    blocks = iter(history.blocks)
    block = next(blocks).block if history.blocks else None
    leaves: list[bytes] = []
    mismatched = None
    number = 0
    for number, event in enumerate(history.events, 1):
        header, committed = event.header, event.commitment
        if len(committed) != HASH_BYTES or sha256(LEAF + header + committed).digest() != event.leaf:
            raise ChainFault("CHAIN_EVENT_CHANGED", "event", number)
        opening = event.opening
        if opening is not None and (
            len(opening.salt) != SALT_BYTES or sha256(COMMITMENT + opening.salt + opening.payload).digest() != committed
        ):
            raise ChainFault("CHAIN_PAYLOAD_CHANGED", "event", number)
        if len(header) < FIXED.size:
            raise ChainFault("CHAIN_EVENT_CHANGED", "event", number)
        magic, whose, position, event_id, _, caused, cause, _, _ = unpack(header)
        if magic != MAGIC:
            raise ChainFault("CHAIN_EVENT_CHANGED", "event", number)
        if whose != tenant:
            raise ChainFault("CHAIN_TENANT_MIXED", "event", number)
        if position != number or number > total or block is None:
            raise _misplaced("event", [_position(one) for one in history.events], number, total)
        if event_id in seen:
            raise ChainFault("CHAIN_EVENT_REPEATED", "event", number)
        if caused and cause not in seen:
            raise ChainFault("CHAIN_CAUSE_UNKNOWN", "event", number)
        seen.add(event_id)
        leaves.append(event.leaf)
        if number == block.last:
            # An event that stands wrong later on tells more than a root, so that comes first.
            if mismatched is None and root_of(leaves) != block.root:
                mismatched = block
            leaves.clear()
            following = next(blocks, None)
            block = None if following is None else following.block
        yield event
    if number < total:
        raise ChainFault("CHAIN_TRUNCATED", "event", number + 1)
    if mismatched is not None:
        positions = f"the events at {mismatched.first} to {mismatched.last} are not the ones that were sealed"
        raise ChainFault("CHAIN_ROOT_MISMATCH", "block", mismatched.number, positions)


def _position(event: SealedEvent) -> int:
    return FIXED.unpack_from(event.header)[2] if len(event.header) >= FIXED.size else 0


def _misplaced(part: Part, found: Sequence[int], expected: int, total: int) -> ChainFault:
    """The fault of a list whose entry at place `expected` bears another number, of which there should be `total`."""
    number = found[expected - 1]
    if number > total:
        return ChainFault("CHAIN_INSERTED", part, expected)
    if found.count(number) > 1:
        return ChainFault("CHAIN_INSERTED", part, number)
    if expected in found[expected:]:
        return ChainFault("CHAIN_REORDERED", part, expected)
    return ChainFault("CHAIN_DROPPED", part, expected)


def _check_heads(history: Provable) -> None:
    """Every checkpoint is of this history, unless of what it lost: its root is that of the blocks up to its size."""
    tree, ends, roots = GrowingTree(), [0], [EMPTY]
    for sealed in history.blocks:
        tree.append(sealed.hash)
        ends.append(sealed.block.last)
        roots.append(tree.root())
    agreed = 0
    comparable = covered(history.checkpoints)
    for number, checkpoint in enumerate(history.checkpoints, 1):
        head = checkpoint.head
        if not comparable[number - 1]:
            continue
        if head.blocks >= len(roots) or head.size != ends[head.blocks] or head.root != roots[head.blocks]:
            raise ChainFault("CHAIN_FORKED", "checkpoint", number, _fork(agreed, head.size))
        agreed = head.size


def _check_kept(checkpoints: Sequence[Checkpoint], kept: Checkpoint) -> None:
    """The kept checkpoint is one of the history's."""
    hashes = {checkpoint.hash: checkpoint.head.size for checkpoint in checkpoints}
    if kept.hash in hashes:
        return
    last = checkpoints[-1] if checkpoints else None
    size = last.head.size if last else 0
    if last is None or max(hashes.values()) < kept.head.size or kept.previous == last.hash:
        detail = f"{kept.head.size} events were signed, {size} are there"
        if kept.resumption is not None:
            detail = f"this is from before it was resumed after event {kept.head.size}"
        raise ChainFault("CHAIN_ROLLED_BACK", "event", size + 1, detail)
    number = next(number for number, one in enumerate(checkpoints, 1) if one.head.size >= kept.head.size)
    raise ChainFault("CHAIN_FORKED", "checkpoint", number, _fork(hashes.get(kept.previous, 0), kept.head.size))


def _fork(agreed: int, size: int) -> str:
    return f"another history was signed: they part after event {agreed}, at event {size} at the latest"
