"""A double of Mercury: accounts, transactions and requests to send money, with its keys and its guard.

Mercury publishes no machine-readable description; this follows its reference pages. Amounts are JSON numbers of
dollars, written digit by digit.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from parpour_treasury.providers.credentials import Secret, is_live
from parpour_treasury.providers.doubles.core import (
    Clock,
    Delivery,
    Effect,
    Exchange,
    Fault,
    Paid,
    Reply,
    Request,
    Script,
    Sleep,
    World,
    signed,
)
from parpour_treasury.providers.mercury import NOTE, cents, read_json

EQUAL_WITHIN = timedelta(hours=24)
NAMESPACE = UUID("6f9b0c5e-0d1f-4a34-9d5e-5a7d3f0a4c11")
FIELDS = frozenset(["recipientId", "amount", "paymentMethod", "idempotencyKey", "note", "externalMemo", "purpose"])
METHODS = frozenset({"ach", "check", "domesticWire"})
STEPS = {
    "pending": {"sent", "failed", "cancelled"},
    "sent": {"failed"},
    "pendingApproval": {"approved", "rejected", "cancelled"},
}
STATUSES = frozenset({"pending", "sent", "cancelled", "failed"})


class ApiError(Exception):
    """An HTTP status and the message of its body."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


def number(amount: int) -> str:
    """Marks cents as a JSON number of dollars for `encode`, with no more digits than needed, as doubles print."""
    text = str(Decimal(amount).scaleb(-2).normalize().__format__("f"))
    return f"\0{text}"


def encode(value: Any) -> bytes:
    """JSON in which marked amounts are numbers."""
    return re.sub(r'"\\u0000(-?[0-9.]+)"', r"\1", json.dumps(value)).encode()


