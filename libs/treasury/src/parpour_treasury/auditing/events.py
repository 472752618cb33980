"""Events as an auditor reads them from files: those whose place is proven, and those after the last checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from parpour_controlplane.chain.blocks import SealedEvent
from parpour_controlplane.chain.headers import Header
from parpour_controlplane.migrations import sql
from parpour_treasury.auditing.telling import Told
from parpour_treasury.refusals import TreasuryError

TAIL_EVENTS = sql("parpour_treasury", "queries/tail_events.sql")
"""Events after a position, for `tail_line`."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    position: int | None
    """Its proven place in the chain; None if it came after the last checkpoint."""
    leaf: str | None
    """What stands for it in the chain, in hexadecimal."""
    id: UUID
    at: datetime
    type: str
    actor: str
    subject: str
    correlation: UUID
    payload: Mapping[str, Any] | None
    """None if it was erased."""

    @property
    def told(self) -> Told:
        """As the audit of the books takes it."""
        return Told(self.type, self.subject, self.payload)


def proven_events(sealed_events: Iterable[SealedEvent]) -> Iterator[Event]:
    """The events of a history that is verified on the way (`Proof`).

    Raises:
        TreasuryError: AUDIT_BOOKS_MALFORMED, with the event, if what was sealed is no payload.
    """
    for sealed in sealed_events:
        header = Header.decode(sealed.header)
        payload = None if sealed.opening is None else _payload(sealed.opening.payload, header.position)
        yield Event(
            header.position,
            sealed.leaf.hex(),
            header.id,
            header.time,
            header.type,
            header.actor,
            header.subject,
            header.correlation,
            payload,
        )


def _payload(text: bytes, position: int) -> dict[str, Any]:
    try:
        payload = loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise TreasuryError("AUDIT_BOOKS_MALFORMED", field=f"event {position}", detail=type(error).__name__) from None
    if not isinstance(payload, dict):
        raise TreasuryError("AUDIT_BOOKS_MALFORMED", field=f"event {position}", detail="a payload is an object")
    return payload


def tail_line(row: Mapping[str, Any]) -> str:
    """The line of a row of queries/tail_events.sql."""
    fields = {
        "id": str(row["event_id"]),
        "at": row["occurred_at"].isoformat(),
        "type": row["type"],
        "actor": row["actor"],
        "subject": row["subject"],
        "correlation": str(row["correlation"]),
        "payload": None if row["payload"] is None else json.loads(row["payload"]),
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def read_tail(lines: Iterable[str], name: str) -> Iterator[Event]:
    """The events that these lines of a file are.

    Raises:
        TreasuryError: AUDIT_BOOKS_MALFORMED, with the line.
    """
    for number, line in enumerate(lines, 1):
        try:
            yield _tail_event(loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            where = f"{name} line {number}"
            raise TreasuryError("AUDIT_BOOKS_MALFORMED", field=where, detail=type(error).__name__) from None


def loads(line: str) -> Any:
    """The JSON value of a line, all of whose texts can be written again.

    Raises:
        ValueError: if it is none, or has half of a surrogate pair.
    """
    line.encode()
    value = json.loads(line)
    if "\\u" in line:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _tail_event(value: Mapping[str, Any]) -> Event:
    at, payload = datetime.fromisoformat(value["at"]), value["payload"]
    if at.tzinfo is None or not (payload is None or isinstance(payload, dict)):
        raise ValueError("a time without a zone, or a payload that is none")
    kind, actor, subject = (value[name] for name in ("type", "actor", "subject"))
    if not all(isinstance(text, str) for text in (kind, actor, subject)):
        raise TypeError("a text is none")
    return Event(None, None, UUID(value["id"]), at, kind, actor, subject, UUID(value["correlation"]), payload)
