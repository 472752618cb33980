"""Payments through Stripe, by its official SDK.

Two rails: outbound payments of a financial account (the default), and payouts to a bank account of ours. The SDK asks
once: whether to ask again is decided by `steps`, so its own retries are off. The API's version is named with every
request and stays what this adapter was tested against, whatever the SDK's next release prefers.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

import anyio
import httpx
import stripe

from parpour_treasury.providers.credentials import Secret, is_live
from parpour_treasury.providers.egress import Egress, client
from parpour_treasury.providers.evidence import masked
from parpour_treasury.providers.port import (
    SPEND_ID,
    Answer,
    Balance,
    Fee,
    Hint,
    Movement,
    Outcome,
    Payment,
    PaymentOrder,
    ProviderFault,
    Windows,
)
from parpour_treasury.providers.stripe_units import from_stripe, to_stripe
from parpour_treasury.providers.webhooks import parse_stripe

API_VERSION = "2026-10-28.endive"
WINDOWS = Windows(send_again=timedelta(hours=23), absence_after=timedelta(hours=1), ask_person=timedelta(hours=26))
"""Stripe keeps a key for at least 24 hours; an hour is left for clocks and for what is under way."""
PAGE = 100
PAGES_MAX = 200
CLOCKS = timedelta(minutes=10)
"""How far a list reaches back before the first attempt, for clocks that differ."""


class Rail(StrEnum):
    """How money leaves Stripe."""

    OUTBOUND_PAYMENT = "outbound_payment"
    PAYOUT = "payout"


OUTCOMES: Mapping[Rail, Mapping[str, Outcome]] = {
    Rail.OUTBOUND_PAYMENT: {
        "processing": Outcome.SENT,
        "posted": Outcome.SETTLED,
        "failed": Outcome.FAILED,
        "canceled": Outcome.FAILED,
        "returned": Outcome.RETURNED,
    },
    Rail.PAYOUT: {
        "pending": Outcome.SENT,
        "in_transit": Outcome.SENT,
        "paid": Outcome.SETTLED,
        "failed": Outcome.FAILED,
        "canceled": Outcome.FAILED,
    },
}
"""A status of Stripe's object, and what it means. Another status is UNKNOWN."""

REFUSALS: Mapping[int, Outcome] = {
    400: Outcome.FAILED,
    401: Outcome.LATER,
    402: Outcome.FAILED,
    403: Outcome.LATER,
    404: Outcome.FAILED,
    429: Outcome.LATER,
}
"""HTTP statuses by which an attempt did nothing. Every other one, 409 and 5xx among them, is UNKNOWN."""


def _no_answer(code: str, status: int | None = None) -> stripe.StripeError:
    """The SDK's error for a request without an answer of the API; its constructors are untyped."""
    error: stripe.StripeError = stripe.APIConnectionError(code, http_status=status, code=code)  # type: ignore[no-untyped-call]
    return error


