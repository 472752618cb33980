"""Webhooks: Stripe's signatures by its own SDK, the doubles' deliveries, and everything that is not to be believed."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import stripe

from parpour_controlplane.database import open_database
from parpour_controlplane.testing import Place
from parpour_treasury.providers.credentials import Secret
from parpour_treasury.providers.doubles.mercury import MercuryDouble
from parpour_treasury.providers.doubles.serving import Within
from parpour_treasury.providers.doubles.stripe import StripeDouble
from parpour_treasury.providers.egress import Egress
from parpour_treasury.providers.mercury import MercuryProvider, Way
from parpour_treasury.providers.port import PaymentOrder
from parpour_treasury.providers.stripe import StripeProvider
from parpour_treasury.providers.webhooks import sign
from parpour_treasury.spending.testing import Venture, new_venture, payment_worker

from .building import Api, open_api

pytestmark = pytest.mark.anyio

SECRET = Secret("whsec_of_the_endpoint")
EARLIER = Secret("whsec_of_last_year")
BASE = "http://127.0.0.1:1"


def now() -> datetime:
    return datetime.now(UTC)


def write_endpoint(folder: Path, name: str, tenant: UUID, provider: str, *secrets: Secret, **more: Any) -> None:
    """What an operator mounts for one endpoint."""
    one = folder / name
    one.mkdir()
    names = [f"secret{place}" for place in range(len(secrets))]
    for file, secret in zip(names, secrets, strict=True):
        (one / file).write_text(secret.reveal())
        (one / file).chmod(0o600)
    described = {"tenant": str(tenant), "provider": provider, "secrets": names, **more}
    (one / "endpoint.json").write_text(json.dumps(described))


def event(reference: str, *, kind: str = "payout.failed", number: str = "evt_1") -> bytes:
    """A snapshot event of Stripe."""
    data = {"object": {"id": reference, "object": "payout"}}
    body = {"id": number, "object": "event", "type": kind, "livemode": False, "data": data}
    return json.dumps(body).encode()


def by_sdk(body: bytes, secret: Secret = SECRET, *, ahead: int = 0) -> dict[str, str]:
    """The header that Stripe's own SDK makes."""
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret.reveal(), int(time.time()) + ahead)
    return {"stripe-signature": header}


@dataclass
class Hooked:
    """A venture with an endpoint of each provider, and the application that serves them."""

    api: Api
    venture: Venture
    folder: Path

    async def send(self, body: bytes, headers: dict[str, str], *, endpoint: str = "stripe-of-a") -> httpx.Response:
        """A delivery's answer."""
        return await self.api.client.post(f"/v1/webhooks/{endpoint}", content=body, headers=headers)

    async def taken(self) -> list[tuple[str, str]]:
        """Events that were taken, by id, each with what it is about."""
        async with self.venture.books.database.transaction(self.venture.context()) as connection:
            rows = await connection.fetch("select event_id, reference from treasury.provider_event order by event_id")
        return [(row["event_id"], row["reference"]) for row in rows]

    async def paid(self, reference: str, payee: UUID) -> UUID:
        """A payment that is under way at its provider, and that nobody looks at before tomorrow."""
        asked = await self.venture.request(700, payee=payee)
        assert asked.spend
        outcome = {"reference": reference, "step": "sent", "providerReference": reference, "evidence": {}, "fee": 0}
        async with payment_worker(self.api.place, self.venture) as worker:
            await worker.claim()
            assert await worker.begin(asked.spend) == "begun"
            query = "select treasury.learn($1, $2, 1, '{}', clock_timestamp() + interval '1 day', false, $3)"
            await worker._call(query, asked.spend, json.dumps([outcome]))
        return asked.spend

    async def due(self) -> set[UUID]:
        """Payments that the worker would look at now."""
        async with payment_worker(self.api.place, self.venture) as worker:
            rows = json.loads(await worker._call("select treasury.due_payments($1, 100, false)"))
        return {UUID(row["payment"]["spend"]) for row in rows}


@pytest.fixture
async def hooked(place: Place, tmp_path: Path) -> AsyncIterator[Hooked]:
    async with open_database(place.dsn(), connections=2) as database, open_api(place, webhooks=tmp_path) as api:
        venture = await new_venture(database, place)
        write_endpoint(tmp_path, "stripe-of-a", venture.tenant, "stripe", SECRET, EARLIER)
        write_endpoint(tmp_path, "mercury-of-a", venture.tenant, "mercury", SECRET)
        yield Hooked(api, venture, tmp_path)


async def test_what_stripes_sdk_signs_makes_the_payment_due_and_says_nothing_else(hooked: Hooked) -> None:
    spend = await hooked.paid("po_1", hooked.venture.shop)
    assert await hooked.due() == set()
    body = event("po_1")
    answer = await hooked.send(body, by_sdk(body))
    assert (answer.status_code, answer.content) == (204, b"")
    assert await hooked.due() == {spend}
    assert (await hooked.venture.spend(spend)).state.value == "sent", "a hint is not believed"


