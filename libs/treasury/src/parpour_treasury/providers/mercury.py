"""Payments through Mercury.

Mercury writes amounts as JSON numbers of dollars. They are read as decimals from the raw text and written digit by
digit from cents, so that no float ever holds money. Two ways out: a transaction (the token's addresses must be on
Mercury's list), or a request to send money, which a person at Mercury approves; the second is the default.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from parpour_treasury.providers.credentials import Secret, is_live
from parpour_treasury.providers.egress import Egress, client
from parpour_treasury.providers.evidence import masked
from parpour_treasury.providers.port import (
    Answer,
    Balance,
    Hint,
    Movement,
    Outcome,
    Payment,
    PaymentOrder,
    ProviderFault,
    Windows,
)
from parpour_treasury.providers.webhooks import parse_mercury

BASE_URL = "https://api.mercury.com"
WINDOWS = Windows(send_again=timedelta(hours=23), absence_after=timedelta(hours=1), ask_person=timedelta(hours=26))
"""Mercury names no time for its keys. Its guard against equal payments lasts 24 hours: nothing is sent again later."""
REQUEST_WINDOWS = replace(WINDOWS, absence_after=None)
"""A request that awaits approval stands in no list, so that not finding it is no proof."""
DUPLICATE_WINDOW = timedelta(hours=24)
"""Source: Mercury, create a transaction: same recipient, account and amount."""
PAGE = 1000
PAGES_MAX = 100
CLOCKS = timedelta(days=1)
"""A list starts at a date; a day covers clocks and time zones."""
NOTE = "parpour "
"""Starts the note that carries a spend's id: the list finds no key, its `requestId` is of a request to send money."""
REQUEST = "request:"
"""Starts a reference that is a request awaiting approval and no transaction yet."""


class Way(StrEnum):
    """How money leaves Mercury."""

    REQUEST = "request-send-money"
    TRANSACTION = "transactions"


OUTCOMES: Mapping[str, Outcome] = {
    "pending": Outcome.SENT,
    "sent": Outcome.SETTLED,
    "cancelled": Outcome.FAILED,
    "failed": Outcome.FAILED,
}
"""A status of Mercury's transaction, and what it means. Another status is UNKNOWN."""

REQUEST_OUTCOMES: Mapping[str, Outcome] = {
    "pendingApproval": Outcome.SENT,
    "approved": Outcome.SENT,
    "rejected": Outcome.FAILED,
    "cancelled": Outcome.FAILED,
}
"""A status of a request to send money. Until it is approved no money moves, yet it is out of our hands."""

REFUSALS: Mapping[int, Outcome] = {
    400: Outcome.FAILED,
    401: Outcome.LATER,
    403: Outcome.LATER,
    404: Outcome.FAILED,
    422: Outcome.FAILED,
    429: Outcome.LATER,
}
"""HTTP statuses by which an attempt did nothing. Every other one is UNKNOWN, but 409 with a transaction."""


def cents(amount: object) -> int:
    """Cents of Mercury's number of dollars, which `parse_float=Decimal` read from the raw text.

    Raises:
        ValueError: no number, or a part of a cent.
    """
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        raise ValueError("an amount is a number")
    scaled = Decimal(amount).scaleb(2)
    if not scaled.is_finite() or abs(scaled) >= 2**63 or scaled != scaled.to_integral_value():
        raise ValueError("an amount is whole cents below 2^63")
    return int(scaled)


def dollars(amount: int) -> str:
    """A JSON number of dollars: 1250 cents are 12.50.

    Raises:
        ValueError: a double does not hold it to the cent (from 2^53 cents on).
    """
    if not 0 < amount < 2**53:
        raise ValueError("Mercury takes 1 to 2^53 - 1 cents")
    return f"{amount // 100}.{amount % 100:02d}"


def read_json(content: bytes) -> Any:
    """JSON whose fractions are decimals.

    Raises:
        ValueError: no JSON, or NaN and its like.
    """

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is no JSON")

    try:
        return json.loads(content, parse_float=Decimal, parse_constant=refuse)
    except RecursionError:
        raise ValueError("too deep") from None


def _time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def note_of(order: PaymentOrder) -> str:
    """The note, seen by us alone, under which a transaction is found again."""
    return f"{NOTE}{order.spend_id}"


def spend_of(note: object) -> UUID | None:
    """The spend that a note names, or None."""
    try:
        return UUID(note.removeprefix(NOTE)) if isinstance(note, str) and note.startswith(NOTE) else None
    except ValueError:
        return None


def body_of(order: PaymentOrder, *, method: str) -> bytes:
    """The JSON of a payment, its amount exact.

    Raises:
        ValueError: not in dollars, or more than a double holds.
    """
    if order.currency != "USD":
        raise ValueError("Mercury pays in dollars")
    rest = {
        "recipientId": order.destination,
        "paymentMethod": method,
        "idempotencyKey": order.key,
        "note": note_of(order),
        "externalMemo": order.purpose[:140],
    }
    if method == "domesticWire":
        rest_text = json.dumps({**rest, "purpose": {"simple": {"category": "Vendor", "additionalInfo": order.purpose}}})
    else:
        rest_text = json.dumps(rest)
    return f'{{"amount": {dollars(order.amount)}, {rest_text[1:]}'.encode()


