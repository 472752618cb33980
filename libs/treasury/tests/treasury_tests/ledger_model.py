"""A ledger in a hundred lines of plain Python: what the database must do, one command after the other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from parpour_treasury.commands import BALANCE_MAX, Command, Hold, Leg, Post, Reverse, Settle, digest

Answer = tuple[str | None, int | None]
"""(refusal, journal number)."""


@dataclass
class ModelHold:
    legs: tuple[Leg, ...]
    settled: list[int]
    state: str = "open"

    def rest(self) -> list[int]:
        return [leg.amount - settled for leg, settled in zip(self.legs, self.settled, strict=True)]


@dataclass
class ModelLedger:
    """Accounts are (lower bound, upper bound) of the debit-positive balance."""

    bounds: dict[int, tuple[int | None, int | None]]
    posted: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    journals: list[tuple[tuple[Leg, ...], int | None]] = field(default_factory=list)
    """Legs, and which journal it reverses."""
    holds: dict[UUID, ModelHold] = field(default_factory=dict)
    answers: dict[str, tuple[bytes, Answer]] = field(default_factory=dict)
    known: int = 0
    """Journals that a batch knows: nobody reverses one of the same batch, whose number was told to nobody."""

    def pending(self, account: int, sign: int) -> int:
        return sum(
            abs(rest)
            for hold in self.holds.values()
            if hold.state == "open"
            for leg, rest in zip(hold.legs, hold.rest(), strict=True)
            if leg.account == account and rest * sign > 0
        )

    def broken_limit(self) -> str | None:
        """The refusal that the state as it is would have deserved."""
        for account, (lower, upper) in self.bounds.items():
            least = self.posted[account] - self.pending(account, -1)
            most = self.posted[account] + self.pending(account, 1)
            if least < (-BALANCE_MAX if lower is None else lower) or most > (BALANCE_MAX if upper is None else upper):
                return "TREASURY_LIMIT_EXCEEDED"
        return None

    def start_batch(self) -> None:
        """What comes next is decided together."""
        self.known = len(self.journals)

    def execute(self, command: Command, actor: str) -> Answer:
        """Carry out one command, or find its answer."""
        asked = digest(command, actor=actor)
        if command.key in self.answers:
            earlier, answer = self.answers[command.key]
            return answer if earlier == asked else ("TREASURY_IDEMPOTENCY_KEY_REUSED", None)
        answer = self._decide(command)
        self.answers[command.key] = (asked, answer)
        return answer

    def _decide(self, command: Command) -> Answer:
        if isinstance(command, Post):
            return self._post(tuple(command.legs), None)
        if isinstance(command, Reverse):
            return self._reverse(command)
        if isinstance(command, Hold):
            return self._hold(command)
        hold = self.holds.get(command.hold)
        if hold is None:
            return "TREASURY_HOLD_UNKNOWN", None
        if hold.state != "open":
            return "TREASURY_HOLD_CLOSED", None
        if isinstance(command, Settle):
            return self._settle(hold, command)
        hold.state = "voided"
        return None, None

    def _post(self, legs: tuple[Leg, ...], reverses: int | None) -> Answer:
        unknown = [leg for leg in legs if leg.account not in self.bounds]
        if unknown:
            return "TREASURY_ACCOUNT_UNKNOWN", None
        for leg in legs:
            self.posted[leg.account] += leg.amount
        code = self.broken_limit()
        if code:
            for leg in legs:
                self.posted[leg.account] -= leg.amount
            return code, None
        self.journals.append((legs, reverses))
        return None, len(self.journals)

    def _reverse(self, command: Reverse) -> Answer:
        if command.journal > self.known:
            return "TREASURY_JOURNAL_UNKNOWN", None
        legs, reverses = self.journals[command.journal - 1]
        if reverses is not None:
            return "TREASURY_JOURNAL_IS_REVERSAL", None
        if any(command.journal == other for _, other in self.journals):
            return "TREASURY_JOURNAL_REVERSED", None
        return self._post(tuple(Leg(leg.account, -leg.amount, leg.currency) for leg in legs), command.journal)

    def _hold(self, command: Hold) -> Answer:
        if command.hold in self.holds:
            return "TREASURY_HOLD_EXISTS", None
        if any(leg.account not in self.bounds for leg in command.legs):
            return "TREASURY_ACCOUNT_UNKNOWN", None
        self.holds[command.hold] = ModelHold(tuple(command.legs), [0] * len(command.legs))
        code = self.broken_limit()
        if code:
            del self.holds[command.hold]
        return code, None

    def _settle(self, hold: ModelHold, command: Settle) -> Answer:
        rest = hold.rest()
        amounts = rest if command.amounts is None else list(command.amounts)
        if len(amounts) != len(rest) or any(a * r < 0 or abs(a) > abs(r) for a, r in zip(amounts, rest, strict=True)):
            return "TREASURY_HOLD_EXCEEDED", None
        if not any(amounts):
            return "TREASURY_JOURNAL_EMPTY", None
        if sum(amounts):
            return "TREASURY_JOURNAL_UNBALANCED", None
        before = list(hold.settled)
        hold.settled = [settled + amount for settled, amount in zip(hold.settled, amounts, strict=True)]
        if command.release or not any(hold.rest()):
            hold.state = "settled"
        legs = tuple(
            Leg(leg.account, amount, leg.currency) for leg, amount in zip(hold.legs, amounts, strict=True) if amount
        )
        answer = self._post(legs, None)
        if answer[0]:
            hold.settled, hold.state = before, "open"
        return answer