class MercuryDouble:
    """Mercury's books of one account.

    Args:
        account: its id.
        clock: the time there.
        path: a file that keeps the books.
        script: faults of the requests that pay.
        webhook_secret: signs the events.
        sandbox: the sandbox, which sends no webhooks.
        available: cents in the account.
        list_lag: how long a new transaction is missing from lists.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        account: str = "acc_double",
        path: Path | None = None,
        script: Script | None = None,
        webhook_secret: Secret | None = None,
        sandbox: bool = False,
        available: int = 10**12,
        list_lag: timedelta = timedelta(0),
    ) -> None:
        self.script = script or Script()
        self.account = account
        self._clock = clock
        self._world = World(path)
        self._secret = webhook_secret or Secret("mercury-double")
        self._sandbox = sandbox
        self._available = available
        self._list_lag = list_lag

    # what tests ask

    def payments(self) -> list[Paid]:
        """What truly was ordered, in order; a request that was approved is its transaction."""
        return [
            Paid(
                reference=item["id"],
                spend_id=(item["note"] or "").removeprefix(NOTE),
                key=self._world.state["made_by"].get(item["id"], ""),
                amount=item["cents"],
                currency="USD",
                destination=item["counterpartyId"],
                state=item["status"],
            )
            for item in self._world.state["objects"].values()
            if item["status"] != "approved"
        ]

    def deliveries(
        self, *, doubled: bool = False, reordered: bool = False, skew: timedelta = timedelta(0)
    ) -> list[Delivery]:
        """Takes the webhooks that are due, signed now; the sandbox has none."""
        events, self._world.state["events"] = self._world.state["events"], []
        self._world.save()
        if self._sandbox:
            return []
        bodies = [json.dumps(event).encode() for event in events]
        return signed(
            "Mercury-Signature",
            bodies,
            self._secret,
            self._clock(),
            doubled=doubled,
            reordered=reordered,
            skew=skew,
        )

    def advance(self, reference: str, state: str, code: str = "") -> None:
        """Moves a transaction or a request on; an approved request makes its transaction.

        Raises:
            ApiError: there is none, or its status does not lead there.
        """
        item = self._world.state["objects"].get(reference)
        if item is None:
            raise ApiError(404, "no such transaction")
        if state not in STEPS.get(item["status"], set()) and state in {*STATUSES, "approved", "rejected"}:
            raise ApiError(400, f"{item['status']} does not become {state}")
        before = {name: item[name] for name in ("status", "postedAt", "failedAt")}
        now = self._clock().isoformat()
        item["status"] = state
        if state == "sent":
            item["postedAt"] = now
        if state == "failed":
            item["failedAt"] = now
            item["reasonForFailure"] = code or "Account closed"
        if state == "approved":
            key = self._world.state["made_by"][reference]
            self._make(item["cents"], item["counterpartyId"], item["note"], item["externalMemo"], key, reference)
        elif not item["isRequest"]:
            self._event(item, before)
        self._world.save()

    # HTTP

    async def exchange(self, request: Request, sleep: Sleep) -> Exchange:
        """What comes of a request; faults befall those that pay."""
        pays = request.method == "POST" and request.path.endswith(("/transactions", "/request-send-money"))
        fault = self.script.take() if pays else Fault.NONE
        match fault:
            case Fault.DROP:
                return Exchange(Effect.DROP)
            case Fault.LIMITED:
                return _answer(429, {"errors": {"message": "too many requests"}})
            case Fault.BROKEN:
                return _answer(500, {"errors": {"message": "internal error"}})
            case Fault.CONFLICT:
                return _answer(409, {"errors": {"message": "conflict"}})
            case Fault.SLOW:
                await sleep(0.05)
        try:
            status, body = self._handle(request)
        except ApiError as error:
            status, body = error.status, {"errors": {"message": error.message}}
        self._world.save()
        match fault:
            case Fault.WORK_THEN_DROP:
                return Exchange(Effect.DROP)
            case Fault.WORK_THEN_SILENCE:
                return Exchange(Effect.SILENCE)
            case Fault.WORK_THEN_500:
                return _answer(500, {"errors": {"message": "internal error"}})
            case Fault.GARBLED:
                return Exchange(Effect.ANSWER, Reply(502, b"<html>Bad gateway</html>", {"content-type": "text/html"}))
        answer = _answer(status, body)
        return Exchange(Effect.ANSWER, answer.reply, hook_first=fault is Fault.HOOK_FIRST)

    def _handle(self, request: Request) -> tuple[int, dict[str, Any]]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or is_live(token):
            raise ApiError(401, "unauthorized")
        match = re.fullmatch(r"/api/v1/account/([^/]+)(/.*)?", request.path)
        if request.method == "GET" and request.path == "/api/v1/accounts":
            return 200, {"accounts": [self._account()]}
        if match is None or match[1] != self.account:
            raise ApiError(404, "accountId not found")
        rest = match[2] or ""
        if request.method == "GET" and rest == "":
            return 200, self._account()
        if request.method == "GET" and rest == "/transactions":
            return 200, self._listed(dict(request.parameters))
        one = re.fullmatch(r"/transaction/([^/]+)", rest)
        if request.method == "GET" and one:
            item = self._world.state["objects"].get(one[1])
            if item is None or item["isRequest"]:
                raise ApiError(404, "transactionId not found")
            return 200, _shown(item)
        if request.method == "POST" and rest in {"/transactions", "/request-send-money"}:
            return self._pay(request, is_request=rest == "/request-send-money")
        raise ApiError(404, "not found")

    def _pay(self, request: Request, *, is_request: bool) -> tuple[int, dict[str, Any]]:
        """Makes a transaction or a request: 409 with the first one for a key that was used, whatever the body."""
        body = self._validated(request)
        amount, key = cents(body["amount"]), str(body["idempotencyKey"])
        kept = self._world.state["keys"].get(key)
        if kept is not None:
            return 409, _shown(self._world.state["objects"][kept])
        now = self._clock()
        for item in self._world.state["objects"].values():
            equal = item["cents"] == amount and item["counterpartyId"] == body["recipientId"]
            if equal and now - datetime.fromisoformat(item["createdAt"]) < EQUAL_WITHIN:
                raise ApiError(400, "duplicate transaction: same recipient, account and amount within 24 hours")
        item = self._make(
            amount, body["recipientId"], body.get("note"), body.get("externalMemo"), key, None, is_request=is_request
        )
        self._world.state["keys"][key] = item["id"]
        return 200, _shown(item)

    def _validated(self, request: Request) -> dict[str, Any]:
        try:
            body = read_json(request.body)
            amount = cents(body["amount"]) if isinstance(body, dict) else 0
        except (ValueError, KeyError):
            raise ApiError(400, "Invalid body") from None
        if not isinstance(body, dict) or set(body) - FIELDS or amount < 1:
            raise ApiError(400, "Invalid body")
        for name in ("recipientId", "paymentMethod", "idempotencyKey"):
            if not isinstance(body.get(name), str) or not body[name]:
                raise ApiError(400, f"Invalid body: {name}")
        if any(isinstance(value, str) and "\0" in value for value in body.values()):
            raise ApiError(400, "Invalid body")
        if body["paymentMethod"] not in METHODS:
            raise ApiError(400, "Invalid body: paymentMethod")
        if body["paymentMethod"] == "domesticWire" and "purpose" not in body:
            raise ApiError(400, "Invalid body: a domestic wire has a purpose")
        if amount > self._left():
            raise ApiError(400, "insufficient funds")
        return body

    def _make(
        self,
        amount: int,
        recipient: str,
        note: str | None,
        memo: str | None,
        key: str,
        request: str | None,
        *,
        is_request: bool = False,
    ) -> dict[str, Any]:
        item = {
            "id": str(uuid5(NAMESPACE, str(self._world.number()))),
            "isRequest": is_request,
            "cents": amount,
            "counterpartyId": recipient,
            "note": note,
            "externalMemo": memo,
            "requestId": request,
            "createdAt": self._clock().isoformat(),
            "postedAt": None,
            "failedAt": None,
            "reasonForFailure": None,
            "status": "pendingApproval" if is_request else "pending",
            "version": 0,
        }
        self._world.state["objects"][item["id"]] = item
        self._world.state["made_by"][item["id"]] = key
        if not is_request:
            self._event(item, None)
        return item

    def _event(self, item: dict[str, Any], before: dict[str, Any] | None) -> None:
        """A merge patch (RFC 7396) of what changed, with the resource's version."""
        item["version"] += 1
        now = {name: item[name] for name in ("status", "postedAt", "failedAt")}
        changed = [name for name in now if before is None or now[name] != before[name]]
        event = {
            "id": str(uuid5(NAMESPACE, f"event {self._world.number()}")),
            "resourceType": "transaction",
            "resourceId": item["id"],
            "operationType": "create" if before is None else "update",
            "resourceVersion": item["version"],
            "occurredAt": self._clock().isoformat(),
            "changedPaths": changed,
            "mergePatch": {name: now[name] for name in changed},
            "previousValues": {name: before[name] for name in changed} if before else {},
        }
        self._world.state["events"].append(event)

    def _listed(self, query: dict[str, str]) -> dict[str, Any]:
        try:
            limit, offset = int(query.get("limit", "1000")), int(query.get("offset", "0"))
            start = query.get("start")
            since = datetime.fromisoformat(start) if start else self._clock() - timedelta(days=30)
        except ValueError:
            raise ApiError(400, "Invalid start or limit or offset") from None
        if not 1 <= limit <= 1000 or offset < 0:
            raise ApiError(400, "Invalid limit or offset")
        if since.tzinfo is None:
            since = since.replace(tzinfo=self._clock().tzinfo)
        horizon = self._clock() - self._list_lag
        found = [
            item
            for item in self._world.state["objects"].values()
            if not item["isRequest"]
            and since <= datetime.fromisoformat(item["createdAt"]) <= horizon
            and query.get("status") in {None, item["status"]}
            and query.get("requestId") in {None, item["requestId"]}
        ]
        if query.get("order", "desc") == "desc":
            found.reverse()
        page = [_shown(item) for item in found[offset : offset + limit]]
        return {"total": len(found), "transactions": page}

    def _left(self, *states: str) -> int:
        gone: int = sum(
            item["cents"]
            for item in self._world.state["objects"].values()
            if not item["isRequest"] and item["status"] in (states or ("pending", "sent"))
        )
        return self._available - gone

    def _account(self) -> dict[str, Any]:
        return {
            "accountNumber": "202400001234",
            "routingNumber": "091311229",
            "id": self.account,
            "name": "Mercury Checking",
            "kind": "checking",
            "status": "active",
            "type": "mercury",
            "availableBalance": number(self._left()),
            "currentBalance": number(self._left("sent")),
            "createdAt": "2026-01-01T00:00:00+00:00",
        }


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    """An object as the API shows it; a transaction that leaves has a negative amount."""
    common = {"note": item["note"], "externalMemo": item["externalMemo"], "status": item["status"]}
    if item["isRequest"]:
        amount = number(item["cents"])
        return {**common, "requestId": item["id"], "recipientId": item["counterpartyId"], "amount": amount}
    return {
        **common,
        "id": item["id"],
        "amount": number(-item["cents"]),
        "bankDescription": None,
        "counterpartyId": item["counterpartyId"],
        "counterpartyName": "Payee",
        "counterpartyNickname": None,
        "createdAt": item["createdAt"],
        "dashboardLink": f"https://app.mercury.com/transactions/{item['id']}",
        "details": {"electronicRoutingInfo": {"accountNumber": "000123456789", "routingNumber": "110000000"}},
        "estimatedDeliveryDate": item["createdAt"],
        "failedAt": item["failedAt"],
        "kind": "externalTransfer",
        "postedAt": item["postedAt"],
        "reasonForFailure": item["reasonForFailure"],
        "requestId": item["requestId"],
    }


def _answer(status: int, body: dict[str, Any]) -> Exchange:
    return Exchange(Effect.ANSWER, Reply(status, encode(body), {"content-type": "application/json"}))
