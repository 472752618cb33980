"""Reservations of metered work: each is a spend on the venture's internal payee, with its prices pinned beside it.

What a reservation is stands in two rows, the spend and what was asked. They are written one after the other, and every
path that finds the second without the first asks for the first again, under a key that gives the same answer: so a
crash in between is mended by whoever looks next, the listing of open reservations included.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID, uuid5

import asyncpg

from parpour_api.identity.principal import OPERATOR
from parpour_api.internal.faults import Refused
from parpour_api.internal.pricing import PriceList, Terms, price
from parpour_api.internal.ventures import LIFETIME_SECONDS, Ventures, budget_envelope, platform_payee
from parpour_contracts.funding import (
    Fault,
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
from parpour_controlplane.database import Database
from parpour_controlplane.migrations import sql
from parpour_treasury.calling import refusal
from parpour_treasury.currencies import format_amount
from parpour_treasury.refusals import REFUSALS
from parpour_treasury.spending.asks import Ask, Cancel, Renew, RequestSpend, SettleSpend, SpendOutcome
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.register import Register, Spend
from parpour_treasury.spending.states import State

PAGE = 100
RENEWAL_SECONDS = 15
"""A renewal that was refused is decided anew after this time; within it, the same request gets the same answer."""
NOBODY = UUID(int=0)

_DEAD = frozenset({State.REFUSED, State.REJECTED, State.EXPIRED, State.CANCELLED})
_BY_ID, _BY_SUBJECT, _OPEN = (
    sql("parpour_treasury", f"queries/reservation{name}.sql") for name in ("", "s_of_subject", "s_open")
)


@dataclass(frozen=True)
class Row:
    """One row of treasury.reservation."""

    venture: UUID
    reservation: UUID
    key: str
    subject: UUID
    kind: str
    namespace: str
    name: str
    generation: int
    digest: bytes
    terms: Terms
    attempt: int
    spend: UUID | None
    usage: Settlement | None
    opened_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any], venture: UUID) -> Self:
        """From the database."""
        return cls(
            venture=venture,
            reservation=row["reservation_id"],
            key=row["key"],
            subject=row["subject"],
            kind=row["kind"],
            namespace=row["namespace"],
            name=row["name"],
            generation=row["generation"],
            digest=row["digest"],
            terms=Terms.from_json(json.loads(row["terms"])),
            attempt=row["attempt"],
            spend=row["spend_id"],
            usage=None if row["usage"] is None else Settlement.model_validate_json(row["usage"]),
            opened_at=row["opened_at"],
        )


@dataclass(frozen=True)
class Standing:
    """A reservation and the spend behind it."""

    row: Row
    spend: Spend

    @property
    def state(self) -> ReservationState:
        """What became of it."""
        if self.spend.state is State.RESERVED:
            return ReservationState.RESERVED
        if self.spend.state is State.AWAITING_APPROVAL:
            return ReservationState.AWAITING
        if self.spend.state is State.REFUSED:
            return ReservationState.REFUSED
        # What came to nothing ends as a cancelled spend, and was settled all the same.
        nothing = self.spend.state is State.CANCELLED and self.row.usage is not None
        return ReservationState.SETTLED if nothing or self.spend.state is State.SETTLED else ReservationState.CANCELLED


class Reservations:
    """Reservations of every venture."""

    def __init__(
        self,
        database: Database,
        *,
        ventures: Ventures,
        authority: Authority,
        prices: PriceList,
        clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._ventures = ventures
        self._authority = authority
        self._register = Register(database)
        self._prices = prices
        self._clock = clock

    async def state(self, namespace: UUID, subject: UUID) -> FundingState:
        """What is known of one resource."""
        venture = await self._ventures.of_namespace(namespace)
        if venture is None:
            return FundingState()
        rows = await self._rows(venture, _BY_SUBJECT, subject, PAGE)
        found = [await self._stand(row) for row in rows]
        return FundingState(venture=venture, reservations=tuple(_answer(one) for one in found))

    async def reserve(self, request: ReservationRequest) -> Reservation:
        """Keep money free, or say why not.

        Raises:
            Refused: FUNDING_NAMESPACE_UNBOUND or FUNDING_RESERVATION_DIFFERS.
            TreasuryError: if the budget is no amount.
        """
        venture = await self._ventures.of_namespace(request.namespace_uid)
        if venture is None:
            raise Refused(FundingCode.NAMESPACE_UNBOUND, "no venture owns the namespace")
        reservation = uuid5(venture, f"reservation/{request.key}")
        digest = _digest(request)
        earlier = await self._find(venture, reservation)
        if earlier is not None:
            standing = await self._stand(earlier)
            if standing.row.usage is not None or standing.spend.state not in _DEAD:
                if earlier.digest != digest:
                    raise Refused(FundingCode.RESERVATION_DIFFERS, "the key was used for another request")
                return _answer(standing)
        terms = await self._price(venture, request)
        if isinstance(terms, Fault):
            return _unpriced(venture, reservation, request, self._prices, terms)
        if earlier is None:
            await self._open(venture, reservation, request, digest, terms)
        else:
            await self._retry(earlier, digest, terms)
        return _answer(await self._stand(await self._row(venture, reservation)))

    async def renew(self, venture: UUID, reservation: UUID, renewal: Renewal) -> Reservation:
        """Cover a longer run, as far as the resource's budget and the venture's allow.

        Raises:
            Refused: FUNDING_RESERVATION_UNKNOWN or FUNDING_RESERVATION_CLOSED.
        """
        standing = await self._standing_open(venture, reservation)
        row, spend = standing.row, standing.spend
        more = row.terms.covering(renewal.seconds) - spend.amount
        if more <= 0:
            return _answer(standing)
        moment = int(self._clock()) // RENEWAL_SECONDS
        key = f"renewal/{reservation}/{row.attempt}/{spend.amount}/{more}/{moment}"
        ask = Renew(key=key, spend=spend.spend_id, amount=more, lifetime_seconds=LIFETIME_SECONDS)
        outcome = await self._ask(venture, ask)
        fault = None if outcome.accepted else Fault(code=outcome.codes[0], message=REFUSALS[outcome.codes[0]])
        return _answer(await self._stand(row)).model_copy(update={"fault": fault})

    async def settle(self, venture: UUID, reservation: UUID, settlement: Settlement) -> Reservation:
        """Charge what was used, at most what is reserved, and release the rest. The first report counts.

        Raises:
            Refused: FUNDING_RESERVATION_UNKNOWN or FUNDING_RESERVATION_CLOSED.
        """
        standing = await self._stand(await self._row(venture, reservation))
        if standing.state is ReservationState.SETTLED:
            return _answer(standing)
        standing = await self._standing_open(venture, reservation)
        row, spend = standing.row, standing.spend
        text = await self._call(
            "select treasury.report_usage($1, $2, $3, $4)",
            self._ventures.context(venture, OPERATOR),
            reservation,
            row.attempt,
            json.dumps(settlement.to_wire()),
        )
        used = Settlement.model_validate_json(text)
        cost = row.terms.charge(worker_seconds=used.worker_seconds, closing_seconds=used.closing_seconds)
        key = f"settlement/{reservation}/{row.attempt}"
        amount = min(spend.amount, cost)
        outcome = await self._ask(venture, SettleSpend(key=key, spend=spend.spend_id, amount=amount))
        if not outcome.accepted:
            raise Refused(outcome.codes[0], REFUSALS[outcome.codes[0]])
        return _answer(await self._stand(await self._row(venture, reservation)))

    async def cancel(self, venture: UUID, reservation: UUID) -> Reservation:
        """Release everything; what was reported to be used already is settled instead.

        Raises:
            Refused: FUNDING_RESERVATION_UNKNOWN, or FUNDING_RESERVATION_CLOSED if it was settled.
        """
        standing = await self._stand(await self._row(venture, reservation))
        if standing.state is ReservationState.SETTLED:
            raise Refused(FundingCode.RESERVATION_CLOSED, "the reservation was settled")
        if standing.row.usage is not None:
            return await self.settle(venture, reservation, standing.row.usage)
        if standing.spend.state in _DEAD:
            return _answer(standing)
        key = f"cancellation/{reservation}/{standing.row.attempt}"
        outcome = await self._ask(venture, Cancel(key=key, spend=standing.spend.spend_id))
        if not outcome.accepted:
            raise Refused(outcome.codes[0], REFUSALS[outcome.codes[0]])
        return _answer(await self._stand(standing.row))

    async def open(self, after: str | None) -> OpenReservations:
        """A page of open reservations, venture by venture.

        Raises:
            Refused: FUNDING_REQUEST_MALFORMED, if the cursor is none.
        """
        venture, reservation = _cursor(after)
        items: list[OpenReservation] = []
        ventures = await self._ventures.after(venture, most=PAGE)
        for one in ventures:
            last = reservation if one == venture else NOBODY
            rows = await self._rows(one, _OPEN, last, PAGE - len(items))
            for row in rows:
                standing = await self._stand(row)
                if standing.spend.state not in _DEAD:
                    items.append(_listed(standing))
            if len(rows) and len(items) >= PAGE:
                return OpenReservations(items=tuple(items), next=f"{one}/{rows[-1].reservation}")
        if len(ventures) == PAGE:
            return OpenReservations(items=tuple(items), next=f"{ventures[-1]}/{UUID(int=2**128 - 1)}")
        return OpenReservations(items=tuple(items))

    async def _price(self, venture: UUID, request: ReservationRequest) -> Terms | Fault:
        budget = await self._ventures.budget(venture)
        if request.budget.currency != budget.currency:
            message = f"spec.budget.currency: the venture's budget is in {budget.currency}"
            return Fault(code=FundingCode.CURRENCY_MISMATCH, message=message)
        try:
            terms = price(request, self._prices)
        except KeyError:
            message = f"the price list has no prices in {request.budget.currency}"
            return Fault(code=FundingCode.CURRENCY_UNPRICED, message=message)
        if terms.deadline(terms.first) < request.minimum_seconds:
            least = format_amount(terms.cost(request.minimum_seconds), terms.currency)
            message = f"spec.budget: {request.minimum_seconds} s of this run cost {least} {terms.currency}, the least"
            return Fault(code=FundingCode.BUDGET_TOO_SMALL, message=message)
        return terms

    async def _standing_open(self, venture: UUID, reservation: UUID) -> Standing:
        standing = await self._stand(await self._row(venture, reservation))
        if standing.spend.state is not State.RESERVED:
            raise Refused(FundingCode.RESERVATION_CLOSED, f"the reservation is {standing.state}")
        return standing

    async def _stand(self, row: Row) -> Standing:
        """The reservation with its spend, which is asked for if that was not done or not noted."""
        spend = row.spend
        if spend is None:
            ask = RequestSpend(
                key=f"reservation/{row.reservation}/{row.attempt}",
                envelope=budget_envelope(row.venture),
                payee=platform_payee(row.venture),
                amount=row.terms.first,
                currency=row.terms.currency,
                purpose=f"{row.kind} {row.namespace}/{row.name} {row.subject} generation {row.generation}",
                lifetime_seconds=LIFETIME_SECONDS,
            )
            spend = (await self._ask(row.venture, ask)).spend
            context = self._ventures.context(row.venture, OPERATOR)
            query = "select treasury.attach_spend($1, $2, $3, $4)"
            await self._call(query, context, row.reservation, row.attempt, spend)
        if spend is None:
            raise AssertionError("a request that is answered names its spend")
        return Standing(row, await self._register.spend(self._ventures.context(row.venture), spend))

    async def _ask(self, venture: UUID, ask: Ask) -> SpendOutcome:
        return await self._authority.submit(venture, OPERATOR, ask)

    async def _find(self, venture: UUID, reservation: UUID) -> Row | None:
        rows = await self._rows(venture, _BY_ID, reservation)
        return rows[0] if rows else None

    async def _row(self, venture: UUID, reservation: UUID) -> Row:
        found = await self._find(venture, reservation)
        if found is None:
            raise Refused(FundingCode.RESERVATION_UNKNOWN, "no such reservation")
        return found

    async def _rows(self, venture: UUID, query: str, *arguments: Any) -> list[Row]:
        async with self._database.transaction(self._ventures.context(venture)) as connection:
            return [Row.of(dict(row), venture) for row in await connection.fetch(query, *arguments)]

    async def _open(
        self, venture: UUID, reservation: UUID, request: ReservationRequest, digest: bytes, terms: Terms
    ) -> None:
        await self._call(
            "select treasury.open_reservation($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            self._ventures.context(venture, OPERATOR),
            reservation,
            request.key,
            request.uid,
            request.kind,
            request.namespace,
            request.name,
            request.generation,
            digest,
            json.dumps(terms.to_json()),
        )

    async def _retry(self, earlier: Row, digest: bytes, terms: Terms) -> None:
        await self._call(
            "select treasury.retry_reservation($1, $2, $3, $4, $5)",
            self._ventures.context(earlier.venture, OPERATOR),
            earlier.reservation,
            earlier.attempt,
            digest,
            json.dumps(terms.to_json()),
        )

    async def _call(self, query: str, *arguments: Any) -> Any:
        try:
            return await self._database.pool.fetchval(query, *arguments)
        except asyncpg.PostgresError as error:
            raise refusal(error) from None


def _digest(request: ReservationRequest) -> bytes:
    """What a key stands for: the resource, its budget and its size. How much of it is reserved at once is no part."""
    sizes = {"seconds", "minimum_seconds", "grace_seconds", "closing"}
    wire = request.model_dump(mode="json", by_alias=True, exclude=sizes)
    return hashlib.sha256(json.dumps(wire, sort_keys=True).encode()).digest()


def _cursor(text: str | None) -> tuple[UUID, UUID]:
    if text is None:
        return NOBODY, NOBODY
    venture, _, reservation = text.partition("/")
    try:
        return UUID(venture), UUID(reservation)
    except ValueError as error:
        raise Refused(FundingCode.MALFORMED, "after: no cursor of this list") from error


def _rate(terms: Terms, *, closing: bool) -> Rate:
    value = terms.closing_rate if closing else terms.rate
    return Rate(numerator=value.numerator, denominator=value.denominator)


def _answer(standing: Standing) -> Reservation:
    row, spend, terms = standing.row, standing.spend, standing.row.terms
    state = standing.state
    refused = state is ReservationState.REFUSED and spend.code is not None
    settled = state is ReservationState.SETTLED
    return Reservation(
        venture=row.venture,
        reservation=row.reservation,
        state=state,
        fault=Fault(code=spend.code, message=REFUSALS[spend.code]) if refused and spend.code else None,
        key=row.key,
        kind=row.kind,
        namespace=row.namespace,
        name=row.name,
        uid=row.subject,
        generation=row.generation,
        workers=terms.workers,
        grace_seconds=terms.grace_seconds,
        price_list=terms.price_list,
        rate_per_worker_second=_rate(terms, closing=False),
        closing_rate_per_second=_rate(terms, closing=True),
        currency=terms.currency,
        reserved=format_amount(spend.amount, terms.currency),
        charged=format_amount(spend.settled, terms.currency) if settled else None,
        deadline_seconds=terms.deadline(spend.amount),
        renewable=state is ReservationState.RESERVED and spend.amount < terms.budget,
    )


def _unpriced(
    venture: UUID, reservation: UUID, request: ReservationRequest, prices: PriceList, fault: Fault
) -> Reservation:
    """The answer to a request that never became a spend."""
    nothing = Rate(numerator=0, denominator=1)
    return Reservation(
        venture=venture,
        reservation=reservation,
        state=ReservationState.REFUSED,
        fault=fault,
        key=request.key,
        kind=request.kind,
        namespace=request.namespace,
        name=request.name,
        uid=request.uid,
        generation=request.generation,
        workers=request.workers,
        grace_seconds=request.grace_seconds,
        price_list=prices.identity,
        rate_per_worker_second=nothing,
        closing_rate_per_second=nothing,
        currency=request.budget.currency,
        reserved="0",
        deadline_seconds=0,
    )


def _listed(standing: Standing) -> OpenReservation:
    row = standing.row
    return OpenReservation(
        venture=row.venture,
        reservation=row.reservation,
        kind=row.kind,
        namespace=row.namespace,
        name=row.name,
        uid=row.subject,
        opened_at=row.opened_at,
        deadline_seconds=row.terms.deadline(standing.spend.amount),
        workers=row.terms.workers,
    )
