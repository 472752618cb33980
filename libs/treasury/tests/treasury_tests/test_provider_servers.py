"""The doubles as real HTTP servers, and stripe-mock, which Stripe makes from its own description of the API."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from parpour_controlplane.testing import free_port
from parpour_devcluster.binaries import ensure
from parpour_treasury.providers.doubles.core import Fault, Script
from parpour_treasury.providers.doubles.serving import serve
from parpour_treasury.providers.doubles.stripe import StripeDouble
from parpour_treasury.providers.egress import Egress
from parpour_treasury.providers.mercury import MercuryProvider, Way
from parpour_treasury.providers.port import Outcome
from parpour_treasury.providers.stripe import Rail, StripeProvider

from .provider_worlds import KEY, START, STRIPE_HOOK, TOKEN, Clock, order

pytestmark = pytest.mark.anyio


def stripe_at(url: str, *, rail: Rail = Rail.OUTBOUND_PAYMENT, timeout_s: float = 10.0) -> StripeProvider:
    return StripeProvider(
        KEY,
        rail=rail,
        financial_account="fa_1" if rail is Rail.OUTBOUND_PAYMENT else "",
        webhook_secrets=[STRIPE_HOOK],
        egress=Egress((), loopback=True),
        base_url=url,
        timeout_s=timeout_s,
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "localhost", "::", "example.com"])
async def test_a_double_serves_loopback_addresses_only(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        async with serve(StripeDouble(clock=Clock()), host=host):
            pass
    command = [sys.executable, "-m", "parpour_treasury.providers.doubles", "stripe", "--host", host]
    if host == "0.0.0.0":
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=60)
        assert done.returncode == 2


async def test_over_a_real_connection_drops_and_silence_are_unknown() -> None:
    faults = [Fault.DROP, Fault.WORK_THEN_DROP, Fault.WORK_THEN_SILENCE, Fault.GARBLED, Fault.SLOW]
    double = StripeDouble(clock=Clock(), script=Script(faults))
    async with serve(double) as url:
        provider = stripe_at(url, timeout_s=0.3)
        outcomes = [(await provider.send(order(number))).outcome for number in range(1, 6)]
        assert outcomes == [Outcome.UNKNOWN] * 4 + [Outcome.SENT]
        assert len(double.payments()) == 4
        await provider.close()


async def test_a_key_in_use_conflicts_over_real_connections() -> None:
    double = StripeDouble(clock=Clock(), script=Script([Fault.SLOW]))
    async with serve(double) as url:
        provider = stripe_at(url)
        answers = await asyncio.gather(*(provider.send(order()) for _ in range(5)))
        assert sorted(answer.outcome for answer in answers) == [Outcome.SENT] + [Outcome.UNKNOWN] * 4
        assert (await provider.send(order())).outcome is Outcome.SENT
        assert len(double.payments()) == 1
        await provider.close()


async def test_a_webhook_may_come_before_the_answer() -> None:
    clock = Clock()
    received: list[tuple[str, str]] = []
    double = StripeDouble(clock=clock, webhook_secret=STRIPE_HOOK, script=Script([Fault.HOOK_FIRST]))
    provider: StripeProvider

    async def take(request: web.BaseRequest) -> web.Response:
        signature = request.headers["Stripe-Signature"]
        hint = provider.parse_webhook(await request.read(), signature, now=clock.now)
        received.append((hint.kind, hint.reference))
        return web.Response()

    runner = web.ServerRunner(web.Server(take))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hook = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with serve(double, hook_url=hook) as url:
        provider = stripe_at(url)
        sent = await provider.send(order())
        assert received == [("treasury.outbound_payment.created", sent.reference)]
        async with httpx.AsyncClient() as http:
            moved = {"reference": sent.reference, "state": "posted"}
            await http.post(f"{url}/_double/advance", json=moved)
            taken = await http.post(f"{url}/_double/deliver", json={"doubled": True})
            assert taken.json() == {"taken": 2}
            assert (await http.get(f"{url}/_double/none")).status_code == 404
        await provider.close()
    await runner.cleanup()
    assert received[1:] == [("treasury.outbound_payment.posted", sent.reference)] * 2


async def test_a_double_of_its_own_process_keeps_its_books_when_it_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "parpour_treasury.providers.doubles", "mercury"]
    command += ["--world", str(tmp_path / "mercury.json")]
    asked = order(destination="recipient-1")
    for ending, outcome in ((signal.SIGKILL, Outcome.UNKNOWN), (signal.SIGTERM, Outcome.SENT)):
        running = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        try:
            assert running.stdout is not None
            url = (await running.stdout.readline()).decode().strip()
            async with httpx.AsyncClient() as http:
                if ending is signal.SIGKILL:
                    await http.post(f"{url}/_double/script", json={"faults": [Fault.WORK_THEN_DROP.value]})
                provider = MercuryProvider(
                    TOKEN,
                    account="acc_double",
                    way=Way.TRANSACTION,
                    egress=Egress((), loopback=True),
                    base_url=url,
                )
                assert (await provider.send(asked)).outcome is outcome
                paid = (await http.get(f"{url}/_double/payments")).json()
                assert [(one["spend_id"], one["amount"]) for one in paid] == [(str(asked.spend_id), 1250)]
                await provider.close()
        finally:
            running.send_signal(ending)
            await asyncio.wait_for(running.wait(), 30)


# stripe-mock


@pytest.fixture(scope="module")
def stripe_mock() -> Iterator[str]:
    """The base URL of Stripe's own mock, built from its pin."""
    program = ensure("stripe-mock")
    port, tls = free_port(), free_port()
    command = [str(program), "-http-addr", f"127.0.0.1:{port}", "-https-addr", f"127.0.0.1:{tls}"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(timeout=30)


@pytest.mark.parametrize("rail", list(Rail))
async def test_every_request_of_the_adapter_is_valid_to_stripes_mock(stripe_mock: str, rail: Rail) -> None:
    """The mock checks URL and parameters against Stripe's description, refuses others, and answers from fixtures."""
    provider = stripe_at(stripe_mock, rail=rail)
    asked = order(destination="pm_payee" if rail is Rail.OUTBOUND_PAYMENT else "ba_payee")
    sent = await provider.send(asked)
    assert "error" not in sent.evidence, sent
    assert sent.reference.startswith("obp_" if rail is Rail.OUTBOUND_PAYMENT else "po_")
    found = await provider.look_up(asked, reference=sent.reference, since=START)
    assert found.reference
    absent = await provider.look_up(asked, reference="", since=START)
    assert absent.outcome is Outcome.ABSENT, absent
    assert len([payment async for payment in provider.payments_since(START)]) == 1
    assert len([movement async for movement in provider.movements_since(START)]) == 1
    assert (await provider.balance("USD")).currency == "USD"
    await provider.close()


PAYMENT_FORM = {"amount": "100", "currency": "usd", "financial_account": "fa_1", "destination_payment_method": "pm_1"}
PAYOUT_FORM = {"amount": "100", "currency": "usd", "destination": "ba_1"}
CALLS: list[tuple[str, str, dict[str, str]]] = [
    ("POST", "/v1/treasury/outbound_payments", PAYMENT_FORM),
    ("GET", "/v1/treasury/outbound_payments?financial_account=fa_1", {}),
    ("POST", "/v1/payouts", PAYOUT_FORM),
    ("GET", "/v1/payouts", {}),
    ("GET", "/v1/balance_transactions", {}),
    ("GET", "/v1/balance", {}),
    ("GET", "/v1/treasury/financial_accounts/fa_1", {}),
    ("GET", "/v1/treasury/transaction_entries?financial_account=fa_1", {}),
]


def differences(mine: Any, theirs: Any, path: str = "") -> list[str]:
    """Where a double's object lacks a field of the mock's, has one more, or another type. Null stands for any type."""
    if mine is None or theirs is None:
        return []
    if isinstance(theirs, dict) and isinstance(mine, dict):
        found = [f"{path}.{name} is missing" for name in theirs if name not in mine]
        found += [f"{path}.{name} is more" for name in mine if name not in theirs]
        return found + [
            one for name in theirs if name in mine for one in differences(mine[name], theirs[name], f"{path}.{name}")
        ]
    if isinstance(theirs, list) and isinstance(mine, list):
        return differences(mine[0], theirs[0], f"{path}[0]") if mine and theirs else []
    return [] if type(mine) is type(theirs) else [f"{path} is {type(mine).__name__}, not {type(theirs).__name__}"]


ALLOWED = {
    ".destination_payment_method_details.us_bank_account is more",
    ".data[0].destination_payment_method_details.us_bank_account is more",
}
"""Optional in Stripe's description; the mock's fixture leaves it out."""
FREE = (".metadata",)


@pytest.mark.parametrize(("method", "path", "form"), CALLS, ids=[f"{method} {path}" for method, path, _ in CALLS])
async def test_the_doubles_objects_have_the_fields_and_types_of_stripes_mock(
    stripe_mock: str, method: str, path: str, form: dict[str, str]
) -> None:
    double = StripeDouble(clock=Clock())
    headers = {"Authorization": "Bearer sk_test_x"}
    async with serve(double) as url, httpx.AsyncClient(headers=headers) as http:
        await http.post(f"{url}/v1/treasury/outbound_payments", data=PAYMENT_FORM)
        await http.post(f"{url}/v1/payouts", data=PAYOUT_FORM)
        double.advance(double.payments()[0].reference, "posted")
        mine = await http.request(method, f"{url}{path}", data=form or None)
        theirs = await http.request(method, f"{stripe_mock}{path}", data=form or None)
    assert (mine.status_code, theirs.status_code) == (200, 200), (mine.text, theirs.text)
    found = [one for one in differences(mine.json(), theirs.json()) if one not in ALLOWED]
    assert [one for one in found if not one.startswith(FREE)] == []


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/v1/payouts", {**PAYOUT_FORM, "colour": "red"}),
        ("/v1/payouts", {"amount": "100"}),
        ("/v1/payouts", {**PAYOUT_FORM, "amount": "much"}),
        ("/v1/treasury/outbound_payments", {"amount": "100", "currency": "usd"}),
        ("/v1/treasury/outbound_payments", {**PAYMENT_FORM, "destination": "ba_1"}),
        ("/v1/nothing", {}),
    ],
)
async def test_the_double_refuses_what_stripes_mock_refuses(stripe_mock: str, path: str, form: dict[str, str]) -> None:
    headers = {"Authorization": "Bearer sk_test_x"}
    async with serve(StripeDouble(clock=Clock())) as url, httpx.AsyncClient(headers=headers) as http:
        mine = await http.post(f"{url}{path}", data=form)
        theirs = await http.post(f"{stripe_mock}{path}", data=form)
    assert mine.status_code == theirs.status_code
    assert json.loads(mine.text)["error"]["type"] == json.loads(theirs.text)["error"]["type"]