class _Transport(stripe.HTTPClient):
    """The SDK's requests on our egress. The SDK's own HTTPX client cannot be given a transport."""

    name = "httpx"

    def __init__(self, http: httpx.AsyncClient) -> None:
        super().__init__()
        self._http = http

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request.

        Raises:
            stripe.APIConnectionError: it got no answer, or one that is no JSON object.
        """
        try:
            answer = await self._http.request(method, url, headers=dict(headers), content=post_data or b"")
        except httpx.HTTPError as error:
            raise _no_answer(type(error).__name__) from None
        try:
            readable = isinstance(json.loads(answer.content), dict)
        except (ValueError, RecursionError):
            readable = False
        if not readable:
            raise _no_answer("no_json", answer.status_code)
        return answer.content, answer.status_code, answer.headers

    async def sleep_async(self, secs: float) -> None:
        """Waits; the SDK asks for it between retries, which are off."""
        await anyio.sleep(secs)

    async def close_async(self) -> None:
        """Closes the connections."""
        await self._http.aclose()


def _time(value: object) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) and not isinstance(value, bool) else None


def _refusal(error: stripe.StripeError) -> Answer:
    """What an error of the SDK proves of the attempt that it answers."""
    status = error.http_status
    body = error.json_body if isinstance(error.json_body, dict) else {}
    found = body.get("error")
    details = found if isinstance(found, dict) else {}
    kind = details.get("type")
    code = str(details.get("code") or kind or error.code or type(error).__name__)
    outcome = REFUSALS.get(status or 0, Outcome.UNKNOWN)
    if isinstance(error, stripe.APIConnectionError):
        outcome = Outcome.UNKNOWN
    elif kind == "idempotency_error" and status == 400:
        outcome = Outcome.NEEDS_PERSON
    evidence = {"http_status": status, "request_id": error.request_id, "error": masked(details)}
    return Answer(outcome=outcome, code=code[:100], evidence=evidence)


class StripeProvider:
    """One Stripe account.

    Args:
        key: secret or restricted key.
        rail: how money leaves.
        financial_account: where outbound payments are taken from; required on that rail.
        network: `ach` or `us_domestic_wire`, for outbound payments.
        webhook_secrets: signing secrets of the account's endpoint; two during a rotation.
        egress: the way out.
        base_url: a double's address; only with a key for tests.
        timeout_s: after which an answer is not waited for.
    """

    name = "stripe"
    windows = WINDOWS

    def __init__(
        self,
        key: Secret,
        *,
        rail: Rail = Rail.OUTBOUND_PAYMENT,
        financial_account: str = "",
        network: str = "ach",
        webhook_secrets: Sequence[Secret] = (),
        egress: Egress,
        base_url: str | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        if base_url is not None and is_live(key):
            raise ValueError("a live key goes to Stripe and nowhere else")
        if (rail is Rail.OUTBOUND_PAYMENT) != bool(financial_account):
            raise ValueError("outbound payments have a financial account, payouts have none")
        if network not in {"ach", "us_domestic_wire"}:
            raise ValueError("a network is ach or us_domestic_wire")
        self._rail = rail
        self._live = is_live(key)
        self._financial_account = financial_account
        self._network = network
        self._webhook_secrets = tuple(webhook_secrets)
        self._transport = _Transport(client(egress, timeout_s=timeout_s))
        self._client = stripe.StripeClient(
            key.reveal(),
            stripe_version=API_VERSION,
            max_network_retries=0,
            http_client=self._transport,
            base_addresses={"api": base_url} if base_url else {},
        )

    async def send(self, order: PaymentOrder) -> Answer:
        """Creates the payment under the order's key."""
        amount = to_stripe(order.amount, order.currency)
        if amount is None:
            return Answer(outcome=Outcome.FAILED, code="amount_unrepresentable", evidence={"currency": order.currency})
        try:
            made = await self._create(order, amount)
        except stripe.StripeError as error:
            return _refusal(error)
        return self._answer(made, order)

    async def _create(self, order: PaymentOrder, amount: int) -> dict[str, Any]:
        metadata = {**order.metadata, SPEND_ID: str(order.spend_id)}
        if self._rail is Rail.PAYOUT:
            payout = await self._client.v1.payouts.create_async(
                {
                    "amount": amount,
                    "currency": order.currency.lower(),
                    "destination": order.destination,
                    "description": order.purpose,
                    "metadata": metadata,
                    "expand": ["balance_transaction"],
                },
                {"idempotency_key": order.key},
            )
            return payout.to_dict()
        payment = await self._client.v1.treasury.outbound_payments.create_async(
            {
                "amount": amount,
                "currency": order.currency.lower(),
                "financial_account": self._financial_account,
                "destination_payment_method": order.destination,
                "destination_payment_method_options": {"us_bank_account": {"network": self._network}},
                "description": order.purpose,
                "metadata": metadata,
            },
            {"idempotency_key": order.key},
        )
        return payment.to_dict()

    async def look_up(self, order: PaymentOrder, *, reference: str, since: datetime) -> Answer:
        """Fetches the payment, or where no reference is known, lists all and compares `metadata.spend_id`."""
        try:
            if reference:
                return self._answer(await self._retrieve(reference), order)
            found = [item async for item in self._list(since - CLOCKS) if _spend_of(item) == order.spend_id]
        except stripe.StripeError as error:
            answer = _refusal(error)
            outcome = Outcome.LATER if answer.outcome is Outcome.LATER else Outcome.UNKNOWN
            return Answer(outcome=outcome, code=answer.code, evidence=answer.evidence)
        except ProviderFault as fault:
            return Answer(outcome=Outcome.UNKNOWN, code=fault.code)
        if len(found) > 1:
            evidence = {"payments": masked(found)}
            return Answer(outcome=Outcome.NEEDS_PERSON, code="paid_more_than_once", evidence=evidence)
        if not found:
            return Answer(outcome=Outcome.ABSENT, code="not_listed", evidence={"listed_since": since.isoformat()})
        return self._answer(found[0], order)

    async def _retrieve(self, reference: str) -> dict[str, Any]:
        if self._rail is Rail.PAYOUT:
            expand = {"expand": ["balance_transaction"]}
            payout = await self._client.v1.payouts.retrieve_async(reference, cast(Any, expand))
            return payout.to_dict()
        payment = await self._client.v1.treasury.outbound_payments.retrieve_async(reference)
        return payment.to_dict()

    def _list(self, since: datetime) -> AsyncIterator[dict[str, Any]]:
        created = {"gte": int(since.timestamp())}
        if self._rail is Rail.PAYOUT:
            return _pages(
                self._client.v1.payouts.list_async, {"created": created, "expand": ["data.balance_transaction"]}
            )
        return _pages(
            self._client.v1.treasury.outbound_payments.list_async,
            {"created": created, "financial_account": self._financial_account},
        )

    def _answer(self, item: Mapping[str, Any], order: PaymentOrder) -> Answer:
        """What Stripe's object says of an order; another amount, currency, payee or spend is for a person."""
        answer = self._state(item)
        destination = "destination" if self._rail is Rail.PAYOUT else "destination_payment_method"
        agrees = (
            item.get("amount") == to_stripe(order.amount, order.currency)
            and item.get("currency") == order.currency.lower()
            and _id(item.get(destination)) == order.destination
            and _spend_of(item) == order.spend_id
            and item.get("livemode") is self._live
        )
        if agrees:
            return answer
        return Answer(
            outcome=Outcome.NEEDS_PERSON,
            reference=answer.reference,
            code="disagrees_with_order",
            evidence=answer.evidence,
        )

    def _state(self, item: Mapping[str, Any]) -> Answer:
        reference, status = item.get("id"), item.get("status")
        if not isinstance(reference, str) or not isinstance(status, str):
            return Answer(outcome=Outcome.UNKNOWN, code="malformed", evidence=masked(item))
        outcome = OUTCOMES[self._rail].get(status, Outcome.UNKNOWN)
        transitions = item.get("status_transitions") or {}
        happened = _time(transitions.get(f"{status}_at")) if isinstance(transitions, Mapping) else None
        returned = item.get("returned_details") if status == "returned" else None
        code = returned.get("code") if isinstance(returned, Mapping) else item.get("failure_code")
        return Answer(
            outcome=outcome,
            reference=reference,
            code=str(code or status)[:100],
            evidence=masked(item),
            fee=_fee(item.get("balance_transaction")),
            occurred_at=happened or _time(item.get("created")),
        )

    async def payments_since(self, since: datetime) -> AsyncIterator[Payment]:
        """Every payment of the rail made since then, newest first."""
        try:
            async for item in self._list(since):
                created = _time(item.get("created"))
                amount, currency = item.get("amount"), item.get("currency")
                if created is None or not isinstance(amount, int) or not isinstance(currency, str):
                    raise ProviderFault(self.name, "malformed")
                yield Payment(
                    spend_id=_spend_of(item),
                    amount=_minor(amount, currency),
                    currency=currency.upper(),
                    created_at=created,
                    answer=self._state(item),
                )
        except stripe.StripeError as error:
            raise ProviderFault(self.name, _refusal(error).code) from None

    async def movements_since(self, since: datetime) -> AsyncIterator[Movement]:
        """The balance's transactions, or on the rail of outbound payments the financial account's entries."""
        created = {"gte": int(since.timestamp())}
        account = self._financial_account
        try:
            if self._rail is Rail.PAYOUT:
                async for item in _pages(self._client.v1.balance_transactions.list_async, {"created": created}):
                    yield _movement(item, amount=item.get("amount"), source=item.get("source"), fee=item.get("fee"))
            else:
                entries = self._client.v1.treasury.transaction_entries.list_async
                async for item in _pages(entries, {"created": created, "financial_account": account}):
                    impact = item.get("balance_impact")
                    cash = impact.get("cash") if isinstance(impact, Mapping) else None
                    yield _movement(item, amount=cash, source=item.get("flow"), fee=0)
        except stripe.StripeError as error:
            raise ProviderFault(self.name, _refusal(error).code) from None

    async def balance(self, currency: str) -> Balance:
        """What the balance, or the financial account, holds."""
        try:
            if self._rail is Rail.PAYOUT:
                sums = (await self._client.v1.balance.retrieve_async()).to_dict()
                available = _sum(sums.get("available"), currency)
                pending = _sum(sums.get("pending"), currency)
            else:
                accounts = self._client.v1.treasury.financial_accounts
                held = (await accounts.retrieve_async(self._financial_account)).to_dict()["balance"]
                available = int(held["cash"].get(currency.lower(), 0))
                pending = int(held["outbound_pending"].get(currency.lower(), 0))
        except stripe.StripeError as error:
            raise ProviderFault(self.name, _refusal(error).code) from None
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ProviderFault(self.name, "malformed") from None
        return Balance(currency=currency, available=available, pending=pending)

    def parse_webhook(self, body: bytes, signature: str, *, now: datetime) -> Hint:
        """Reads a `Stripe-Signature` webhook of this account's endpoint."""
        return parse_stripe(body, signature, self._webhook_secrets, now=now)

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.close_async()