async def test_a_delivery_counts_once_also_after_a_restart(hooked: Hooked, place: Place) -> None:
    body = event("po_1")
    for _ in range(2):
        assert (await hooked.send(body, by_sdk(body))).status_code == 204
    async with open_api(place, webhooks=hooked.folder) as again:
        response = await again.client.post("/v1/webhooks/stripe-of-a", content=body, headers=by_sdk(body))
        assert response.status_code == 204
    assert await hooked.taken() == [("evt_1", "po_1")]


async def test_either_secret_serves_while_they_are_exchanged_and_the_old_one_ends_at_once(hooked: Hooked) -> None:
    body = event("po_1")
    assert (await hooked.send(body, by_sdk(body, EARLIER))).status_code == 204
    described = hooked.folder / "stripe-of-a" / "endpoint.json"
    described.write_text(described.read_text().replace(', "secret1"', ""))
    other = event("po_1", number="evt_2")
    assert (await hooked.send(other, by_sdk(other, EARLIER))).status_code == 401
    assert (await hooked.send(other, by_sdk(other))).status_code == 204


async def test_what_is_not_to_be_believed_is_answered_alike_and_leaves_nothing(hooked: Hooked) -> None:
    body = event("po_1")
    signed = by_sdk(body)
    hostile: list[tuple[str, bytes, dict[str, str]]] = [
        ("forged", body, by_sdk(body, Secret("whsec_guessed"))),
        ("another body", event("po_2"), signed),
        ("old", body, by_sdk(body, ahead=-400)),
        ("from the future", body, by_sdk(body, ahead=400)),
        ("ten years ahead", body, by_sdk(body, ahead=315_360_000)),
        ("no header", body, {}),
        ("no header that can be one", body, {"stripe-signature": "t=x,v1=" + "z" * 64}),
        ("the other provider's header", body, {"mercury-signature": signed["stripe-signature"]}),
        ("a long header", body, {"stripe-signature": signed["stripe-signature"] + ",v1=" + "0" * 4000}),
    ]
    bodies = []
    for what, content, headers in hostile:
        answer = await hooked.send(content, headers)
        assert answer.status_code == 401, what
        bodies.append({**answer.json(), "instance": ""})
    for endpoint in ("nobody", "..", "stripe-of-a%2F..%2Fstripe-of-a", "stripe-of-a%00"):
        answer = await hooked.send(body, signed, endpoint=endpoint)
        assert answer.status_code in (401, 404), endpoint
        if answer.status_code == 401:
            bodies.append({**answer.json(), "instance": ""})
    assert len(bodies) > len(hostile)
    assert [one for one in bodies if one != bodies[0]] == [], "an answer tells them apart"
    assert bodies[0]["code"] == "API_WEBHOOK_REFUSED"
    assert await hooked.taken() == []


async def test_a_body_beyond_its_bound_is_not_read(hooked: Hooked) -> None:
    body = b"x" * 300_000
    assert (await hooked.send(body, by_sdk(body))).json()["code"] == "API_BODY_TOO_LARGE"


async def test_what_is_signed_and_about_nothing_known_is_taken_and_changes_nothing(hooked: Hooked) -> None:
    spend = await hooked.paid("po_1", hooked.venture.shop)
    for body in (
        event("po_of_somebody"),
        event("ch_1", kind="charge.succeeded", number="evt_2"),
        event("po_1'; drop table treasury.spend", number="evt_3"),
        b'{"object": "v2.core.event", "id": "evt_4"}',
        b"[]",
        b"no JSON",
        b"",
    ):
        assert (await hooked.send(body, by_sdk(body))).status_code == 204
    assert await hooked.taken() == [("evt_1", "po_of_somebody")]
    assert await hooked.due() == set()
    assert (await hooked.venture.spend(spend)).state.value == "sent"


