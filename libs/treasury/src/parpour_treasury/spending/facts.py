"""What a decision is made from: the state of the venture around one request, as frozen values.

Facts are recorded beside each decision, so that it can be made again. Times are UTC; amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

INTERNAL = "internal"
"""Provider of payees that nobody pays: what was used is metered, and owed to the platform."""


@dataclass(frozen=True, slots=True)
class Member:
    """An account of the venture."""

    actor: str
    person: str | None
    """The human behind it; of an agent, the one who answers for it, if one does."""
    roles: tuple[str, ...]
    revoked: bool = False

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of the facts."""
        return cls(row["actor"], row["person"], tuple(row["roles"]), row["revoked"])

    def to_json(self) -> dict[str, Any]:
        """As it is recorded."""
        return {"actor": self.actor, "person": self.person, "roles": list(self.roles), "revoked": self.revoked}


@dataclass(frozen=True, slots=True)
class Payee:
    """Who would be paid."""

    payee: UUID
    category: str
    provider: str
    fingerprint: str
    """SHA-256 of name, category, provider, destination and account, in hexadecimal."""
    usable_from: datetime
    held: bool = False
    retired: bool = False

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of the facts."""
        return cls(
            UUID(row["payee"]),
            row["category"],
            row["provider"],
            row["fingerprint"],
            datetime.fromisoformat(row["usable_from"]),
            row["held"],
            row["retired"],
        )

    def to_json(self) -> dict[str, Any]:
        """As it is recorded."""
        return {
            "payee": str(self.payee),
            "category": self.category,
            "provider": self.provider,
            "fingerprint": self.fingerprint,
            "usable_from": self.usable_from.isoformat(),
            "held": self.held,
            "retired": self.retired,
        }


@dataclass(frozen=True, slots=True)
class Envelope:
    """A budget, or a part of one."""

    envelope: UUID
    code: str
    currency: str
    cap: int
    reserved: int
    spent: int
    opens_at: datetime | None = None
    closes_at: datetime | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of the facts."""
        return cls(
            UUID(row["envelope"]),
            row["code"],
            row["currency"],
            row["cap"],
            row["reserved"],
            row["spent"],
            _time(row["opens_at"]),
            _time(row["closes_at"]),
        )

    def to_json(self) -> dict[str, Any]:
        """As it is recorded."""
        return {
            "envelope": str(self.envelope),
            "code": self.code,
            "currency": self.currency,
            "cap": self.cap,
            "reserved": self.reserved,
            "spent": self.spent,
            "opens_at": _text(self.opens_at),
            "closes_at": _text(self.closes_at),
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a decision looks at."""

    at: datetime
    rules_version: int
    frozen: bool
    """Whether the venture's people have frozen it."""
    stopped: bool
    """Whether the kill switch was thrown."""
    member: Member | None
    """Who asks."""
    payee: Payee | None
    envelopes: tuple[Envelope, ...]
    """The envelope that was named, and then each one around it up to the budget; none, if it is unknown."""
    available: Mapping[str, int | None]
    """What may still leave an account, by the account's code; None where nothing limits it."""
    pace: Mapping[tuple[str, int], tuple[int, int]]
    """(scope, seconds) -> how many spends, and how much, were granted or put to approval in the time before `at`:
    of this payee, category, agent, or in all, in the request's currency, this request left out."""
    approvers: tuple[Member, ...] = ()
    """Who has approved the request, as they stand now."""

    def to_json(self) -> dict[str, Any]:
        """As they are recorded."""
        return {
            "at": self.at.isoformat(),
            "rules_version": self.rules_version,
            "frozen": self.frozen,
            "stopped": self.stopped,
            "member": self.member and self.member.to_json(),
            "payee": self.payee and self.payee.to_json(),
            "envelopes": [one.to_json() for one in self.envelopes],
            "available": dict(self.available),
            "pace": [[*key, *value] for key, value in self.pace.items()],
            "approvers": [one.to_json() for one in self.approvers],
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """From what was recorded."""
        return cls(
            at=datetime.fromisoformat(row["at"]),
            rules_version=row["rules_version"],
            frozen=row["frozen"],
            stopped=row["stopped"],
            member=None if row["member"] is None else Member.of(row["member"]),
            payee=None if row["payee"] is None else Payee.of(row["payee"]),
            envelopes=tuple(Envelope.of(one) for one in row["envelopes"]),
            available=row["available"],
            pace={(scope, seconds): (count, total) for scope, seconds, count, total in row["pace"]},
            approvers=tuple(Member.of(one) for one in row["approvers"]),
        )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
