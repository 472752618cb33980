"""The verifier finds what was done to a history and names the place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

import parpour_controlplane.chain
from parpour_controlplane.chain.blocks import SealedBlock, SealedEvent, seal_block
from parpour_controlplane.chain.checkpoints import Checkpoint, TreeHead, sign, trusted
from parpour_controlplane.chain.faults import FAULTS, ChainFault
from parpour_controlplane.chain.headers import instant
from parpour_controlplane.chain.merkle import EMPTY, leaf_hash
from parpour_controlplane.chain.verifying import History, Verified, verify

from .histories import (
    KEY,
    KEYS,
    NEXT_KEY,
    OTHER,
    STRANGER,
    TENANT,
    cut,
    event,
    event_id,
    forged,
    history,
    sealed,
    sizes_of,
)

pytestmark = pytest.mark.unit
TRUE = history()
KEPT = TRUE.checkpoints[-1]
T = TypeVar("T")


def put(items: Sequence[T], number: int, *instead: T) -> tuple[T, ...]:
    """The items with others, or none, in the place of one; numbers count from 1."""
    return (*items[: number - 1], *instead, *items[number:])


def moved(items: Sequence[T], number: int) -> tuple[T, ...]:
    """The items with one and the next exchanged."""
    return (*items[: number - 1], items[number], items[number - 1], *items[number + 1 :])


def events(changed: Sequence[SealedEvent]) -> History:
    return replace(TRUE, events=tuple(changed))


def blocks(changed: Sequence[SealedBlock]) -> History:
    return replace(TRUE, blocks=tuple(changed))


def checkpoints(changed: Sequence[Checkpoint]) -> History:
    return replace(TRUE, checkpoints=tuple(changed))


def block_with(number: int, **fields: Any) -> Sequence[SealedBlock]:
    return put(TRUE.blocks, number, SealedBlock.of(replace(TRUE.blocks[number - 1].block, **fields)))


def checkpoint_with(number: int, **fields: Any) -> Sequence[Checkpoint]:
    return put(TRUE.checkpoints, number, replace(TRUE.checkpoints[number - 1], **fields))


def signed_anew(number: int, *, head: TreeHead | None = None, key: Any = KEY) -> Sequence[Checkpoint]:
    """The checkpoints with one that is signed again, and those before."""
    old = TRUE.checkpoints[number - 1]
    after = TRUE.checkpoints[number - 2] if number > 1 else None
    return (*TRUE.checkpoints[: number - 1], sign(head or old.head, after=after, key=key, at=instant(old.time)))


FIFTH = TRUE.events[4]
assert FIFTH.opening is not None
NINTH = b"ppe9" + FIFTH.header[4:]
REWRITTEN = sealed(put(TRUE.events, 5, event(5, note="another")), sizes_of(TRUE), signed=(1, 2, 3))


@dataclass(frozen=True)
class Case:
    history: History
    code: str
    place: str


_NAMING = sign(
    TRUE.checkpoints[1].head, after=TRUE.checkpoints[0], key=KEY, at=instant(KEPT.time), successor=NEXT_KEY.public
)
HANDED_OVER = [TRUE.checkpoints[0], _NAMING, sign(KEPT.head, after=_NAMING, key=KEY, at=instant(KEPT.time))]


CASES = {
    # changed
    "a header": Case(
        events(put(TRUE.events, 5, replace(FIFTH, header=FIFTH.header.replace(b"agent:7", b"agent:8")))),
        "CHAIN_EVENT_CHANGED",
        "event 5",
    ),
    "a position": Case(
        events(put(TRUE.events, 5, replace(FIFTH, header=TRUE.events[5].header))), "CHAIN_EVENT_CHANGED", "event 5"
    ),
    "a payload": Case(
        events(put(TRUE.events, 5, replace(FIFTH, opening=replace(FIFTH.opening, payload=b"{}")))),
        "CHAIN_PAYLOAD_CHANGED",
        "event 5",
    ),
    "a salt that takes a byte of the payload": Case(
        events(
            put(
                TRUE.events,
                5,
                replace(
                    FIFTH,
                    opening=replace(
                        FIFTH.opening,
                        salt=FIFTH.opening.salt + FIFTH.opening.payload[:1],
                        payload=FIFTH.opening.payload[1:],
                    ),
                ),
            )
        ),
        "CHAIN_PAYLOAD_CHANGED",
        "event 5",
    ),
    "a commitment that takes a byte of the header": Case(
        events(
            put(
                TRUE.events,
                5,
                replace(FIFTH, header=FIFTH.header[:-1], commitment=FIFTH.header[-1:] + FIFTH.commitment, opening=None),
            )
        ),
        "CHAIN_EVENT_CHANGED",
        "event 5",
    ),
    "a header and its hash": Case(
        events(put(TRUE.events, 5, forged(FIFTH, actor="agent:8"))), "CHAIN_ROOT_MISMATCH", "block 2"
    ),
    "a block": Case(
        blocks(
            put(TRUE.blocks, 2, replace(TRUE.blocks[1], block=replace(TRUE.blocks[1].block, sealed_at=0))),
        ),
        "CHAIN_BLOCK_CHANGED",
        "block 2",
    ),
    "a block that counts below nothing": Case(
        blocks(put(TRUE.blocks, 2, replace(TRUE.blocks[1], block=replace(TRUE.blocks[1].block, count=-1)))),
        "CHAIN_BLOCK_CHANGED",
        "block 2",
    ),
    "a block and its hash": Case(blocks(block_with(2, sealed_at=0)), "CHAIN_UNLINKED", "block 3"),
    "the last block and its hash": Case(blocks(block_with(3, sealed_at=0)), "CHAIN_FORKED", "checkpoint 3"),
    "a block that begins elsewhere": Case(blocks(block_with(2, first=5)), "CHAIN_UNLINKED", "block 2"),
    "all but the signatures": Case(replace(REWRITTEN, checkpoints=TRUE.checkpoints), "CHAIN_FORKED", "checkpoint 2"),
    "a checkpoint": Case(checkpoints(checkpoint_with(2, time=0)), "CHAIN_SIGNATURE_INVALID", "checkpoint 2"),
    "a checkpoint that counts below nothing": Case(
        checkpoints(checkpoint_with(2, head=replace(TRUE.checkpoints[1].head, size=-1))),
        "CHAIN_SIGNATURE_INVALID",
        "checkpoint 2",
    ),
    # inserted
    "an event that stands there twice": Case(events(put(TRUE.events, 5, FIFTH, FIFTH)), "CHAIN_INSERTED", "event 5"),
    "an event of a later place": Case(events(put(TRUE.events, 5, TRUE.events[7], FIFTH)), "CHAIN_INSERTED", "event 8"),
    "an event of one's own": Case(
        events(put(TRUE.events, 5, FIFTH, event(5, id=event_id(99)))), "CHAIN_INSERTED", "event 5"
    ),
    "an event at the end": Case(events((*TRUE.events, event(10))), "CHAIN_INSERTED", "event 10"),
    "an event far beyond the end": Case(events(put(TRUE.events, 5, event(99), FIFTH)), "CHAIN_INSERTED", "event 5"),
    "a block that stands there twice": Case(
        blocks(put(TRUE.blocks, 2, TRUE.blocks[1], TRUE.blocks[1])), "CHAIN_INSERTED", "block 2"
    ),
    "a block at the end": Case(
        replace(
            TRUE,
            events=(*TRUE.events, event(10)),
            blocks=(*TRUE.blocks, seal_block(TENANT, [event(10)], after=TRUE.blocks[-1], at=instant(0))),
        ),
        "CHAIN_UNSIGNED",
        "block 4",
    ),
    "a checkpoint that stands there twice": Case(
        checkpoints(put(TRUE.checkpoints, 2, TRUE.checkpoints[1], TRUE.checkpoints[1])),
        "CHAIN_UNLINKED",
        "checkpoint 3",
    ),
    # dropped
    "an event is missing": Case(events(put(TRUE.events, 5)), "CHAIN_DROPPED", "event 5"),
    "a block is missing": Case(blocks(put(TRUE.blocks, 2)), "CHAIN_DROPPED", "block 2"),
    "a checkpoint is missing": Case(checkpoints(put(TRUE.checkpoints, 2)), "CHAIN_UNLINKED", "checkpoint 2"),
    # reordered
    "two events": Case(events(moved(TRUE.events, 5)), "CHAIN_REORDERED", "event 5"),
    "two blocks": Case(blocks(moved(TRUE.blocks, 2)), "CHAIN_REORDERED", "block 2"),
    "two checkpoints": Case(checkpoints(moved(TRUE.checkpoints, 2)), "CHAIN_UNLINKED", "checkpoint 2"),
    # truncated, rolled back, forked
    "the last events are missing": Case(events(TRUE.events[:-2]), "CHAIN_TRUNCATED", "event 8"),
    "the last block is missing": Case(
        replace(cut(TRUE, 2), checkpoints=TRUE.checkpoints), "CHAIN_TRUNCATED", "block 3"
    ),
    "the last checkpoint is missing": Case(checkpoints(TRUE.checkpoints[:-1]), "CHAIN_UNSIGNED", "block 3"),
    "an older history": Case(cut(TRUE, 2), "CHAIN_ROLLED_BACK", "event 6"),
    "no history": Case(cut(TRUE, 0), "CHAIN_ROLLED_BACK", "event 1"),
    "a signer that went back": Case(
        replace(
            TRUE,
            checkpoints=(
                *TRUE.checkpoints,
                replace(
                    (shorter := replace(TRUE.checkpoints[0], previous=KEPT.hash)), signature=KEY.sign(shorter.text())
                ),
            ),
        ),
        "CHAIN_ROLLED_BACK",
        "checkpoint 4",
    ),
    "another history under the same key": Case(REWRITTEN, "CHAIN_FORKED", "checkpoint 3"),
    "another and longer history under the same key": Case(
        sealed([*REWRITTEN.events, event(10)], [3, 2, 4, 1], signed=(1, 2, 3)), "CHAIN_FORKED", "checkpoint 3"
    ),
    "a signed size that is not that of the blocks": Case(
        checkpoints(signed_anew(3, head=replace(KEPT.head, size=8))), "CHAIN_FORKED", "checkpoint 3"
    ),
    # swapped keys
    "a key that nobody trusts": Case(checkpoints(signed_anew(3, key=STRANGER)), "CHAIN_KEY_UNKNOWN", "checkpoint 3"),
    "a key that had handed over": Case(checkpoints(HANDED_OVER), "CHAIN_KEY_RETIRED", "checkpoint 3"),
    "a signature by another trusted key": Case(
        checkpoints(checkpoint_with(3, signature=NEXT_KEY.sign(KEPT.text()))),
        "CHAIN_SIGNATURE_INVALID",
        "checkpoint 3",
    ),
    "the name of another trusted key": Case(
        checkpoints(checkpoint_with(3, key_id=NEXT_KEY.key_id)), "CHAIN_SIGNATURE_INVALID", "checkpoint 3"
    ),
    # sealed as it stands, but never by our sealer
    "a cause that comes later": Case(
        sealed(put(TRUE.events, 5, event(5, cause=event_id(6))), sizes_of(TRUE)), "CHAIN_CAUSE_UNKNOWN", "event 5"
    ),
    "an event that is its own cause": Case(
        sealed(put(TRUE.events, 5, event(5, cause=event_id(5))), sizes_of(TRUE)), "CHAIN_CAUSE_UNKNOWN", "event 5"
    ),
    "an id that is used again": Case(
        sealed(put(TRUE.events, 5, event(5, id=event_id(4))), sizes_of(TRUE)), "CHAIN_EVENT_REPEATED", "event 5"
    ),
    "an event of another tenant": Case(
        events(put(TRUE.events, 5, event(5, tenant=OTHER))), "CHAIN_TENANT_MIXED", "event 5"
    ),
    "a block of another tenant": Case(blocks(block_with(2, tenant=OTHER)), "CHAIN_TENANT_MIXED", "block 2"),
    "a checkpoint of another tenant": Case(
        sealed([event(1, tenant=OTHER)], [1], tenant=OTHER), "CHAIN_TENANT_MIXED", "checkpoint 1"
    ),
    "no header at all": Case(
        events(put(TRUE.events, 5, replace(FIFTH, header=b"", leaf=leaf_hash(FIFTH.commitment)))),
        "CHAIN_EVENT_CHANGED",
        "event 5",
    ),
    "a header of another version": Case(
        events(put(TRUE.events, 5, replace(FIFTH, header=NINTH, leaf=leaf_hash(NINTH + FIFTH.commitment)))),
        "CHAIN_EVENT_CHANGED",
        "event 5",
    ),
    "an event without a position": Case(
        events(put(TRUE.events, 5, forged(FIFTH, position=0))), "CHAIN_DROPPED", "event 5"
    ),
    "a block of no events": Case(blocks(block_with(2, count=0)), "CHAIN_UNLINKED", "block 2"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_done_is_found_and_its_place_named(name: str) -> None:
    case = CASES[name]
    of = replace(case.history, tenant=TENANT)
    with pytest.raises(ChainFault) as caught:
        verify(of, keys=KEYS, kept=KEPT)
    assert (caught.value.code, str(caught.value.place)) == (case.code, case.place)


def test_every_code_has_its_case_and_no_other_is_used() -> None:
    assert {case.code for case in CASES.values()} == set(FAULTS)
    sources = Path(parpour_controlplane.chain.__file__).parent.glob("*.py")
    assert {code for path in sources for code in re.findall(r"CHAIN_[A-Z_]+", path.read_text())} == set(FAULTS)


@pytest.mark.parametrize("kept", [None, *TRUE.checkpoints])
def test_an_untouched_history_verifies_from_any_of_its_checkpoints(kept: Checkpoint | None) -> None:
    assert verify(TRUE, keys=KEYS, kept=kept) == Verified(events=9, blocks=3, erased=0, checkpoint=KEPT)


def test_erased_payloads_leave_the_chain_whole_and_are_counted() -> None:
    of = events([one.erased() if number % 2 else one for number, one in enumerate(TRUE.events)])
    assert verify(of, keys=KEYS, kept=KEPT).erased == 4


def test_a_history_goes_on_under_a_new_key() -> None:
    head = replace(KEPT.head)
    renewed = sign(head, after=KEPT, key=NEXT_KEY, at=instant(KEPT.time + 1))
    of = checkpoints([*TRUE.checkpoints, renewed])
    assert verify(of, keys=KEYS, kept=KEPT).checkpoint == renewed
    with pytest.raises(ChainFault, match="CHAIN_KEY_UNKNOWN: checkpoint 4"):
        verify(of, keys=trusted([KEY.public]), kept=KEPT)
    with pytest.raises(ChainFault, match="CHAIN_ROLLED_BACK: event 10"):
        verify(TRUE, keys=KEYS, kept=renewed)


def test_a_kept_checkpoint_counts_only_under_a_trusted_key_and_for_its_tenant() -> None:
    with pytest.raises(ChainFault, match="CHAIN_KEY_UNKNOWN: kept checkpoint 9"):
        verify(TRUE, keys=KEYS, kept=signed_anew(3, key=STRANGER)[-1])
    others = sealed([event(1, tenant=OTHER)], [1], tenant=OTHER)
    with pytest.raises(ChainFault, match="CHAIN_TENANT_MIXED: kept checkpoint 1"):
        verify(TRUE, keys=KEYS, kept=others.checkpoints[0])


def test_without_a_kept_checkpoint_the_holder_of_a_key_can_write_another_history() -> None:
    assert verify(REWRITTEN, keys=KEYS).events == 9
    assert verify(cut(TRUE, 2), keys=KEYS).events == 5


def test_a_history_that_has_not_begun_verifies() -> None:
    nothing = cut(TRUE, 0)
    assert verify(nothing, keys=KEYS) == Verified(events=0, blocks=0, erased=0, checkpoint=None)
    first = sign(TreeHead(TENANT, 0, 0, EMPTY), after=None, key=KEY, at=instant(0))
    assert verify(replace(nothing, checkpoints=(first,)), keys=KEYS, kept=first).checkpoint == first
    with pytest.raises(ChainFault, match="CHAIN_ROLLED_BACK"):
        verify(nothing, keys=KEYS, kept=first)


REFUSED: dict[str, Callable[[], object]] = {
    "a block without events": lambda: seal_block(TENANT, [], after=None, at=instant(0)),
    "a block with a gap before it": lambda: seal_block(TENANT, [event(2)], after=None, at=instant(0)),
    "a block with a gap in it": lambda: seal_block(TENANT, [event(1), event(3)], after=None, at=instant(0)),
    "a block of two tenants": lambda: seal_block(TENANT, [event(1, tenant=OTHER)], after=None, at=instant(0)),
    "a block after another tenant's": lambda: seal_block(
        OTHER, [event(10, tenant=OTHER)], after=TRUE.blocks[-1], at=instant(0)
    ),
    "a checkpoint of less than before": lambda: sign(TRUE.checkpoints[0].head, after=KEPT, key=KEY, at=instant(0)),
    "a checkpoint after another tenant's": lambda: sign(
        replace(KEPT.head, tenant=OTHER), after=KEPT, key=KEY, at=instant(0)
    ),
    "a kept checkpoint that was cut short": lambda: Checkpoint.decode(KEPT.encode()[:-1]),
    "a kept checkpoint of another version": lambda: Checkpoint.decode(b"ppc9" + KEPT.encode()[4:]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_verifier_would_accept_is_not_made(name: str) -> None:
    with pytest.raises(ValueError, match=r"block|checkpoint"):
        REFUSED[name]()


def test_a_kept_checkpoint_is_read_back_as_it_was() -> None:
    assert Checkpoint.decode(KEPT.encode()) == KEPT


def test_a_signing_key_does_not_show_its_secret() -> None:
    assert repr(KEY) == f"SigningKey({KEY.key_id.hex()[:16]})"
