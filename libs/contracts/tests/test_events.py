"""The event envelope says the same after a journey, and takes nothing that is malformed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from parpour_contracts.events import EventEnvelopeV1

pytestmark = pytest.mark.unit

FIELDS: dict[str, Any] = {
    "tenant": UUID(int=1),
    "id": UUID(int=2),
    "type": "treasury.journal.posted",
    "version": 1,
    "time": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    "actor": "agent:7",
    "correlation": UUID(int=3),
    "subject": "journal/17",
    "payload": {"legs": [[1, 5, "USD"], [2, -5, "USD"]], "note": "Zoë ☂"},
    "taint": ("web",),
}


def test_an_envelope_survives_its_journey() -> None:
    envelope = EventEnvelopeV1(**FIELDS)
    assert EventEnvelopeV1.from_json(envelope.canonical()) == envelope
    assert EventEnvelopeV1.from_json(envelope.canonical()).canonical() == envelope.canonical()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "posted"),
        ("type", "treasury.journal.Posted"),
        ("version", 0),
        ("time", datetime(2026, 1, 1)),
        ("actor", ""),
        ("subject", "journal/1/2"),
        ("subject", "journal.>"),
        ("taint", ("Not this",)),
        ("surplus", 1),
        ("tenant", "somebody"),
    ],
)
def test_what_is_malformed_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        EventEnvelopeV1(**{**FIELDS, field: value})
