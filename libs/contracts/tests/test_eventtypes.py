"""Readers get the newest form of whatever version was written, and no event that nobody declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from parpour_contracts.eventtypes import EventType, EventTypeError, EventTypes
from parpour_contracts.model import Document

pytestmark = pytest.mark.unit


class PaidV1(Document):
    amount: int


class PaidV2(Document):
    amount: int
    currency: str


class PaidV3(Document):
    minor_units: int
    currency: str


def with_currency(said: Mapping[str, Any]) -> dict[str, Any]:
    return {**said, "currency": "USD"}


def with_units(said: Mapping[str, Any]) -> dict[str, Any]:
    return {"minorUnits": said["amount"], "currency": said["currency"]}


PAID = EventType("shop.bill.paid", "A bill was paid.", (PaidV1, PaidV2, PaidV3), (with_currency, with_units))
TYPES = EventTypes([PAID])


@pytest.mark.parametrize(
    ("version", "payload"),
    [
        (1, {"amount": 5}),
        (2, {"amount": 5, "currency": "USD"}),
        (3, {"minorUnits": 5, "currency": "USD"}),
    ],
)
def test_every_version_is_read_as_the_newest(version: int, payload: dict[str, Any]) -> None:
    before = dict(payload)
    assert TYPES.newest("shop.bill.paid", version, payload) == PaidV3(minor_units=5, currency="USD")
    assert payload == before
    assert TYPES.validate("shop.bill.paid", version, payload).to_wire() == payload


@pytest.mark.parametrize(("name", "version"), [("shop.bill.sent", 1), ("shop.bill.paid", 0), ("shop.bill.paid", 4)])
def test_what_nobody_declared_is_unknown(name: str, version: int) -> None:
    for ask in (TYPES.validate, TYPES.newest):
        with pytest.raises(EventTypeError) as caught:
            ask(name, version, {})
        assert caught.value.code == "EVENT_TYPE_UNKNOWN"
    with pytest.raises(EventTypeError):
        TYPES.schema(name, version)


@pytest.mark.parametrize(
    ("version", "payload"), [(1, {}), (1, {"amount": "much"}), (1, {"amount": 5, "more": 1}), (2, {"amount": 5})]
)
def test_what_does_not_fit_its_own_version_is_invalid(version: int, payload: dict[str, Any]) -> None:
    for ask in (TYPES.validate, TYPES.newest):
        with pytest.raises(EventTypeError) as caught:
            ask("shop.bill.paid", version, payload)
        assert caught.value.code == "EVENT_PAYLOAD_INVALID"


def test_a_schema_speaks_as_the_wire_does() -> None:
    assert set(TYPES.schema("shop.bill.paid", 3)["properties"]) == {"minorUnits", "currency"}
    assert [one.name for one in TYPES] == ["shop.bill.paid"]


def test_a_declaration_without_a_way_to_the_newest_is_refused() -> None:
    with pytest.raises(ValueError, match="upcaster"):
        EventType("a.b.c", "", (PaidV1, PaidV2))
    with pytest.raises(ValueError, match="upcaster"):
        EventType("a.b.c", "", ())
    with pytest.raises(ValueError, match="twice"):
        EventTypes([PAID, PAID])
