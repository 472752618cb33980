"""Secrets stay where they are, and requests reach only the hosts of the list."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_treasury.payments.accounts import MountedAccounts
from parpour_treasury.providers.credentials import (
    SECRET_BYTES_MAX,
    CredentialUnavailable,
    Secret,
    is_live,
    looks_like_live_key,
    read_secret,
)
from parpour_treasury.providers.egress import (
    ANSWER_BYTES_MAX,
    MERCURY_HOSTS,
    STRIPE_HOSTS,
    Egress,
    EgressRefused,
    client,
    egress_to_doubles,
)
from parpour_treasury.providers.evidence import ITEMS_MAX, masked, masked_text
from parpour_treasury.providers.mercury import MercuryProvider
from parpour_treasury.providers.stripe import StripeProvider

from .provider_worlds import BASE, order


def kept(folder: Path, value: str = "sk_test_abc\n", mode: int = 0o600) -> Path:
    path = folder / "tenant-1" / "stripe"
    path.parent.mkdir(exist_ok=True)
    path.write_text(value)
    path.chmod(mode)
    return path


def test_a_secret_is_read_by_reference_and_shows_nowhere(tmp_path: Path) -> None:
    kept(tmp_path)
    secret = read_secret(tmp_path, "tenant-1/stripe")
    assert secret.reveal() == "sk_test_abc"
    assert "abc" not in f"{secret!r} {secret} {[secret]} {secret:}"


def test_kubernetes_links_within_the_tenants_folder_are_followed(tmp_path: Path) -> None:
    real = tmp_path / "tenant-1" / "..2026"
    real.mkdir(parents=True)
    (real / "stripe").write_text("k")
    (real / "stripe").chmod(0o640)
    (tmp_path / "tenant-1" / "stripe").symlink_to(Path("..2026") / "stripe")
    assert read_secret(tmp_path, "tenant-1/stripe").reveal() == "k"


@pytest.mark.parametrize("mode", [0o604, 0o606, 0o660, 0o620])
def test_a_secret_that_others_can_read_or_the_group_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    kept(tmp_path, mode=mode)
    with pytest.raises(CredentialUnavailable, match="others can read it"):
        read_secret(tmp_path, "tenant-1/stripe")


@pytest.mark.parametrize("reference", ["", "stripe", "../x/y", "tenant-1/..", "./x", "a/b/c", "tenant-1/none", "a\0/b"])
def test_other_references_are_refused(tmp_path: Path, reference: str) -> None:
    kept(tmp_path)
    with pytest.raises(CredentialUnavailable):
        read_secret(tmp_path, reference)


def test_a_link_into_another_tenants_folder_and_bad_contents_are_refused(tmp_path: Path) -> None:
    path = kept(tmp_path)
    (tmp_path / "tenant-2").mkdir()
    (tmp_path / "tenant-2" / "stripe").symlink_to(path)
    with pytest.raises(CredentialUnavailable, match="leads out"):
        read_secret(tmp_path, "tenant-2/stripe")
    for value in ("", "  \n", "a\nb", "x" * (SECRET_BYTES_MAX + 1)):
        kept(tmp_path, value)
        with pytest.raises(CredentialUnavailable) as caught:
            read_secret(tmp_path, "tenant-1/stripe")
        assert not value.strip() or value.strip() not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "live", "surely"),
    [
        ("sk_live_abc", True, True),
        ("rk_live_abc", True, True),
        ("sk_test_abc", False, False),
        ("rk_test_abc", False, False),
        ("secret-token:mercury_production_wma_x", True, True),
        ("secret-token:mercury_sandbox_wma_x", False, False),
        ("whatever", True, False),
        (" sk_live_abc", True, True),
    ],
)
def test_live_keys_are_told_from_keys_for_tests(key: str, live: bool, surely: bool) -> None:
    assert is_live(key) is live
    assert is_live(Secret(key)) is live
    assert looks_like_live_key(key) is surely


def test_live_keys_go_to_no_other_address() -> None:
    egress = Egress((), loopback=True)
    with pytest.raises(ValueError, match="a live key goes to Stripe"):
        StripeProvider(Secret("rk_live_x"), financial_account="fa", egress=egress, base_url=BASE)
    with pytest.raises(ValueError, match="a live token goes to Mercury"):
        MercuryProvider(Secret("secret-token:mercury_production_x"), account="a", egress=egress, base_url=BASE)


class Answering(httpx.AsyncBaseTransport):
    """Counts what got through."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.seen: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(str(request.url))
        return self.response


