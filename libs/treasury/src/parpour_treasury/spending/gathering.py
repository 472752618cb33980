"""The facts of a batch while it is decided: each decision sees what those before it have taken.

What the database told is copied into plain tables, from which the facts of one request are cut; `reserve` and `count`
fold a decision's effects back in, as the database will write them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from parpour_treasury.spending.deciding import accounts_of
from parpour_treasury.spending.facts import Envelope, Facts, Member, Payee


@dataclass(frozen=True, slots=True)
class Standing:
    """A spend as it stood when the batch began."""

    spend: UUID
    state: str
    envelope: UUID | None
    payee: UUID | None
    provider: str | None
    fingerprint: str | None
    currency: str
    amount: int
    purpose: str
    actor: str
    rules_version: int
    decision: int
    """Number of the one in force."""
    decisions: int
    """How many there were, refused renewals among them."""
    quorum: int
    digest: str
    hold: UUID | None
    requested_at: datetime
    expires_at: datetime
    approvals: tuple[tuple[str, str, str], ...]
    """(actor, person, verdict) of approvals of this digest."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of the facts."""
        fields = dict(row)
        for name in ("spend", "envelope", "payee", "hold"):
            fields[name] = None if fields[name] is None else UUID(fields[name])
        for name in ("requested_at", "expires_at"):
            fields[name] = datetime.fromisoformat(fields[name])
        fields["approvals"] = tuple((actor, person, verdict) for actor, person, verdict in fields["approvals"] or ())
        return cls(**fields)


class Gathered:
    """What treasury.gather told, as it changes while a batch is decided."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.at = datetime.fromisoformat(told["at"])
        self.version: int = told["version"]
        self.frozen: bool = told["frozen"]
        self.stopped: bool = told["stopped"]
        self.members = {row["actor"]: Member.of(row) for row in told["members"]}
        self.payees = {one.payee: one for one in map(Payee.of, told["payees"])}
        self.spends = {one.spend: one for one in map(Standing.of, told["spends"])}
        self.accounts: dict[str, int] = {row["code"]: row["account"] for row in told["accounts"]}
        self.earlier: dict[str, Mapping[str, Any]] = {row["key"]: row for row in told["earlier"]}
        self._available: dict[str, int | None] = {row["code"]: row["available"] for row in told["accounts"]}
        self._envelopes = {one.envelope: one for one in map(Envelope.of, told["envelopes"])}
        self._paths = {UUID(row["envelope"]): tuple(UUID(one) for one in row["path"]) for row in told["envelopes"]}
        self._pace: dict[tuple[str, str, str], dict[int, tuple[int, int]]] = {}
        for scope, subject, currency, seconds, count, total in told["pace"]:
            self._pace.setdefault((scope, subject, currency), {})[seconds] = (count, total)

    def facts(self, *, maker: str, envelope: UUID | None, payee: UUID | None, currency: str) -> Facts:
        """The facts about a request of `maker`, without approvals."""
        who = None if payee is None else self.payees.get(payee)
        path = () if envelope is None else self._paths.get(envelope, ())
        codes = () if who is None else accounts_of(who.provider, currency)
        pace: dict[tuple[str, int], tuple[int, int]] = {}
        if who is not None:
            for scope, subject in _subjects(who, maker):
                for seconds, value in self._pace.get((scope, subject, currency), {}).items():
                    pace[scope, seconds] = value
        return Facts(
            at=self.at,
            rules_version=self.version,
            frozen=self.frozen,
            stopped=self.stopped,
            member=self.members.get(maker),
            payee=who,
            envelopes=tuple(self._envelopes[one] for one in path),
            available={code: self._available[code] for code in codes if code in self._available},
            pace=pace,
        )

    def reserve(self, *, envelope: UUID, provider: str, currency: str, amount: int, spent: int = 0) -> None:
        """Take an amount of the envelopes and of the funds; a negative one gives it back.

        `spent` goes into what the envelopes have spent.
        """
        for one in self._paths[envelope]:
            e = self._envelopes[one]
            self._envelopes[one] = Envelope(
                e.envelope, e.code, e.currency, e.cap, e.reserved + amount, e.spent + spent, e.opens_at, e.closes_at
            )
        _, source = accounts_of(provider, currency)
        available = self._available.get(source)
        if available is not None:
            self._available[source] = available - amount - spent

    def count(self, *, maker: str, payee: UUID, currency: str, amount: int) -> None:
        """Count a request that was granted or put to approval."""
        for scope, subject in _subjects(self.payees[payee], maker):
            windows = self._pace.get((scope, subject, currency), {})
            for seconds, (count, total) in windows.items():
                windows[seconds] = (count + 1, total + amount)


def _subjects(payee: Payee, maker: str) -> tuple[tuple[str, str], ...]:
    return ("payee", str(payee.payee)), ("category", payee.category), ("agent", maker), ("venture", "")
