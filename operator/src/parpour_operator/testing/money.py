"""A treasury in memory that behaves like the internal API as far as the operator can tell, for tests of the loop.

It is a double of the interface `FundingApi`: idempotent keys, refusals, slices within a budget, settlements that never
exceed what is reserved. Its writes are counted with the cluster's, so that the operator can die at any of them. The
internal API's own tests hold the same contract against a real database.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING
from uuid import NAMESPACE_DNS, UUID, uuid5

from parpour_contracts.funding import (
    Binding,
    Bound,
    Fault,
    Freezing,
    FundingCode,
    FundingState,
    OpenReservation,
    OpenReservations,
    Rate,
    Renewal,
    Reservation,
    ReservationRequest,
    ReservationState,
    Settlement,
)
from parpour_contracts.money import Money
from parpour_operator.treasury import FundingRefused, FundingUnavailable

if TYPE_CHECKING:
    from parpour_operator.testing.memory import MemoryCluster

CURRENCY = "USD"


@dataclass
class Account:
    """One reservation and what stands behind it, in minor units."""

    request: ReservationRequest
    answer: Reservation
    opened_at: datetime
    reserved: int
    charged: int = 0
    settlements: list[Settlement] = field(default_factory=list)


@dataclass
class MemoryTreasury:
    """The double: one venture that owns one namespace, and prices that make sums easy to follow."""

    cluster: MemoryCluster
    namespace_uid: UUID
    venture: UUID = field(default_factory=lambda: uuid5(NAMESPACE_DNS, "venture"))
    budget: int = 1_000_000
    """What is left of the venture's budget, in minor units."""
    rate: Fraction = Fraction(1, 10)
    """Minor units that a worker costs each second."""
    closing_rate: Fraction = Fraction(1, 100)
    away: str = ""
    """Why it does not answer."""
    frozen: bool = False
    accounts: dict[UUID, Account] = field(default_factory=dict)
    bindings: dict[UUID, Binding] = field(default_factory=dict)

    def _reach(self) -> None:
        if self.away:
            raise FundingUnavailable(self.away)

    def cost(self, request: ReservationRequest, seconds: int) -> int:
        """What a run of so many seconds costs at most."""
        closing = request.closing.seconds if request.closing is not None else 0
        workers = self.rate * request.workers * (seconds + request.grace_seconds)
        return math.ceil(workers) + math.ceil(self.closing_rate * closing)

    def _deadline(self, request: ReservationRequest, amount: int) -> int:
        closing = request.closing.seconds if request.closing is not None else 0
        left = amount - math.ceil(self.closing_rate * closing)
        return max(0, math.floor(Fraction(left) / (self.rate * request.workers)) - request.grace_seconds)

    async def state(self, namespace_uid: UUID, uid: UUID) -> FundingState:
        """Reservations of one resource."""
        self._reach()
        if namespace_uid != self.namespace_uid:
            return FundingState()
        mine = [account.answer for account in self.accounts.values() if account.request.uid == uid]
        return FundingState(venture=self.venture, reservations=tuple(reversed(mine)))

    async def reserve(self, request: ReservationRequest) -> Reservation:
        """Keep money free."""
        self._reach()
        if request.namespace_uid != self.namespace_uid:
            raise FundingRefused(Fault(code=FundingCode.NAMESPACE_UNBOUND, message="no venture owns the namespace"))
        crash = self.cluster.write("reserve", "Reservation", request.key)
        answer = self._reserve(request)
        if crash:
            raise crash
        return answer

    def _reserve(self, request: ReservationRequest) -> Reservation:
        for account in self.accounts.values():
            if account.request.key == request.key and account.answer.state is not ReservationState.CANCELLED:
                return account.answer
        limit = int(Fraction(request.budget.amount) * 100)
        amount = min(limit, self.cost(request, request.seconds))
        deadline = self._deadline(request, amount)
        if request.budget.currency != CURRENCY:
            return self._refused(request, FundingCode.CURRENCY_MISMATCH, "the venture's budget is in USD")
        if deadline < request.minimum_seconds:
            least = show(self.cost(request, request.minimum_seconds))
            return self._refused(request, FundingCode.BUDGET_TOO_SMALL, f"the least is {least} USD")
        if self.frozen or amount > self.budget:
            return self._refused(request, "TREASURY_LIMIT_EXCEEDED", "the budget does not allow it")
        self.budget -= amount
        identity = UUID(int=2**64 + len(self.accounts))
        answer = self._answer(request, identity, ReservationState.RESERVED, amount, limit)
        self.accounts[identity] = Account(request, answer, self.cluster.clock.now(), amount)
        return answer

    def _refused(self, request: ReservationRequest, code: str, message: str) -> Reservation:
        answer = self._answer(request, UUID(int=0), ReservationState.REFUSED, 0, 0)
        return answer.model_copy(update={"fault": Fault(code=code, message=message)})

    def _answer(
        self, request: ReservationRequest, identity: UUID, state: ReservationState, amount: int, limit: int
    ) -> Reservation:
        return Reservation(
            venture=self.venture,
            reservation=identity,
            state=state,
            key=request.key,
            kind=request.kind,
            namespace=request.namespace,
            name=request.name,
            uid=request.uid,
            generation=request.generation,
            workers=request.workers,
            grace_seconds=request.grace_seconds,
            price_list="memory/1",
            rate_per_worker_second=Rate(numerator=self.rate.numerator, denominator=self.rate.denominator),
            closing_rate_per_second=Rate(
                numerator=self.closing_rate.numerator, denominator=self.closing_rate.denominator
            ),
            currency=request.budget.currency,
            reserved=show(amount),
            deadline_seconds=self._deadline(request, amount),
            renewable=state is ReservationState.RESERVED and amount < limit,
        )

    async def renew(self, reservation: Reservation, renewal: Renewal) -> Reservation:
        """Reserve more, within the resource's budget and the venture's."""
        self._reach()
        account = self._open(reservation.reservation)
        crash = self.cluster.write("renew", "Reservation", account.request.key)
        limit = int(Fraction(account.request.budget.amount) * 100)
        more = min(limit, self.cost(account.request, renewal.seconds)) - account.reserved
        if more > self.budget or self.frozen:
            fault = Fault(code="TREASURY_LIMIT_EXCEEDED", message="the budget does not allow it")
            return account.answer.model_copy(update={"fault": fault})
        if more > 0:
            self.budget -= more
            account.reserved += more
        account.answer = self._answer(
            account.request, reservation.reservation, ReservationState.RESERVED, account.reserved, limit
        )
        if crash:
            raise crash
        return account.answer

    def _open(self, reservation: UUID) -> Account:
        account = self.accounts.get(reservation)
        if account is None:
            raise FundingRefused(Fault(code=FundingCode.RESERVATION_UNKNOWN, message="no such reservation"))
        if account.answer.state is not ReservationState.RESERVED:
            raise FundingRefused(Fault(code=FundingCode.RESERVATION_CLOSED, message="it is closed"))
        return account

    async def settle(self, venture: UUID, reservation: UUID, settlement: Settlement) -> Reservation:
        """Charge what was used, at most what is reserved."""
        self._reach()
        assert venture == self.venture
        account = self.accounts[reservation]
        if account.answer.state is ReservationState.SETTLED:
            return account.answer
        account = self._open(reservation)
        crash = self.cluster.write("settle", "Reservation", account.request.key)
        used = self.rate * settlement.worker_seconds + self.closing_rate * settlement.closing_seconds
        account.charged = min(account.reserved, math.ceil(used))
        account.settlements.append(settlement)
        self._close(account, ReservationState.SETTLED)
        if crash:
            raise crash
        return account.answer

    async def cancel(self, venture: UUID, reservation: UUID) -> Reservation:
        """Release everything."""
        self._reach()
        assert venture == self.venture
        account = self.accounts[reservation]
        if account.answer.state is ReservationState.CANCELLED:
            return account.answer
        account = self._open(reservation)
        crash = self.cluster.write("cancel", "Reservation", account.request.key)
        self._close(account, ReservationState.CANCELLED)
        if crash:
            raise crash
        return account.answer

    def _close(self, account: Account, state: ReservationState) -> None:
        self.budget += account.reserved - account.charged
        changes = {"state": state, "renewable": False}
        if state is ReservationState.SETTLED:
            changes["charged"] = show(account.charged)
        account.answer = account.answer.model_copy(update=changes)

    async def open(self, after: str | None) -> OpenReservations:
        """What is open, two a page."""
        self._reach()
        held = [one for one in self.accounts.values() if one.answer.state is ReservationState.RESERVED]
        rest = [one for one in held if after is None or str(one.answer.reservation) > after]
        items = tuple(
            OpenReservation(
                venture=self.venture,
                reservation=one.answer.reservation,
                kind=one.request.kind,
                namespace=one.request.namespace,
                name=one.request.name,
                uid=one.request.uid,
                opened_at=one.opened_at,
                deadline_seconds=one.answer.deadline_seconds,
                workers=one.request.workers,
            )
            for one in rest[:2]
        )
        return OpenReservations(items=items, next=str(items[-1].reservation) if len(rest) > 2 else None)

    async def bind(self, binding: Binding) -> Bound:
        """Bind a venture to its namespace, for good."""
        self._reach()
        for uid, known in self.bindings.items():
            if uid != binding.uid and known.namespace_uid == binding.namespace_uid:
                raise FundingRefused(Fault(code=FundingCode.NAMESPACE_CONFLICT, message="it is another venture's"))
        known = self.bindings.setdefault(binding.uid, binding)
        if known.namespace_uid != binding.namespace_uid:
            raise FundingRefused(Fault(code=FundingCode.VENTURE_CONFLICT, message="the venture has another namespace"))
        pending = None
        if known.budget != binding.budget:
            pending = Fault(code=FundingCode.BUDGET_CHANGE_PENDING, message="a second person has to confirm it")
        return Bound(tenant=binding.uid, budget=known.budget, frozen=self.frozen, pending=pending)

    async def freeze(self, venture: UUID, freezing: Freezing) -> Bound:
        """Stop spending."""
        self._reach()
        assert freezing.reason
        self.frozen = True
        known = self.bindings.get(venture)
        if known is None:
            raise FundingRefused(Fault(code=FundingCode.VENTURE_UNKNOWN, message="no such venture"))
        return Bound(tenant=venture, budget=Money(amount=known.budget.amount, currency=CURRENCY), frozen=True)


def show(amount: int) -> str:
    """Minor units of a currency of two decimals as text."""
    return f"{amount // 100}.{amount % 100:02}"
