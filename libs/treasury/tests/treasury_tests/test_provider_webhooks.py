"""Webhooks: Stripe's signatures by its own SDK, both sides of the clock, rotation, and hostile headers and bodies."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from parpour_treasury.providers.credentials import Secret
from parpour_treasury.providers.doubles.mercury import MercuryDouble
from parpour_treasury.providers.doubles.stripe import StripeDouble
from parpour_treasury.providers.port import Hint
from parpour_treasury.providers.webhooks import (
    BODY_BYTES_MAX,
    REASONS,
    WebhookRefused,
    parse_mercury,
    parse_stripe,
    sign,
    verify,
)

from .provider_worlds import MERCURY_HOOK, START, STRIPE_HOOK, Clock, mercury_on, order, stripe_on

EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payout.failed",
    "livemode": False,
    "data": {"object": {"id": "po_1", "object": "payout", "status": "failed"}},
}
BODY = json.dumps(EVENT).encode()
PATCH = {
    "id": "bfa85eaa-afab-11f0-8fea-17d650f2306e",
    "resourceType": "transaction",
    "resourceId": "1d3042b6-af63-11f0-89d2-3503f2fcfef7",
    "operationType": "update",
    "resourceVersion": 2,
    "occurredAt": "2025-01-01T00:00:00.000000Z",
    "changedPaths": ["status", "postedAt"],
    "mergePatch": {"postedAt": "2025-01-01T00:00:00.000000+00:00", "status": "sent"},
    "previousValues": {"postedAt": None, "status": "pending"},
}
"""The event of Mercury's reference page on webhooks."""


def by_sdk(body: bytes, secret: Secret, seconds: int) -> str:
    header: str = stripe.WebhookSignature.generate_signature_header(body.decode(), secret.reveal(), seconds)
    return header


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(WebhookRefused) as caught:
        call()
    return caught.value.reason


def test_a_header_of_stripes_sdk_holds_and_ours_holds_for_the_sdk() -> None:
    now = int(START.timestamp())
    hint = parse_stripe(BODY, by_sdk(BODY, STRIPE_HOOK, now), [STRIPE_HOOK], now=START)
    wanted = ("stripe", "evt_1", "payout.failed", "po_1", None, False)
    assert (hint.provider, hint.event_id, hint.kind, hint.reference, hint.version, hint.live) == wanted
    assert sign(BODY, STRIPE_HOOK, now=START) == by_sdk(BODY, STRIPE_HOOK, now)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200), st.text(min_size=1, max_size=60).map(Secret))
def test_signatures_agree_with_the_sdk_for_any_body_and_secret(text: str, secret: Secret) -> None:
    try:
        body = text.encode()
        secret.reveal().encode()
    except UnicodeEncodeError:
        return
    assert verify(body, by_sdk(body, secret, int(START.timestamp())), [secret], now=START) == START


@pytest.mark.parametrize("seconds", [-301, 301, -86400, 10 * 365 * 86400])
def test_a_header_from_the_past_or_the_future_is_refused(seconds: int) -> None:
    header = by_sdk(BODY, STRIPE_HOOK, int(START.timestamp()) + seconds)
    assert refused(lambda: parse_stripe(BODY, header, [STRIPE_HOOK], now=START)) == "age"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_either_way_hold(seconds: int) -> None:
    header = by_sdk(BODY, STRIPE_HOOK, int(START.timestamp()) + seconds)
    assert parse_stripe(BODY, header, [STRIPE_HOOK], now=START).event_id == "evt_1"


def test_during_a_rotation_either_secret_holds_on_either_side() -> None:
    old, new = Secret("whsec_old"), Secret("whsec_new")
    now = int(START.timestamp())
    both = f"{by_sdk(BODY, old, now)},{by_sdk(BODY, new, now).partition(',')[2]}"
    assert parse_stripe(BODY, both, [new], now=START).event_id == "evt_1"
    assert parse_stripe(BODY, both, [old], now=START).event_id == "evt_1"
    assert parse_stripe(BODY, by_sdk(BODY, old, now), [new, old], now=START).event_id == "evt_1"
    assert refused(lambda: parse_stripe(BODY, by_sdk(BODY, old, now), [new], now=START)) == "signature"
    assert refused(lambda: parse_stripe(BODY, by_sdk(BODY, old, now), [], now=START)) == "signature"


