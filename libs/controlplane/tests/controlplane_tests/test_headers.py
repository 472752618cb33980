"""The encoding of headers: one form each, and nothing lost."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parpour_contracts.events import EventEnvelopeV1
from parpour_controlplane.chain.blocks import Opening, seal_event
from parpour_controlplane.chain.headers import Header, commitment

pytestmark = pytest.mark.unit
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
HEADERS = st.builds(
    Header,
    tenant=st.uuids(),
    position=st.integers(0, 2**64 - 1),
    id=st.uuids(),
    correlation=st.uuids(),
    causation=st.none() | st.uuids() | st.just(UUID(int=0)),
    time=st.datetimes(timezones=st.just(UTC)),
    version=st.integers(0, 2**16 - 1),
    type=TEXTS,
    actor=TEXTS,
    subject=TEXTS,
    taint=st.lists(TEXTS, max_size=3).map(tuple),
)


def test_a_header_is_encoded_as_it_always_was() -> None:
    envelope = EventEnvelopeV1(
        tenant=UUID(int=1),
        id=UUID(int=2),
        type="treasury.journal.posted",
        version=3,
        time=datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        actor="agent:7",
        correlation=UUID(int=4),
        causation=UUID(int=5),
        subject="journal/6",
        payload={"amount": 7},
        taint=("web",),
    )
    event = seal_event(envelope, Opening(bytes(32), b'{"amount": 7}'), position=8)
    numbers = "".join(
        (
            "70706531",
            f"{1:032x}{8:016x}{2:032x}{4:032x}",
            f"01{5:032x}",
            f"{1_000_000:016x}{3:04x}",
        )
    )
    texts = b"\0\x17treasury.journal.posted\0\x07agent:7\0\x09journal/6\0\x01\0\x03web"
    assert event.header.hex() == numbers + texts.hex()
    # As `openssl dgst -sha256` has them.
    assert event.commitment.hex() == "f5f8dafffa19d04646493e66a649e72a6f96358efffcba105c10073eff526be6"
    assert event.leaf.hex() == "ab4230ba6ab74405828a9537ba4b38bea8af1f17c9852b7fc4e54d23b391962f"


@settings(max_examples=40)
@given(HEADERS)
def test_a_header_is_read_back_as_it_was(header: Header) -> None:
    assert Header.decode(header.encode()) == header


@settings(max_examples=40)
@given(HEADERS, HEADERS)
def test_two_headers_have_two_encodings(one: Header, other: Header) -> None:
    assert (one.encode() == other.encode()) == (one == other)


@settings(max_examples=40)
@given(HEADERS, st.data())
def test_other_bytes_are_another_header_or_none(header: Header, data: st.DataObject) -> None:
    encoded = header.encode()
    place = data.draw(st.integers(0, len(encoded) - 1))
    damaged = data.draw(
        st.sampled_from(
            [
                encoded[:place],
                encoded[:place] + encoded[place + 1 :],
                encoded[:place] + bytes([encoded[place] ^ data.draw(st.integers(1, 255))]) + encoded[place + 1 :],
                encoded + b"\0",
            ]
        )
    )
    try:
        read = Header.decode(damaged)
    except ValueError:
        return
    assert read.encode() == damaged
    assert read != header


def test_a_salt_has_its_length() -> None:
    with pytest.raises(ValueError, match="a salt has 32 bytes, not 31"):
        commitment(bytes(31), b"{}")