@pytest.mark.anyio
@pytest.mark.parametrize(
    "url",
    [
        "http://api.stripe.com/v1",
        "https://api.stripe.com:8443/v1",
        "https://api.stripe.com.evil.example/v1",
        "https://evil.example/?api.stripe.com",
        "https://xapi.stripe.com/",
        "https://user@api.stripe.com/",
        "https://169.254.169.254/",
        "http://127.0.0.1:1/",
        "http://localhost/",
        "https://api.stripe.com./",
    ],
)
async def test_nothing_leaves_to_other_hosts(url: str) -> None:
    inner = Answering(httpx.Response(200))
    with pytest.raises(EgressRefused):
        await client(Egress(STRIPE_HOSTS, inner=inner), timeout_s=1).get(url)
    assert inner.seen == []


@pytest.mark.anyio
async def test_listed_hosts_are_reached_and_redirects_are_not_followed() -> None:
    inner = Answering(httpx.Response(302, headers={"location": "https://evil.example/"}))
    http = client(Egress(STRIPE_HOSTS | MERCURY_HOSTS, inner=inner), timeout_s=1)
    assert (await http.get("https://api.stripe.com/v1")).status_code == 302
    assert inner.seen == ["https://api.stripe.com/v1"]


@pytest.mark.anyio
async def test_loopback_is_reached_only_where_it_is_configured() -> None:
    inner = Answering(httpx.Response(200))
    http = client(Egress((), loopback=True, inner=inner), timeout_s=1)
    assert (await http.get("http://127.0.0.1:9/")).status_code == 200
    assert (await http.get("http://[::1]:9/")).status_code == 200
    for url in ("http://10.0.0.1/", "http://localhost/", "https://api.stripe.com/"):
        with pytest.raises(EgressRefused):
            await http.get(url)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("addresses", "url"),
    [
        (["https://stripe.double"], "https://api.stripe.com/"),
        (["https://stripe.double"], "https://mercury.double/"),
        (["https://stripe.double"], "http://stripe.double/"),
        (["https://stripe.double"], "https://stripe.double:8443/"),
        (["https://stripe.double"], "http://127.0.0.1:1/"),
        (["http://127.0.0.1:1"], "https://stripe.double/"),
        ([], "http://127.0.0.1:1/"),
    ],
)
async def test_the_way_to_doubles_leads_to_nobody_else(addresses: list[str], url: str) -> None:
    with pytest.raises(EgressRefused):
        await client(egress_to_doubles(addresses), timeout_s=1).get(url)