def test_another_body_or_scheme_is_refused() -> None:
    header = by_sdk(BODY, STRIPE_HOOK, int(START.timestamp()))
    assert refused(lambda: verify(BODY + b" ", header, [STRIPE_HOOK], now=START)) == "signature"
    assert refused(lambda: verify(BODY, header.replace("v1=", "v0="), [STRIPE_HOOK], now=START)) == "header"
    assert refused(lambda: verify(BODY, f"t=1,{header}", [STRIPE_HOOK], now=START)) == "header"
    assert refused(lambda: verify(b"x" * (BODY_BYTES_MAX + 1), header, [STRIPE_HOOK], now=START)) == "too-long"
    assert refused(lambda: verify(BODY, header + "," * 3000, [STRIPE_HOOK], now=START)) == "too-long"


def test_a_patch_of_mercury_tells_its_version() -> None:
    body = json.dumps(PATCH).encode()
    hint = parse_mercury(body, sign(body, MERCURY_HOOK, now=START), [MERCURY_HOOK], now=START)
    assert hint == Hint(
        provider="mercury",
        event_id="bfa85eaa-afab-11f0-8fea-17d650f2306e",
        kind="transaction.update",
        reference="1d3042b6-af63-11f0-89d2-3503f2fcfef7",
        version=2,
        sent_at=START,
        live=None,
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"object":"event"}',
        json.dumps({**EVENT, "id": "evt\n1"}).encode(),
        json.dumps({**EVENT, "id": "x" * 256}).encode(),
        json.dumps({**EVENT, "livemode": "no"}).encode(),
        json.dumps({**EVENT, "data": {"object": {"id": 7}}}).encode(),
        json.dumps({**EVENT, "object": "v2.core.event"}).encode(),
        json.dumps({**PATCH, "resourceVersion": True}).encode(),
        json.dumps({**PATCH, "resourceVersion": 2**63}).encode(),
        json.dumps({**PATCH, "resourceId": "../x"}).encode(),
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    header = sign(body, STRIPE_HOOK, now=START)
    assert refused(lambda: parse_stripe(body, header, [STRIPE_HOOK], now=START)) == "body"
    assert refused(lambda: parse_mercury(body, header, [STRIPE_HOOK], now=START)) == "body"


@given(st.binary(max_size=300), st.one_of(st.text(max_size=300), st.from_regex(r"(t=\d{0,20},)?(v[01]=[0-9a-f]*,?)*")))
def test_whatever_comes_is_refused_by_a_reason_and_nothing_else(body: bytes, header: str) -> None:
    for parse in (parse_stripe, parse_mercury):
        assert refused(lambda parse=parse: parse(body, header, [STRIPE_HOOK], now=START)) in REASONS  # type: ignore[misc]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from([*EVENT, *PATCH]), x),
    )
)
def test_any_signed_json_is_a_hint_or_refused(value: object) -> None:
    body = json.dumps(value).encode()
    header = sign(body, STRIPE_HOOK, now=START)
    reasons: set[str] = set()
    for parse in (parse_stripe, parse_mercury):
        try:
            hint = parse(body, header, [STRIPE_HOOK], now=START)
        except WebhookRefused as refusal:
            reasons.add(refusal.reason)
        else:
            assert hint.event_id
    assert reasons <= {"body"}


@pytest.mark.anyio
async def test_the_doubles_webhooks_are_doubled_reordered_and_from_the_future() -> None:
    clock = Clock()
    double = StripeDouble(clock=clock, webhook_secret=STRIPE_HOOK)
    provider = stripe_on(double)
    sent = await provider.send(order())
    double.advance(sent.reference, "posted")
    deliveries = double.deliveries(doubled=True, reordered=True)
    hints = [provider.parse_webhook(one.body, one.signature, now=clock.now) for one in deliveries]
    assert [hint.kind.rpartition(".")[2] for hint in hints] == ["posted", "posted", "created", "created"]
    assert len({hint.event_id for hint in hints}) == 2, "a second delivery bears the same id"
    assert {hint.reference for hint in hints} == {sent.reference}
    double.advance(sent.reference, "returned", "no_account")
    (future,) = double.deliveries(skew=timedelta(minutes=6))
    assert refused(lambda: provider.parse_webhook(future.body, future.signature, now=clock.now)) == "age"
    assert double.deliveries() == []


@pytest.mark.anyio
async def test_mercurys_double_counts_versions_and_its_sandbox_is_silent() -> None:
    for sandbox in (False, True):
        clock = Clock()
        double = MercuryDouble(clock=clock, webhook_secret=MERCURY_HOOK, sandbox=sandbox)
        provider = mercury_on(double)
        sent = await provider.send(order(destination="r"))
        double.advance(sent.reference, "sent")
        hints = [provider.parse_webhook(one.body, one.signature, now=clock.now) for one in double.deliveries()]
        assert [hint.version for hint in hints] == ([] if sandbox else [1, 2])