@pytest.mark.parametrize("name", ["stripe", "mercury"])
async def test_the_doubles_deliveries_doubled_and_reordered_are_one_reason_each(hooked: Hooked, name: str) -> None:
    double: StripeDouble | MercuryDouble
    provider: StripeProvider | MercuryProvider
    if name == "stripe":
        double = StripeDouble(clock=now, webhook_secret=SECRET)
        egress = Egress((), loopback=True, inner=Within(double))
        key = Secret("sk_test_double")
        provider = StripeProvider(key, financial_account="fa_double", egress=egress, base_url=BASE)
        destination, end = "pm_payee", "posted"
    else:
        double = MercuryDouble(clock=now, webhook_secret=SECRET)
        egress = Egress((), loopback=True, inner=Within(double))
        token = Secret("secret-token:mercury_sandbox_double")
        provider = MercuryProvider(token, account="acc_double", way=Way.TRANSACTION, egress=egress, base_url=BASE)
        destination, end = "recipient-1", "sent"
    order = PaymentOrder(
        spend_id=uuid4(), key="k", amount=700, currency="USD", destination=destination, purpose="banners"
    )
    sent = await provider.send(order)
    await provider.close()
    payee = hooked.venture.shop if name == "stripe" else hooked.venture.firm
    spend = await hooked.paid(sent.reference, payee)
    double.advance(sent.reference, end)
    deliveries = double.deliveries(doubled=True, reordered=True)
    assert len(deliveries) == 4
    for one in deliveries:
        headers = {one.header: one.signature}
        assert (await hooked.send(one.body, headers, endpoint=f"{name}-of-a")).status_code == 204
    assert [reference for _, reference in await hooked.taken()] == [sent.reference] * 2
    assert await hooked.due() == {spend}
    double.advance(sent.reference, "returned" if name == "stripe" else "failed", *(["no_account"] * (name == "stripe")))
    (late,) = double.deliveries(skew=timedelta(minutes=6))
    answer = await hooked.send(late.body, {late.header: late.signature}, endpoint=f"{name}-of-a")
    assert answer.status_code == 401
    assert len(await hooked.taken()) == 2


async def test_a_transaction_that_nobody_knows_may_be_that_of_a_request(hooked: Hooked) -> None:
    """At Mercury a person approves a request, and what comes of it has an id of its own."""
    request = await hooked.paid("request:r-1", hooked.venture.firm)
    patch = {"id": "e-1", "resourceType": "transaction", "operationType": "create", "resourceVersion": 1}
    body = json.dumps({**patch, "resourceId": "t-3"}).encode()
    headers = {"mercury-signature": sign(body, SECRET, now=now())}
    assert await hooked.due() == set()
    assert (await hooked.send(body, headers, endpoint="mercury-of-a")).status_code == 204
    assert await hooked.due() == {request}


async def test_an_endpoint_speaks_for_its_tenant_alone(hooked: Hooked, place: Place) -> None:
    """B has an endpoint and its secret, and knows the reference of A's payment."""
    await hooked.paid("po_1", hooked.venture.shop)
    other = await new_venture(hooked.venture.books.database, place)
    mallory = Secret("whsec_of_b")
    write_endpoint(hooked.folder, "stripe-of-b", other.tenant, "stripe", mallory)
    body = event("po_1")
    assert (await hooked.send(body, by_sdk(body, mallory))).status_code == 401
    assert (await hooked.send(body, by_sdk(body, mallory), endpoint="stripe-of-b")).status_code == 204
    assert await hooked.due() == set()
    assert await hooked.taken() == []
    # And an id that B has used is still A's to use.
    assert (await hooked.send(body, by_sdk(body))).status_code == 204
    assert len(await hooked.taken()) == 1


async def test_an_endpoint_that_cannot_be_read_is_none(hooked: Hooked) -> None:
    body = event("po_1")
    tenant = hooked.venture.tenant
    write_endpoint(hooked.folder, "nobodys", UUID(int=0), "stripe", SECRET)
    write_endpoint(hooked.folder, "unknown", tenant, "paypal", SECRET)
    write_endpoint(hooked.folder, "outside", tenant, "stripe", SECRET, secrets=["../stripe-of-a/secret0"])
    write_endpoint(hooked.folder, "unsigned", tenant, "stripe")
    write_endpoint(hooked.folder, "open", tenant, "stripe", SECRET)
    (hooked.folder / "open" / "secret0").chmod(0o644)
    for endpoint in ("nobodys", "unknown", "outside", "unsigned", "open"):
        assert (await hooked.send(body, by_sdk(body), endpoint=endpoint)).status_code == 401, endpoint
    assert await hooked.taken() == []


async def test_without_a_folder_none_are_taken(api: Api) -> None:
    body = event("po_1")
    response = await api.client.post("/v1/webhooks/stripe-of-a", content=body, headers=by_sdk(body))
    assert (response.status_code, response.json()["code"]) == (401, "API_WEBHOOK_REFUSED")


async def test_a_flood_of_signed_webhooks_waits_and_other_tenants_do_not(place: Place, tmp_path: Path) -> None:
    async with open_api(place, webhooks=tmp_path, tenant_points_a_second=1, tenant_points_burst=12) as api:
        for name in ("a", "b"):
            write_endpoint(tmp_path, name, uuid4(), "stripe", SECRET)
        body = event("po_1")
        answers = [await api.client.post("/v1/webhooks/a", content=body, headers=by_sdk(body)) for _ in range(3)]
        assert [one.status_code for one in answers] == [204, 204, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert (await api.client.post("/v1/webhooks/b", content=body, headers=by_sdk(body))).status_code == 204
        assert 'route="/v1/webhooks/{endpoint}"' in (await api.client.get("/metrics")).text