class MercuryProvider:
    """One account at Mercury.

    Args:
        token: API token.
        account: id of the account that pays.
        way: a request that is approved at Mercury, or a transaction.
        method: `ach`, `check` or `domesticWire`.
        webhook_secrets: signing secrets of the endpoint; two during a rotation.
        egress: the way out.
        base_url: Mercury, its sandbox, or a double's address.
        timeout_s: after which an answer is not waited for.
    """

    name = "mercury"

    def __init__(
        self,
        token: Secret,
        *,
        account: str,
        way: Way = Way.REQUEST,
        method: str = "ach",
        webhook_secrets: Sequence[Secret] = (),
        egress: Egress,
        base_url: str = BASE_URL,
        timeout_s: float = 30.0,
    ) -> None:
        if base_url != BASE_URL and is_live(token):
            raise ValueError("a live token goes to Mercury and nowhere else")
        if method not in {"ach", "check", "domesticWire"}:
            raise ValueError("a method is ach, check or domesticWire")
        self._token = token
        self._account = account
        self._way = way
        self.windows = REQUEST_WINDOWS if way is Way.REQUEST else WINDOWS
        self._method = method
        self._webhook_secrets = tuple(webhook_secrets)
        self._base = f"{base_url}/api/v1"
        self._http = client(egress, timeout_s=timeout_s)

    async def _ask(self, verb: str, path: str, *, params: Mapping[str, str] | None = None, content: bytes = b"") -> Any:
        """One request.

        Returns:
            HTTP status and JSON value; None for the value where the body is no JSON.

        Raises:
            httpx.HTTPError: it got no answer.
        """
        headers = {"Authorization": f"Bearer {self._token.reveal()}", "Accept": "application/json"}
        if content:
            headers["Content-Type"] = "application/json"
        answer = await self._http.request(
            verb, f"{self._base}{path}", params=dict(params or {}), content=content, headers=headers
        )
        try:
            return answer.status_code, read_json(answer.content)
        except ValueError:
            return answer.status_code, None

    @property
    def _path(self) -> str:
        return f"/account/{quote(self._account, safe='')}"

    async def send(self, order: PaymentOrder) -> Answer:
        """Creates the transaction, or the request, under the order's key."""
        try:
            content = body_of(order, method=self._method)
        except ValueError as error:
            return Answer(outcome=Outcome.FAILED, code="not_representable", evidence={"reason": str(error)})
        try:
            status, body = await self._ask("POST", f"{self._path}/{self._way.value}", content=content)
        except httpx.HTTPError as error:
            return Answer(outcome=Outcome.UNKNOWN, code=type(error).__name__)
        if status in {200, 201, 409} and isinstance(body, dict) and ("id" in body or "requestId" in body):
            return self._answer(body, order)
        evidence = {"http_status": status, "body": masked(body)}
        outcome = REFUSALS.get(status, Outcome.UNKNOWN)
        if status == 400 and _is_duplicate(body):
            return Answer(outcome=Outcome.LATER, code="duplicate", evidence=evidence, patience=DUPLICATE_WINDOW)
        return Answer(outcome=outcome, code=f"http_{status}", evidence=evidence)

    async def look_up(self, order: PaymentOrder, *, reference: str, since: datetime) -> Answer:
        """Fetches the transaction, or the request's transaction, or lists all and compares the note."""
        try:
            if reference.startswith(REQUEST):
                found = await self._of_request(reference.removeprefix(REQUEST))
                if not found:
                    return Answer(outcome=Outcome.UNKNOWN, reference=reference, code="no_transaction_yet")
            elif reference:
                path = f"{self._path}/transaction/{quote(reference, safe='')}"
                status, body = await self._ask("GET", path)
                if status != 200 or not isinstance(body, dict):
                    raise ProviderFault(self.name, f"http_{status}")
                return self._answer(body, order)
            else:
                found = [item async for item in self._list(since - CLOCKS) if item.get("note") == note_of(order)]
        except httpx.HTTPError as error:
            return Answer(outcome=Outcome.UNKNOWN, code=type(error).__name__)
        except ProviderFault as fault:
            later = fault.code in {"http_401", "http_403", "http_429"}
            return Answer(outcome=Outcome.LATER if later else Outcome.UNKNOWN, code=fault.code)
        if len(found) > 1:
            evidence = {"transactions": masked(found)}
            return Answer(outcome=Outcome.NEEDS_PERSON, code="paid_more_than_once", evidence=evidence)
        if not found:
            return Answer(outcome=Outcome.ABSENT, code="not_listed", evidence={"listed_since": since.isoformat()})
        return self._answer(found[0], order)

    async def _of_request(self, request: str) -> list[dict[str, Any]]:
        status, body = await self._ask("GET", f"{self._path}/transactions", params={"requestId": request})
        items = body.get("transactions") if status == 200 and isinstance(body, dict) else None
        if not isinstance(items, list):
            raise ProviderFault(self.name, f"http_{status}")
        return [item for item in items if isinstance(item, dict)]

    async def _list(self, since: datetime) -> AsyncIterator[dict[str, Any]]:
        """Every transaction since a date, oldest first, so that new ones do not shift the pages."""
        seen: set[object] = set()
        for page in range(PAGES_MAX):
            params = {
                "start": since.date().isoformat(),
                "order": "asc",
                "limit": str(PAGE),
                "offset": str(page * PAGE),
            }
            status, body = await self._ask("GET", f"{self._path}/transactions", params=params)
            items = body.get("transactions") if status == 200 and isinstance(body, dict) else None
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise ProviderFault(self.name, f"http_{status}")
            for item in items:
                if item.get("id") not in seen:
                    seen.add(item.get("id"))
                    yield item
            if len(items) < PAGE:
                return
        raise ProviderFault(self.name, "too_many_pages")

    def _answer(self, item: Mapping[str, Any], order: PaymentOrder) -> Answer:
        """What Mercury's object says of an order; another amount, payee or note is for a person."""
        answer = self._state(item)
        recipient = item.get("counterpartyId", item.get("recipientId"))
        try:
            agrees = abs(cents(item.get("amount"))) == order.amount
        except ValueError:
            agrees = False
        if agrees and recipient == order.destination and item.get("note") in {None, note_of(order)}:
            return answer
        return Answer(
            outcome=Outcome.NEEDS_PERSON,
            reference=answer.reference,
            code="disagrees_with_order",
            evidence=answer.evidence,
        )

    def _state(self, item: Mapping[str, Any]) -> Answer:
        status = item.get("status")
        request = item.get("requestId") if "counterpartyId" not in item else None
        reference = f"{REQUEST}{request}" if request else item.get("id")
        if not isinstance(reference, str) or not isinstance(status, str):
            return Answer(outcome=Outcome.UNKNOWN, code="malformed", evidence=masked(item))
        outcomes = REQUEST_OUTCOMES if request else OUTCOMES
        return Answer(
            outcome=outcomes.get(status, Outcome.UNKNOWN),
            reference=reference,
            code=str(item.get("reasonForFailure") or status)[:100],
            evidence=masked(item),
            occurred_at=_time(item.get("failedAt")) or _time(item.get("postedAt")) or _time(item.get("createdAt")),
        )

    async def payments_since(self, since: datetime) -> AsyncIterator[Payment]:
        """Every outgoing transaction since then, oldest first."""
        async for item, amount, created in self._entries(since):
            if amount < 0:
                yield Payment(
                    spend_id=spend_of(item.get("note")),
                    amount=-amount,
                    currency="USD",
                    created_at=created,
                    answer=self._state(item),
                )

    async def movements_since(self, since: datetime) -> AsyncIterator[Movement]:
        """Every transaction since then that was not cancelled or failed."""
        async for item, amount, created in self._entries(since):
            if item.get("status") in {"pending", "sent"}:
                yield Movement(
                    reference=str(item.get("id")),
                    source=str(item.get("id")),
                    kind=str(item.get("kind")),
                    amount=amount,
                    fee=0,
                    currency="USD",
                    created_at=created,
                )

    async def _entries(self, since: datetime) -> AsyncIterator[tuple[dict[str, Any], int, datetime]]:
        try:
            async for item in self._list(since):
                created = _time(item.get("createdAt"))
                if created is None:
                    raise ProviderFault(self.name, "malformed")
                if created >= since:
                    yield item, cents(item.get("amount")), created
        except httpx.HTTPError as error:
            raise ProviderFault(self.name, type(error).__name__) from None
        except ValueError:
            raise ProviderFault(self.name, "malformed") from None

    async def balance(self, currency: str) -> Balance:
        """What the account holds, in dollars."""
        try:
            status, body = await self._ask("GET", self._path)
            if status != 200 or not isinstance(body, dict):
                raise ProviderFault(self.name, f"http_{status}")
            available, current = cents(body.get("availableBalance")), cents(body.get("currentBalance"))
        except httpx.HTTPError as error:
            raise ProviderFault(self.name, type(error).__name__) from None
        except ValueError:
            raise ProviderFault(self.name, "malformed") from None
        if currency != "USD":
            return Balance(currency=currency, available=0, pending=0)
        return Balance(currency="USD", available=available, pending=current - available)

    def parse_webhook(self, body: bytes, signature: str, *, now: datetime) -> Hint:
        """Reads a `Mercury-Signature` webhook of this account's endpoint."""
        return parse_mercury(body, signature, self._webhook_secrets, now=now)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()


def _is_duplicate(body: object) -> bool:
    """Whether a 400 is the guard against equal payments. Its text is not published; a miss counts as a refusal."""
    text = json.dumps(masked(body)).lower()
    return "duplicate" in text