def _id(value: object) -> object:
    """An id, of an object that may be expanded."""
    return value.get("id") if isinstance(value, Mapping) else value


def _spend_of(item: Mapping[str, Any]) -> UUID | None:
    metadata = item.get("metadata")
    text = metadata.get(SPEND_ID) if isinstance(metadata, Mapping) else None
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _fee(transaction: object) -> Fee | None:
    if not isinstance(transaction, Mapping):
        return None
    fee, currency = transaction.get("fee"), transaction.get("currency")
    if not isinstance(fee, int) or not isinstance(currency, str):
        return None
    try:
        return Fee(amount=from_stripe(fee, currency.upper()), currency=currency.upper())
    except ValueError:
        # A part of a minor unit: the bank's statement will tell what it came to.
        return None


def _minor(amount: int, currency: str) -> int:
    try:
        return from_stripe(amount, currency.upper())
    except ValueError:
        raise ProviderFault("stripe", "malformed") from None


def _sum(entries: object, currency: str) -> int:
    assert isinstance(entries, list), "a balance is a list of sums"
    return from_stripe(
        sum(int(entry["amount"]) for entry in entries if entry["currency"] == currency.lower()), currency
    )


def _movement(item: Mapping[str, Any], *, amount: object, source: object, fee: object) -> Movement:
    created, currency, reference = _time(item.get("created")), item.get("currency"), item.get("id")
    if created is None or not isinstance(amount, int) or not isinstance(fee, int):
        raise ProviderFault("stripe", "malformed")
    if not isinstance(currency, str) or not isinstance(reference, str):
        raise ProviderFault("stripe", "malformed")
    return Movement(
        reference=reference,
        source=str(_id(source) or ""),
        kind=str(item.get("type")),
        amount=_minor(amount, currency),
        fee=_minor(fee, currency),
        currency=currency.upper(),
        created_at=created,
    )


async def _pages(
    listing: Callable[..., Awaitable[stripe.ListObject[Any]]], params: dict[str, Any]
) -> AsyncIterator[dict[str, Any]]:
    """Walks a list to its end.

    Raises:
        ProviderFault: the list is longer than PAGES_MAX pages, or its cursor does not move.
        stripe.StripeError: a page could not be read.
    """
    after = ""
    for _ in range(PAGES_MAX):
        page = (await listing({**params, "limit": PAGE, **({"starting_after": after} if after else {})})).to_dict()
        items = page.get("data")
        if not isinstance(items, list):
            raise ProviderFault("stripe", "malformed")
        for item in items:
            yield item
        if not page.get("has_more"):
            return
        last = items[-1].get("id") if items else None
        if not isinstance(last, str) or last == after:
            raise ProviderFault("stripe", "cursor")
        after = last
    raise ProviderFault("stripe", "too_many_pages")