def test_an_authority_that_cannot_be_read_is_no_authority(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("nothing")
    with pytest.raises(ssl.SSLError):
        egress_to_doubles(["https://stripe.double"], authority=tmp_path / "ca.crt")
    with pytest.raises(FileNotFoundError):
        egress_to_doubles(["https://stripe.double"], authority=tmp_path / "none.crt")


TENANT = UUID(int=7)


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """A folder with one tenant's accounts at both providers, with keys for tests."""
    place = tmp_path / str(TENANT)
    place.mkdir()
    accounts = {"stripe": {"key": "key", "financialAccount": "fa"}, "mercury": {"token": "token", "account": "a"}}
    (place / "accounts.json").write_text(json.dumps(accounts))
    for name, value in {"key": "sk_test_x", "token": "secret-token:mercury_sandbox_x"}.items():
        (place / name).touch(mode=0o600)
        (place / name).write_text(value)
    return tmp_path


@pytest.mark.anyio
async def test_an_account_with_a_double_goes_there_and_the_others_to_their_providers(mounted: Path) -> None:
    outward, aside = Answering(httpx.Response(500)), Answering(httpx.Response(500))
    accounts = MountedAccounts(
        mounted,
        egress=Egress(STRIPE_HOSTS | MERCURY_HOSTS, inner=outward),
        endpoints={"stripe": "https://stripe.double"},
        doubles=Egress(["stripe.double"], inner=aside),
    )
    for name in accounts.names(TENANT):
        provider = accounts.provider(TENANT, name)
        assert provider is not None
        await provider.send(order())
    assert {httpx.URL(url).host for url in outward.seen} == {"api.mercury.com"}
    assert {httpx.URL(url).host for url in aside.seen} == {"stripe.double"}
    await accounts.close()


def test_a_live_key_beside_a_double_is_no_account(mounted: Path, caplog: pytest.LogCaptureFixture) -> None:
    (mounted / str(TENANT) / "key").write_text("sk_live_x")
    egress = egress_to_doubles(["https://stripe.double"])
    accounts = MountedAccounts(mounted, egress=egress, endpoints={"stripe": "https://stripe.double"})
    assert accounts.provider(TENANT, "stripe") is None
    assert "a live key goes to Stripe and nowhere else" in caplog.text
    assert "sk_live" not in caplog.text


@pytest.mark.anyio
async def test_an_answer_without_end_is_none() -> None:
    inner = Answering(httpx.Response(200, stream=httpx.ByteStream(b"x" * (ANSWER_BYTES_MAX + 1))))
    with pytest.raises(httpx.ReadError, match="too long"):
        await client(Egress(STRIPE_HOSTS, inner=inner), timeout_s=1).get("https://api.stripe.com/")


@pytest.mark.anyio
async def test_no_answer_of_the_adapter_shows_the_key() -> None:
    key = Secret("sk_test_very_private_key")
    body = json.dumps({"error": {"type": "api_error", "message": f"bad key {key.reveal()}, account 000123456789"}})
    inner = Answering(httpx.Response(400, content=body.encode()))
    provider = StripeProvider(key, financial_account="fa", egress=Egress((), loopback=True, inner=inner), base_url=BASE)
    answer = await provider.send(order())
    assert "private" not in repr(answer)
    assert "0001234" not in repr(answer)
    assert "private" not in repr(provider.__dict__.get("_webhook_secrets"))


def test_masks() -> None:
    value = {
        "accountNumber": "000123456789",
        "routing_number": "110000000",
        "iban": "DE89 3704 0044 0532 0130 00",
        "client_secret": "abc",
        "note": "pay 000123456789, DE89370400440532013000 or 4242 4242 4242 4242 by sk_live_x, whsec_a, Bearer b",
        "id": "po_00000000000001",
        "uuid": "1d3042b6-af63-11f0-89d2-350312345678",
        "amount": 123456789012,
        "last4": None,
    }
    shown = masked(value)
    text = json.dumps(shown)
    for hidden in ("0001234567", "1100000", "370400", "abc", "4242 4242", "sk_live", "whsec_a", "Bearer b"):
        assert hidden not in text, hidden
    assert shown["id"] == value["id"]
    assert shown["uuid"] == value["uuid"]
    assert shown["amount"] == value["amount"]
    assert shown["accountNumber"] == "…6789"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=12,
    )
)
def test_any_evidence_is_json(value: object) -> None:
    json.dumps(masked(value))


def test_deep_and_long_evidence_is_cut() -> None:
    deep: object = "end"
    for _ in range(5000):
        deep = [deep]
    assert len(json.dumps(masked(deep))) < 100
    assert len(masked({str(number): number for number in range(5000)})) == ITEMS_MAX


@given(st.text(max_size=5000))
def test_masked_text_is_bounded(text: str) -> None:
    assert len(masked_text(text)) <= 1000
