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
from parpour_controlplane.chain.checkpoints import Checkpoint, Resumption, TreeHead, given_up, resume, sign, trusted
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
    resumed,
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
    accepted: tuple[bytes, ...] = ()


_NAMING = sign(
    TRUE.checkpoints[1].head, after=TRUE.checkpoints[0], key=KEY, at=instant(KEPT.time), successor=NEXT_KEY.public
)
HANDED_OVER = [TRUE.checkpoints[0], _NAMING, sign(KEPT.head, after=_NAMING, key=KEY, at=instant(KEPT.time))]

ANEW = [event(6, note="anew"), event(7, note="anew")]
RESUMED = resumed(TRUE, 2, ANEW)
RESUMPTION = RESUMED.checkpoints[3]
ACCEPTED = (RESUMPTION.hash,)


def resumed_by(checkpoint: Checkpoint) -> Sequence[Checkpoint]:
    """The checkpoints with another one in place of the resumption, and none after it."""
    return (*TRUE.checkpoints, checkpoint)


def saying(**fields: Any) -> Checkpoint:
    """The resumption with other fields, signed anew."""
    bare = replace(RESUMPTION, **fields)
    return replace(bare, signature=KEY.sign(bare.text()))


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
    # resumed
    "a history that goes on after a restore": Case(RESUMED, "CHAIN_RESUMED", "checkpoint 4"),
    "one of which another resumption was accepted": Case(
        RESUMED, "CHAIN_RESUMED", "checkpoint 4", (KEPT.hash, resumed(TRUE, 1).checkpoints[3].hash)
    ),
    "one that was resumed once more": Case(resumed(RESUMED, 1), "CHAIN_RESUMED", "checkpoint 6", ACCEPTED),
    "a resumption that loses nothing": Case(
        checkpoints(resumed_by(one := saying(head=KEPT.head))),
        "CHAIN_RESUMPTION_GROUNDLESS",
        "checkpoint 4",
        (one.hash,),
    ),
    "a resumption that loses events and no block": Case(
        checkpoints(resumed_by(one := saying(head=replace(KEPT.head, size=5)))),
        "CHAIN_RESUMPTION_GROUNDLESS",
        "checkpoint 4",
        (one.hash,),
    ),
    "a resumption that says of less that it was lost": Case(
        checkpoints(resumed_by(one := saying(resumption=Resumption(8, "user:ann", "a disk was lost")))),
        "CHAIN_RESUMPTION_GROUNDLESS",
        "checkpoint 4",
        (one.hash,),
    ),
    "a resumption of nothing": Case(
        checkpoints([one := saying(previous=bytes(32))]), "CHAIN_RESUMPTION_GROUNDLESS", "checkpoint 1", (one.hash,)
    ),
    "a resumption by a key that nobody trusts": Case(
        stranger := resumed(TRUE, 2, key=STRANGER),
        "CHAIN_KEY_UNKNOWN",
        "checkpoint 4",
        (stranger.checkpoints[3].hash,),
    ),
    "a checkpoint that was made a resumption": Case(
        checkpoints(
            resumed_by(
                one := replace(sign(KEPT.head, after=KEPT, key=KEY, at=instant(0)), resumption=RESUMPTION.resumption)
            )
        ),
        "CHAIN_SIGNATURE_INVALID",
        "checkpoint 4",
        (one.hash,),
    ),
    "a resumption that was made a checkpoint": Case(
        checkpoints(resumed_by(replace(RESUMPTION, resumption=None))), "CHAIN_SIGNATURE_INVALID", "checkpoint 4"
    ),
    "other words in a resumption": Case(
        checkpoints(resumed_by(one := replace(RESUMPTION, resumption=Resumption(9, "user:bob", "a disk was lost")))),
        "CHAIN_SIGNATURE_INVALID",
        "checkpoint 4",
        (one.hash,),
    ),
    "a resumption that hands over": Case(
        checkpoints(resumed_by(one := replace(RESUMPTION, successor=NEXT_KEY.public))),
        "CHAIN_SIGNATURE_INVALID",
        "checkpoint 4",
        (one.hash, RESUMPTION.hash),
    ),
    "a resumption that is missing": Case(
        replace(RESUMED, checkpoints=put(RESUMED.checkpoints, 4)), "CHAIN_UNLINKED", "checkpoint 4", ACCEPTED
    ),
    "an event that came after it": Case(
        replace(RESUMED, events=put(RESUMED.events, 6, forged(RESUMED.events[5], actor="agent:8"))),
        "CHAIN_ROOT_MISMATCH",
        "block 3",
        ACCEPTED,
    ),
    "an event from before it": Case(
        replace(RESUMED, events=put(RESUMED.events, 5, forged(FIFTH, actor="agent:8"))),
        "CHAIN_ROOT_MISMATCH",
        "block 2",
        ACCEPTED,
    ),
    "events from before it, by the holder of a key": Case(
        replace(
            one_of := resumed(REWRITTEN, 2), checkpoints=resumed_by(one := saying(head=one_of.checkpoints[3].head))
        ),
        "CHAIN_FORKED",
        "checkpoint 2",
        (one.hash,),
    ),
    "lost events, by the holder of a key": Case(
        lost := resumed(REWRITTEN, 1), "CHAIN_FORKED", "checkpoint 3", (lost.checkpoints[3].hash,)
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
        verify(of, keys=KEYS, kept=KEPT, accepted=case.accepted)
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


@pytest.mark.parametrize("kept", [None, *RESUMED.checkpoints])
def test_a_history_goes_on_after_a_restore_for_whoever_accepts_it(kept: Checkpoint | None) -> None:
    """Checkpoints of what was lost prove nothing any more, and still have to be among the history's."""
    found = verify(RESUMED, keys=KEYS, kept=kept, accepted=ACCEPTED)
    last = RESUMED.checkpoints[-1]
    assert found == Verified(events=7, blocks=3, erased=0, checkpoint=last, resumptions=(RESUMPTION,))


def test_the_fault_says_what_was_lost_and_how_to_accept_it() -> None:
    with pytest.raises(ChainFault) as caught:
        verify(RESUMED, keys=KEYS)
    for said in ("events 6 to 9", "'user:ann'", "'a disk was lost'", f"--accept-resumption {RESUMPTION.hash.hex()}"):
        assert said in str(caught.value)


def test_a_history_can_be_resumed_again_and_each_time_is_accepted() -> None:
    again = resumed(RESUMED, 1, [event(4, note="once more")])
    both = (*ACCEPTED, again.checkpoints[5].hash)
    assert verify(again, keys=KEYS, kept=KEPT, accepted=both).resumptions == (RESUMPTION, again.checkpoints[5])
    nothing_left = resumed(again, 0)
    with pytest.raises(ChainFault, match="CHAIN_RESUMED: checkpoint 8"):
        verify(nothing_left, keys=KEYS, accepted=both)
    assert verify(nothing_left, keys=KEYS, accepted=(*both, nothing_left.checkpoints[-1].hash)).events == 0


def test_the_first_checkpoint_of_what_was_given_up_tells_it_from_what_goes_on() -> None:
    again = resumed(RESUMED, 1, [event(4, note="once more")])
    assert given_up(TRUE.checkpoints) == []
    assert given_up(RESUMED.checkpoints) == [KEPT]
    assert given_up(again.checkpoints) == [KEPT, TRUE.checkpoints[1]]
    assert given_up(resumed(again, 0).checkpoints) == [KEPT, TRUE.checkpoints[1], TRUE.checkpoints[0]]
    once = resumed(TRUE, 1, [event(4, note="anew"), event(5, note="anew")])
    assert given_up(resumed(once, 1).checkpoints) == [TRUE.checkpoints[1], once.checkpoints[4]]


def test_a_history_from_before_a_resumption_is_older_to_whoever_kept_it() -> None:
    last, no_further = RESUMED.checkpoints[-1], replace(cut(TRUE, 2), checkpoints=RESUMED.checkpoints[:4])
    for of, kept, fault in (
        (TRUE, RESUMPTION, "CHAIN_ROLLED_BACK: event 10: this is from before it was resumed after event 5"),
        (TRUE, last, "CHAIN_FORKED: checkpoint 3"),
        (no_further, last, "CHAIN_ROLLED_BACK: event 6"),
    ):
        with pytest.raises(ChainFault, match=fault):
            verify(of, keys=KEYS, kept=kept, accepted=ACCEPTED)


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
    "a resumption that loses nothing": lambda: resume(
        KEPT.head, after=KEPT, key=KEY, at=instant(0), by="user:ann", reason="x"
    ),
    "a resumption after another tenant's checkpoint": lambda: resume(
        replace(TRUE.checkpoints[0].head, tenant=OTHER), after=KEPT, key=KEY, at=instant(0), by="user:ann", reason="x"
    ),
    "a resumption that was cut short": lambda: Checkpoint.decode(RESUMPTION.encode()[:-1]),
    "a resumption that says nothing": lambda: Checkpoint.decode(b"ppr1" + KEPT.encode()[4:]),
    "a resumption with a word too many": lambda: Checkpoint.decode(RESUMPTION.encode() + b"x"),
    "a kept checkpoint that was cut short": lambda: Checkpoint.decode(KEPT.encode()[:-1]),
    "a kept checkpoint of another version": lambda: Checkpoint.decode(b"ppc9" + KEPT.encode()[4:]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_verifier_would_accept_is_not_made(name: str) -> None:
    with pytest.raises(ValueError, match=r"block|checkpoint|resumption"):
        REFUSED[name]()


def test_a_kept_checkpoint_is_read_back_as_it_was() -> None:
    for kept in (KEPT, _NAMING, RESUMPTION):
        assert Checkpoint.decode(kept.encode()) == kept


@pytest.mark.parametrize("said", [{"by": ""}, {"by": "x" * 201}, {"reason": ""}, {"reason": "x" * 501}])
def test_what_is_said_of_a_resumption_has_its_bounds(said: dict[str, str]) -> None:
    for length in (200, 500):
        Resumption(9, "é" * 200, "é" * length).encode()
    with pytest.raises(ValueError, match="in 1 to 200 characters"):
        Resumption(**{"lost": 9, "by": "user:ann", "reason": "a disk was lost", **said})  # type: ignore[arg-type]
    bare = RESUMPTION.resumption
    assert bare is not None
    empty = bare.encode()[:8] + bytes(4)
    with pytest.raises(ValueError, match="in 1 to 200 characters"):
        Resumption.decode(empty)


def test_checkpoints_from_before_there_were_resumptions_are_read_as_ever() -> None:
    """Bytes that were kept then."""
    assert KEPT.encode().startswith(b"ppc1")
    assert _NAMING.encode().startswith(b"ppk1")
    assert len(KEPT.encode()) == 204 == len(_NAMING.encode()) - 32


def test_a_signing_key_does_not_show_its_secret() -> None:
    assert repr(KEY) == f"SigningKey({KEY.key_id.hex()[:16]})"
