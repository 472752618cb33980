"""Webhooks of both providers: a signature over the raw body, its age, and where the event points.

Stripe and Mercury sign alike: `t=<seconds>,v1=<hex>` with HMAC-SHA256 over `t.body`. Stripe's own SDK checks only that
a header is not too old; here one from the future is refused as well. An event is a hint: its id guards against replay,
its object is fetched, and nothing else in it is believed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from parpour_treasury.providers.credentials import Secret
from parpour_treasury.providers.port import Hint

AGE_MAX_S = 300
"""Source: Stripe, webhook signatures; both directions are ours."""
BODY_BYTES_MAX = 256 * 1024
HEADER_LENGTH_MAX = 2000
SIGNATURES_MAX = 16
NAME_LENGTH_MAX = 255

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,254}", re.ASCII)


class WebhookRefused(Exception):
    """Nothing about a webhook is to be believed. `reason` is one of `REASONS`."""

    def __init__(self, reason: str) -> None:
        assert reason in REASONS, reason
        self.reason = reason
        super().__init__(f"webhook refused: {REASONS[reason]}")


REASONS = {
    "too-long": "the body or the header is too long",
    "header": "the signature's header is malformed",
    "signature": "no signature fits",
    "age": "the signature is not of now",
    "body": "the body is no event of the provider",
}


def verify(body: bytes, header: str, secrets: Sequence[Secret], *, now: datetime) -> datetime:
    """Checks `t=…,v1=…` over the raw body against every secret in use: two during a rotation.

    Returns:
        The time in the signature.

    Raises:
        WebhookRefused: too-long, header, signature or age.
    """
    if len(body) > BODY_BYTES_MAX or len(header) > HEADER_LENGTH_MAX:
        raise WebhookRefused("too-long")
    times: list[str] = []
    signatures: list[str] = []
    for item in header.split(","):
        name, _, value = item.strip().partition("=")
        if name == "t":
            times.append(value)
        elif name == "v1":
            signatures.append(value)
    if len(times) != 1 or not _SECONDS.fullmatch(times[0]) or not 1 <= len(signatures) <= SIGNATURES_MAX:
        raise WebhookRefused("header")
    fits = False
    signed = times[0].encode("ascii") + b"." + body
    for secret in secrets:
        wanted = hmac.new(secret.reveal().encode("utf-8"), signed, hashlib.sha256).hexdigest()
        for signature in signatures:
            if _HEX.fullmatch(signature):
                fits |= hmac.compare_digest(wanted, signature)
    if not fits:
        raise WebhookRefused("signature")
    seconds = int(times[0])
    if abs(now.timestamp() - seconds) > AGE_MAX_S:
        raise WebhookRefused("age")
    return datetime.fromtimestamp(seconds, UTC)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookRefused("body") from None
    if not isinstance(value, dict):
        raise WebhookRefused("body")
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise WebhookRefused("body")
    return value


def parse_stripe(body: bytes, header: str, secrets: Sequence[Secret], *, now: datetime) -> Hint:
    """Reads a snapshot event of Stripe (`Stripe-Signature`).

    Raises:
        WebhookRefused: one of REASONS.
    """
    sent_at = verify(body, header, secrets, now=now)
    event = _object(body)
    data = event.get("data")
    target = data.get("object") if isinstance(data, dict) else None
    if event.get("object") != "event" or not isinstance(target, dict) or not isinstance(event.get("livemode"), bool):
        raise WebhookRefused("body")
    return Hint(
        provider="stripe",
        event_id=_name(event.get("id")),
        kind=_name(event.get("type")),
        reference=_name(target.get("id")),
        version=None,
        sent_at=sent_at,
        live=event["livemode"],
    )


def parse_mercury(body: bytes, header: str, secrets: Sequence[Secret], *, now: datetime) -> Hint:
    """Reads a merge-patch event of Mercury (`Mercury-Signature`), which counts its resource's versions.

    Raises:
        WebhookRefused: one of REASONS.
    """
    sent_at = verify(body, header, secrets, now=now)
    event = _object(body)
    version = event.get("resourceVersion")
    if isinstance(version, bool) or not isinstance(version, int) or not 0 <= version < 2**63:
        raise WebhookRefused("body")
    return Hint(
        provider="mercury",
        event_id=_name(event.get("id")),
        kind=f"{_name(event.get('resourceType'))}.{_name(event.get('operationType'))}",
        reference=_name(event.get("resourceId")),
        version=version,
        sent_at=sent_at,
        live=None,
    )


def sign(body: bytes, secret: Secret, *, now: datetime) -> str:
    """The header that a provider sends with a body: what the doubles use."""
    seconds = int(now.timestamp())
    signature = hmac.new(secret.reveal().encode("utf-8"), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={signature}"
