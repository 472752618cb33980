"""Objects of Stripe's API as its double shows them; their fields and types are held to stripe-mock's."""

from __future__ import annotations

import hashlib
from typing import Any

ARRIVAL_S = 2 * 86400


def payout(
    reference: str, form: dict[str, Any], transaction: str, amount: int, currency: str, destination: str, now: int
) -> dict[str, Any]:
    """A payout that was just made."""
    return {
        "id": reference,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": now + ARRIVAL_S,
        "automatic": False,
        "balance_transaction": transaction,
        "created": now,
        "currency": currency,
        "description": form.get("description"),
        "destination": destination,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": dict(form.get("metadata", {})),
        "method": form.get("method", "standard"),
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": form.get("statement_descriptor"),
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }


def outbound_payment(
    number: int, form: dict[str, Any], amount: int, currency: str, method: str, network: str, now: int
) -> dict[str, Any]:
    """An outbound payment that was just made."""
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {
        "id": f"obp_{number:014d}",
        "object": "treasury.outbound_payment",
        "amount": amount,
        "cancelable": True,
        "created": now,
        "currency": currency,
        "customer": form.get("customer"),
        "description": form.get("description"),
        "destination_payment_method": method,
        "destination_payment_method_details": {
            "billing_details": {"address": address, "email": None, "name": None},
            "type": "us_bank_account",
            "us_bank_account": {
                "account_holder_type": "company",
                "account_type": "checking",
                "bank_name": "STRIPE TEST BANK",
                "fingerprint": hashlib.sha256(method.encode()).hexdigest()[:16],
                "last4": "6789",
                "mandate": None,
                "network": network,
                "routing_number": "110000000",
            },
        },
        "end_user_details": {"ip_address": None, "present": False},
        "expected_arrival_date": now + ARRIVAL_S,
        "financial_account": form["financial_account"],
        "hosted_regulatory_receipt_url": None,
        "livemode": False,
        "metadata": dict(form.get("metadata", {})),
        "returned_details": None,
        "statement_descriptor": form.get("statement_descriptor", "payment"),
        "status": "processing",
        "status_transitions": {"canceled_at": None, "failed_at": None, "posted_at": None, "returned_at": None},
        "tracking_details": None,
        "transaction": f"trxn_{number:014d}",
    }


def balance_transaction(entry: dict[str, Any]) -> dict[str, Any]:
    """A balance transaction."""
    details = {
        "amount": entry["fee"],
        "application": None,
        "currency": entry["currency"],
        "description": "Payout fee",
        "type": "stripe_fee",
    }
    return {
        "id": entry["id"],
        "object": "balance_transaction",
        "amount": entry["amount"],
        "available_on": entry["created"],
        "balance_type": "payments",
        "created": entry["created"],
        "currency": entry["currency"],
        "description": "STRIPE PAYOUT",
        "exchange_rate": None,
        "fee": entry["fee"],
        "fee_details": [details] if entry["fee"] else [],
        "net": entry["amount"] - entry["fee"],
        "reporting_category": entry["type"].replace("payout_failure", "payout_reversal"),
        "source": entry["source"],
        "status": "available",
        "type": entry["type"],
    }


def transaction_entry(entry: dict[str, Any], account: str) -> dict[str, Any]:
    """An entry of a financial account."""
    return {
        "id": entry["id"].replace("txn_", "trxne_"),
        "object": "treasury.transaction_entry",
        "balance_impact": {"cash": entry["amount"], "inbound_pending": 0, "outbound_pending": 0},
        "created": entry["created"],
        "currency": entry["currency"],
        "effective_at": entry["created"],
        "financial_account": account,
        "flow": entry["source"],
        "flow_type": "outbound_payment",
        "livemode": False,
        "transaction": entry["source"].replace("obp_", "trxn_"),
        "type": entry["type"],
    }


def balance(available: int) -> dict[str, Any]:
    """What the account can pay out."""
    free = {"amount": available, "currency": "usd", "source_types": {"card": available}}
    none = {"amount": 0, "currency": "usd", "source_types": {"card": 0}}
    return {
        "object": "balance",
        "available": [free],
        "connect_reserved": [{"amount": 0, "currency": "usd"}],
        "livemode": False,
        "pending": [none],
    }


def financial_account(reference: str, cash: int, outbound_pending: int) -> dict[str, Any]:
    """A financial account."""
    features = ["financial_addresses.aba", "outbound_payments.ach", "outbound_payments.us_domestic_wire"]
    return {
        "id": reference,
        "object": "treasury.financial_account",
        "active_features": features,
        "balance": {
            "cash": {"usd": cash},
            "inbound_pending": {"usd": 0},
            "outbound_pending": {"usd": outbound_pending},
        },
        "country": "US",
        "created": 1234567890,
        "financial_addresses": [],
        "livemode": False,
        "metadata": None,
        "pending_features": [],
        "restricted_features": [],
        "status": "open",
        "status_details": {"closed": None},
        "supported_currencies": ["usd"],
    }
