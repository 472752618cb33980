"""A double of Stripe: outbound payments, payouts, balances and their transactions, with its keys and errors.

Shapes are held to stripe-mock's, parameters to the SDK's; the behaviour is what Stripe publishes of idempotent
requests, errors, pagination and the statuses of each object.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

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
from parpour_treasury.providers.doubles.stripe_objects import (
    balance,
    balance_transaction,
    financial_account,
    outbound_payment,
    payout,
    transaction_entry,
)

KEYS_KEPT = timedelta(hours=24)
PAYMENT_PARAMETERS = frozenset(
    [
        "amount",
        "currency",
        "customer",
        "description",
        "destination_payment_method",
        "destination_payment_method_data",
        "destination_payment_method_options",
        "end_user_details",
        "expand",
        "financial_account",
        "metadata",
        "statement_descriptor",
    ]
)
PAYOUT_PARAMETERS = frozenset(
    [
        "amount",
        "currency",
        "description",
        "destination",
        "expand",
        "metadata",
        "method",
        "payout_method",
        "source_type",
        "statement_descriptor",
    ]
)
MINIMUM = 1
WHOLE = frozenset({"huf", "isk", "twd", "ugx"})
"""Currencies of payouts whose two decimals are always zero. Source: Stripe, supported currencies, special cases."""
RETURN_CODES = frozenset(
    [
        "account_closed",
        "account_frozen",
        "bank_account_restricted",
        "bank_ownership_changed",
        "declined",
        "incorrect_account_holder_name",
        "invalid_account_number",
        "invalid_currency",
        "no_account",
        "other",
    ]
)
STEPS = {
    ("treasury.outbound_payment", "processing"): {"posted", "failed", "canceled", "returned"},
    ("treasury.outbound_payment", "posted"): {"returned"},
    ("payout", "pending"): {"in_transit", "canceled", "failed"},
    ("payout", "in_transit"): {"paid", "failed"},
    ("payout", "paid"): {"failed"},
}
"""Which status may follow which; a payout that is paid may still fail."""


class ApiError(Exception):
    """An error object of the API. `stored` says whether execution had begun, so that the key keeps it."""

    def __init__(
        self, status: int, kind: str, message: str, *, code: str = "", param: str = "", stored: bool = False
    ) -> None:
        self.status, self.stored = status, stored
        self.body: dict[str, Any] = {"error": {"type": kind, "message": message}}
        if code:
            self.body["error"]["code"] = code
        if param:
            self.body["error"]["param"] = param
        super().__init__(message)


def _invalid(message: str, code: str, param: str) -> ApiError:
    return ApiError(400, "invalid_request_error", message, code=code, param=param)


def _tree(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Reads `metadata[a]=b` and `expand[0]=c` into nested dictionaries."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        parts = [part for part in re.split(r"[\[\]]+", name) if part]
        node = tree
        for part in parts[:-1]:
            found = node.setdefault(part, {})
            if not isinstance(found, dict):
                raise _invalid(f"Invalid {name}", "parameter_invalid", name)
            node = found
        node[parts[-1]] = value
    return tree


class StripeDouble:
    """Stripe's books of one account.

    Args:
        clock: the time there.
        path: a file that keeps the books.
        script: faults of the requests that pay.
        webhook_secret: signs the events.
        available: minor units that can be paid out, for each currency.
        fee: minor units that a payout costs.
        list_lag: how long a new object is missing from lists.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        path: Path | None = None,
        script: Script | None = None,
        webhook_secret: Secret | None = None,
        available: int = 10**12,
        fee: int = 25,
        list_lag: timedelta = timedelta(0),
    ) -> None:
        self.script = script or Script()
        self._clock = clock
        self._world = World(path)
        self._secret = webhook_secret or Secret("whsec_double")
        self._available = available
        self._fee = fee
        self._list_lag = list_lag
        self._running: set[str] = set()

    # what tests ask

    def payments(self) -> list[Paid]:
        """What truly was ordered, in order."""
        return [
            Paid(
                reference=item["id"],
                spend_id=item["metadata"].get("spend_id", ""),
                key=self._world.state["made_by"].get(item["id"], ""),
                amount=item["amount"],
                currency=item["currency"].upper(),
                destination=item.get("destination_payment_method") or item.get("destination") or "",
                state=item["status"],
            )
            for item in self._world.state["objects"].values()
        ]

    def deliveries(
        self, *, doubled: bool = False, reordered: bool = False, skew: timedelta = timedelta(0)
    ) -> list[Delivery]:
        """Takes the webhooks that are due, signed now."""
        events, self._world.state["events"] = self._world.state["events"], []
        self._world.save()
        bodies = [json.dumps(event).encode() for event in events]
        return signed(
            "Stripe-Signature",
            bodies,
            self._secret,
            self._clock(),
            doubled=doubled,
            reordered=reordered,
            skew=skew,
        )

    def advance(self, reference: str, state: str, code: str = "") -> None:
        """Moves a payment on. `code` is the return code or the payout's failure code.

        Raises:
            ApiError: there is no such payment, or its status does not lead there.
        """
        item = self._world.state["objects"].get(reference)
        if item is None:
            raise ApiError(404, "invalid_request_error", f"No such object: '{reference}'", code="resource_missing")
        if state not in STEPS.get((item["object"], item["status"]), set()):
            message = f"{reference} is {item['status']} and cannot become {state}"
            raise ApiError(400, "invalid_request_error", message, stored=True)
        now = int(self._clock().timestamp())
        item["status"] = state
        if item["object"] == "payout":
            if state in {"failed", "canceled"}:
                kind = "payout_failure" if state == "failed" else "payout_cancel"
                entry = self._entry(kind, item["amount"], item["currency"], reference, 0)
                item["failure_balance_transaction"] = entry["id"]
            if state == "failed":
                item["failure_code"] = code or "account_closed"
                item["failure_message"] = "The bank account has been closed"
        else:
            item["status_transitions"][f"{state}_at"] = now
            item["cancelable"] = False
            if state == "posted":
                self._entry("outbound_payment", -item["amount"], item["currency"], reference, 0)
            if state == "returned":
                if item["status_transitions"]["posted_at"] is not None:
                    self._entry("outbound_payment_return", item["amount"], item["currency"], reference, 0)
                item["returned_details"] = {"code": code or "account_closed", "transaction": item["transaction"]}
        self._event(f"{item['object']}.{state}", item)
        self._world.save()

    # HTTP

    async def exchange(self, request: Request, sleep: Sleep) -> Exchange:
        """What comes of a request; faults befall those that pay."""
        pays = request.method == "POST" and request.path in {"/v1/payouts", "/v1/treasury/outbound_payments"}
        fault = self.script.take() if pays else Fault.NONE
        key = request.headers.get("idempotency-key", "")
        match fault:
            case Fault.DROP:
                return Exchange(Effect.DROP)
            case Fault.LIMITED:
                return _answer(429, _error("invalid_request_error", "Too many requests", "rate_limit"))
            case Fault.BROKEN:
                return _answer(500, _error("api_error", "Something went wrong"))
            case Fault.CONFLICT:
                return _answer(409, _error("idempotency_error", "The key is in use", "idempotency_key_in_use"))
            case Fault.SLOW:
                self._running.add(key)
                try:
                    await sleep(0.05)
                finally:
                    self._running.discard(key)
            case _:
                if key in self._running:
                    return _answer(409, _error("idempotency_error", "The key is in use", "idempotency_key_in_use"))
        reply = self._handle(request, then_500=fault is Fault.WORK_THEN_500)
        self._world.save()
        match fault:
            case Fault.WORK_THEN_DROP:
                return Exchange(Effect.DROP)
            case Fault.WORK_THEN_SILENCE:
                return Exchange(Effect.SILENCE)
            case Fault.GARBLED:
                return Exchange(Effect.ANSWER, Reply(502, b"<html>Bad gateway</html>", {"content-type": "text/html"}))
        return Exchange(Effect.ANSWER, reply, hook_first=fault is Fault.HOOK_FIRST)

    def _handle(self, request: Request, *, then_500: bool) -> Reply:
        headers = {"content-type": "application/json", "request-id": f"req_{self._world.number():014d}"}
        try:
            self._authorize(request)
            if request.method == "POST":
                return self._post(request, headers, then_500=then_500)
            return Reply(200, _json(self._get(request)), headers)
        except ApiError as error:
            return Reply(error.status, _json(error.body), headers)

    def _authorize(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not key.startswith(("sk_test_", "rk_test_")) or is_live(key):
            raise ApiError(401, "invalid_request_error", "Invalid API Key provided")

    def _post(self, request: Request, headers: dict[str, str], *, then_500: bool) -> Reply:
        """A request that changes something: replayed, or executed and kept under its key.

        What fails validation keeps nothing; once execution began, the first status and body are kept, 500 included.
        """
        key = request.headers.get("idempotency-key", "")
        if len(key) > 255:
            raise _invalid("An idempotency key has at most 255 characters", "idempotency_key_too_long", "")
        keys, now = self._world.state["keys"], self._clock().timestamp()
        for old in [name for name, kept in keys.items() if now - kept["at"] >= KEYS_KEPT.total_seconds()]:
            del keys[old]
        print_ = hashlib.sha256(f"{request.path}\n{sorted(request.form)}".encode()).hexdigest()
        kept = keys.get(key)
        if kept is not None:
            if kept["print"] != print_:
                message = "Keys for idempotent requests can only be used with the parameters they were first used with"
                raise ApiError(400, "idempotency_error", message)
            replayed = {**headers, "idempotent-replayed": "true", "original-request": kept["request"]}
            return Reply(kept["status"], kept["body"].encode(), replayed)
        status = 200
        try:
            body = self._execute(request, key)
        except ApiError as error:
            if not error.stored:
                raise
            status, body = error.status, error.body
        if then_500 and status == 200:
            status, body = 500, {"error": {"type": "api_error", "message": "Something went wrong"}}
        content = _json(body)
        if key:
            keys[key] = {
                "at": now,
                "print": print_,
                "status": status,
                "body": content.decode(),
                "request": headers["request-id"],
            }
            headers = {**headers, "idempotency-key": key}
        return Reply(status, content, headers)

    def _execute(self, request: Request, key: str) -> dict[str, Any]:
        tree, path = _tree(request.form), request.path
        if path == "/v1/payouts":
            return self._payout(tree, key)
        if path == "/v1/treasury/outbound_payments":
            return self._payment(tree, key)
        match = re.fullmatch(r"/v1/test_helpers/treasury/outbound_payments/(\w+)/(post|fail|return)", path)
        if match:
            state = {"post": "posted", "fail": "failed", "return": "returned"}[match[2]]
            details = tree.get("returned_details")
            code = str(details.get("code", "")) if isinstance(details, dict) else ""
            if code and code not in RETURN_CODES:
                raise _invalid("Invalid return code", "parameter_invalid", "returned_details[code]")
            self.advance(match[1], state, code)
            return dict(self._object(match[1]))
        match = re.fullmatch(r"/v1/(?:payouts|treasury/outbound_payments)/(\w+)/cancel", path)
        if match:
            self._object(match[1])
            self.advance(match[1], "canceled")
            return dict(self._object(match[1]))
        raise ApiError(404, "invalid_request_error", f"Unrecognized request URL (POST: {path})")

    def _validate(self, tree: dict[str, Any], known: frozenset[str], required: tuple[str, ...]) -> tuple[int, str]:
        """Amount and currency of a request.

        Raises:
            ApiError: 400; nothing is kept under the key.
        """
        for name in tree:
            if name not in known:
                raise _invalid(f"Received unknown parameter: {name}", "parameter_unknown", name)
        for name in required:
            if tree.get(name) in {None, ""}:
                raise _invalid(f"Missing required param: {name}.", "parameter_missing", name)
        amount, currency = str(tree["amount"]), str(tree["currency"])
        if not re.fullmatch(r"-?[0-9]{1,18}", amount):
            raise _invalid(f"Invalid integer: {amount}", "parameter_invalid_integer", "amount")
        if int(amount) < MINIMUM:
            raise _invalid("The amount is below the minimum", "amount_too_small", "amount")
        if not re.fullmatch(r"[a-z]{3}", currency):
            raise _invalid(f"Invalid currency: {currency}", "invalid_currency", "currency")
        if currency in WHOLE and int(amount) % 100:
            code = "invalid_charge_amount_no_decimal_compatible"
            raise _invalid(f"Amounts of {currency} must be evenly divisible by 100", code, "amount")
        if len(str(tree.get("description", ""))) > 1000:
            raise _invalid("The description is too long", "parameter_invalid", "description")
        return int(amount), currency

    def _spendable(self, currency: str) -> int:
        left: int = sum(
            item["amount"]
            for item in self._world.state["objects"].values()
            if item["currency"] == currency and item["status"] not in {"failed", "canceled", "returned"}
        )
        return self._available - left

    def _payout(self, tree: dict[str, Any], key: str) -> dict[str, Any]:
        amount, currency = self._validate(tree, PAYOUT_PARAMETERS, ("amount", "currency"))
        destination = str(tree.get("destination", "ba_default"))
        if not destination.startswith(("ba_", "card_")):
            message = f"No such external account: '{destination}'"
            raise _invalid(message, "resource_missing", "destination")
        if amount > self._spendable(currency):
            message = "You have insufficient funds in your Stripe account for this transfer."
            raise ApiError(400, "invalid_request_error", message, code="balance_insufficient", stored=True)
        reference, now = f"po_{self._world.number():014d}", int(self._clock().timestamp())
        entry = self._entry("payout", -amount, currency, reference, self._fee)
        item = payout(reference, tree, entry["id"], amount, currency, destination, now)
        self._keep(item, key)
        return self._expanded(item, tree.get("expand"))

    def _payment(self, tree: dict[str, Any], key: str) -> dict[str, Any]:
        amount, currency = self._validate(tree, PAYMENT_PARAMETERS, ("amount", "currency", "financial_account"))
        if currency != "usd":
            raise _invalid("Outbound payments are in usd", "invalid_currency", "currency")
        method = str(tree.get("destination_payment_method", ""))
        if not method.startswith("pm_"):
            message = f"No such PaymentMethod: '{method}'"
            raise _invalid(message, "resource_missing", "destination_payment_method")
        options = tree.get("destination_payment_method_options", {}).get("us_bank_account", {})
        network = options.get("network", "ach")
        if network not in {"ach", "us_domestic_wire"}:
            raise _invalid("Invalid network", "parameter_invalid", "destination_payment_method_options")
        if amount > self._spendable(currency):
            message = "The financial account's balance is too low."
            kind = "financial_account_balance_insufficient"
            raise ApiError(400, "invalid_request_error", message, code=kind, stored=True)
        now = int(self._clock().timestamp())
        item = outbound_payment(self._world.number(), tree, amount, currency, method, network, now)
        self._keep(item, key)
        return item

    def _keep(self, item: dict[str, Any], key: str) -> None:
        self._world.state["objects"][item["id"]] = item
        self._world.state["made_by"][item["id"]] = key
        self._event(f"{item['object']}.created", item)

    def _object(self, reference: str) -> dict[str, Any]:
        item = self._world.state["objects"].get(reference)
        if item is None:
            raise ApiError(404, "invalid_request_error", f"No such object: '{reference}'", code="resource_missing")
        found: dict[str, Any] = item
        return found

    def _entry(self, kind: str, amount: int, currency: str, source: str, fee: int) -> dict[str, Any]:
        entry = {
            "id": f"txn_{self._world.number():014d}",
            "type": kind,
            "amount": amount,
            "fee": fee,
            "currency": currency,
            "source": source,
            "created": int(self._clock().timestamp()),
        }
        self._world.state["entries"].append(entry)
        return entry

    def _event(self, kind: str, item: dict[str, Any]) -> None:
        event = {
            "id": f"evt_{self._world.number():014d}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": int(self._clock().timestamp()),
            "data": {"object": json.loads(json.dumps(item))},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        self._world.state["events"].append(event)

    # reading

    def _get(self, request: Request) -> dict[str, Any]:
        tree, path = _tree(request.parameters), request.path
        objects = list(self._world.state["objects"].values())
        if path == "/v1/payouts":
            found = [self._expanded(item, tree.get("expand")) for item in objects if item["object"] == "payout"]
            return self._listed(path, found, tree)
        if path == "/v1/treasury/outbound_payments":
            if "financial_account" not in tree:
                raise _invalid("Missing required param: financial_account.", "parameter_missing", "financial_account")
            account = tree["financial_account"]
            return self._listed(path, [item for item in objects if item.get("financial_account") == account], tree)
        if path == "/v1/balance_transactions":
            kinds = {"payout", "payout_failure", "payout_cancel"}
            found = [balance_transaction(item) for item in self._world.state["entries"] if item["type"] in kinds]
            return self._listed(path, found, tree)
        if path == "/v1/treasury/transaction_entries":
            account = str(tree.get("financial_account", ""))
            kinds = {"outbound_payment", "outbound_payment_return"}
            found = [transaction_entry(item, account) for item in self._world.state["entries"] if item["type"] in kinds]
            return self._listed(path, found, tree)
        if path == "/v1/balance":
            return balance(self._spendable("usd"))
        match = re.fullmatch(r"/v1/treasury/financial_accounts/(\w+)", path)
        if match:
            return self._financial_account(match[1])
        match = re.fullmatch(r"/v1/(payouts|treasury/outbound_payments)/(\w+)", path)
        if match:
            return self._expanded(self._object(match[2]), tree.get("expand"))
        raise ApiError(404, "invalid_request_error", f"Unrecognized request URL (GET: {path})")

    def _listed(self, path: str, items: list[dict[str, Any]], tree: dict[str, Any]) -> dict[str, Any]:
        """A page, newest first, after the cursor; what is younger than the lag is missing."""
        limit = str(tree.get("limit", "10"))
        if not limit.isdigit() or not 1 <= int(limit) <= 100:
            raise _invalid("Invalid limit: it must be between 1 and 100", "parameter_invalid_integer", "limit")
        horizon = (self._clock() - self._list_lag).timestamp()
        since = int(tree.get("created", {}).get("gte", 0))
        shown = [item for item in reversed(items) if since <= item["created"] <= horizon]
        after = tree.get("starting_after")
        if after is not None:
            places = [place for place, item in enumerate(shown) if item["id"] == after]
            if not places:
                raise _invalid(f"No such object: '{after}'", "resource_missing", "starting_after")
            shown = shown[places[0] + 1 :]
        page = shown[: int(limit)]
        return {"object": "list", "data": page, "has_more": len(shown) > len(page), "url": path}

    def _expanded(self, item: dict[str, Any], expand: object) -> dict[str, Any]:
        names = set(expand.values()) if isinstance(expand, dict) else set()
        if not names & {"balance_transaction", "data.balance_transaction"} or "balance_transaction" not in item:
            return item
        for entry in self._world.state["entries"]:
            if entry["id"] == item["balance_transaction"]:
                return {**item, "balance_transaction": balance_transaction(entry)}
        raise AssertionError("every payout has its transaction")

    def _financial_account(self, reference: str) -> dict[str, Any]:
        under_way = sum(
            item["amount"]
            for item in self._world.state["objects"].values()
            if item["object"] == "treasury.outbound_payment" and item["status"] == "processing"
        )
        return financial_account(reference, self._spendable("usd"), under_way)


def _error(kind: str, message: str, code: str = "") -> dict[str, Any]:
    return {"error": {"type": kind, "message": message, **({"code": code} if code else {})}}


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=2).encode()


def _answer(status: int, body: dict[str, Any]) -> Exchange:
    return Exchange(Effect.ANSWER, Reply(status, _json(body), {"content-type": "application/json"}))
