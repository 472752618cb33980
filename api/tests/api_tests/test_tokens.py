"""Bearer tokens: what is taken, and with which code everything else is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from parpour_api.errors import ApiError
from parpour_api.identity.fetching import checked_url
from parpour_api.identity.keys import FRESH_SECONDS, STALE_SECONDS, UNKNOWN_SECONDS, KeySet, read_keys
from parpour_api.identity.principal import ClaimNames, Principal, Role
from parpour_api.identity.tokens import LEEWAY_SECONDS, LIFE_SECONDS_MAX, RevokedList, TokenVerifier

from .building import AUDIENCE, ISSUER, Keyring, claims

pytestmark = [pytest.mark.anyio, pytest.mark.unit]
TENANT = UUID(int=7)
NOW = 1_800_000_000


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def verifier(keys: Keyring, *, revoked: frozenset[str] = frozenset(), **more: Any) -> TokenVerifier:
    return TokenVerifier(
        KeySet(keys.fetch, clock=Clock(0)),
        issuer=ISSUER,
        audience=AUDIENCE,
        revocations=RevokedList(revoked),
        clock=Clock(NOW),
        **more,
    )


@pytest.fixture(scope="module")
def keys() -> Keyring:
    made = Keyring()
    made.add("k1")
    made.add("rsa", "RS256")
    made.add("ed", "EdDSA")
    return made


async def refused(checks: TokenVerifier, token: str) -> str:
    with pytest.raises(ApiError) as caught:
        await checks.verify(token)
    assert caught.value.status == (503 if caught.value.code == "API_IDENTITY_UNAVAILABLE" else 401)
    return caught.value.code


@pytest.mark.parametrize("kid", ["k1", "rsa", "ed"])
async def test_a_token_of_each_algorithm_becomes_a_principal(keys: Keyring, kid: str) -> None:
    told = claims(TENANT, now=NOW, roles=["treasurer", "approver"], person="p1", jti="t1")
    principal = await verifier(keys).verify(keys.sign(told, kid))
    assert principal.tenant == TENANT
    assert (principal.actor, principal.person, principal.token_id) == ("user:ann", "p1", "t1")
    assert principal.roles == {Role.TREASURER, Role.APPROVER}
    assert principal.authenticated_at is not None
    assert principal.authenticated_at.timestamp() == NOW


async def test_an_agent_is_no_person(keys: Keyring) -> None:
    principal = await verifier(keys).verify(
        keys.sign(claims(TENANT, now=NOW, actor_kind="agent", roles=["agent"], auth_time=None))
    )
    assert (principal.actor, principal.person, principal.authenticated_at) == ("agent:ann", None, None)


async def test_claims_may_have_the_names_that_the_issuer_gives_them(keys: Keyring) -> None:
    names = ClaimNames(tenant="https://x.example/tenant", roles="groups")
    told = claims(
        TENANT, now=NOW, tenant=None, roles=None, groups=["auditor"], **{"https://x.example/tenant": str(TENANT)}
    )
    principal: Principal = await verifier(keys, names=names).verify(keys.sign(told))
    assert principal.tenant == TENANT
    assert principal.roles == {Role.AUDITOR}


WRONG_CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"exp": NOW - LEEWAY_SECONDS}, "API_TOKEN_EXPIRED"),
    ({"exp": NOW + LIFE_SECONDS_MAX + 1}, "API_TOKEN_EXPIRED"),
    ({"iat": NOW + LEEWAY_SECONDS + 1}, "API_TOKEN_FUTURE"),
    ({"nbf": NOW + LEEWAY_SECONDS + 1}, "API_TOKEN_FUTURE"),
    ({"iss": "https://other.example"}, "API_TOKEN_ISSUER"),
    ({"aud": "other"}, "API_TOKEN_AUDIENCE"),
    ({"aud": ["other", "more"]}, "API_TOKEN_AUDIENCE"),
    ({"exp": None}, "API_TOKEN_CLAIMS"),
    ({"iat": None}, "API_TOKEN_CLAIMS"),
    ({"exp": "soon"}, "API_TOKEN_CLAIMS"),
    ({"exp": 1e300}, "API_TOKEN_CLAIMS"),
    ({"exp": True}, "API_TOKEN_CLAIMS"),
    ({"nbf": -1}, "API_TOKEN_CLAIMS"),
    ({"auth_time": "now"}, "API_TOKEN_CLAIMS"),
    ({"sub": None}, "API_TOKEN_CLAIMS"),
    ({"sub": ""}, "API_TOKEN_CLAIMS"),
    ({"sub": "ann\nuser:bob"}, "API_TOKEN_CLAIMS"),
    ({"sub": "a:b"}, "API_TOKEN_CLAIMS"),
    ({"sub": "x" * 151}, "API_TOKEN_CLAIMS"),
    ({"sub": 7}, "API_TOKEN_CLAIMS"),
    ({"tenant": None}, "API_TOKEN_CLAIMS"),
    ({"tenant": "A"}, "API_TOKEN_CLAIMS"),
    ({"tenant": 7}, "API_TOKEN_CLAIMS"),
    ({"roles": None}, "API_TOKEN_CLAIMS"),
    ({"roles": "owner"}, "API_TOKEN_CLAIMS"),
    ({"roles": ["root"]}, "API_TOKEN_CLAIMS"),
    ({"roles": [{}]}, "API_TOKEN_CLAIMS"),
    ({"roles": ["owner"] * 99}, "API_TOKEN_CLAIMS"),
    ({"actor_kind": "system"}, "API_TOKEN_CLAIMS"),
    ({"actor_kind": "agent", "roles": ["owner"]}, "API_TOKEN_CLAIMS"),
    ({"actor_kind": "agent", "roles": ["agent", "approver"]}, "API_TOKEN_CLAIMS"),
    ({"person": "\n"}, "API_TOKEN_CLAIMS"),
    ({"jti": 7}, "API_TOKEN_CLAIMS"),
]


@pytest.mark.parametrize(("wrong", "code"), WRONG_CLAIMS, ids=str)
async def test_claims_that_are_wrong_are_refused(keys: Keyring, wrong: dict[str, Any], code: str) -> None:
    told = {name: value for name, value in {**claims(TENANT, now=NOW), **wrong}.items() if value is not None}
    # Strings where PyJWT itself expects another type are encoded all the same.
    assert await refused(verifier(keys), keys.sign(told) if told.get("sub") != 7 else forged_json(keys, told)) == code


def forged_json(keys: Keyring, told: dict[str, Any]) -> str:
    """A rightly signed token whose claims no library would write."""
    from jwt.algorithms import ECAlgorithm

    head = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", "kid": "k1", "typ": "at+jwt"}).encode()).rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=")
    signature = ECAlgorithm(ECAlgorithm.SHA256).sign(head + b"." + body, keys.private["k1"][1])
    return b".".join((head, body, base64.urlsafe_b64encode(signature).rstrip(b"="))).decode()


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS256", "HS512", "ES512", "PS256", ""])
async def test_an_unsigned_token_or_one_of_another_algorithm_is_refused(keys: Keyring, alg: str) -> None:
    head = base64.urlsafe_b64encode(json.dumps({"alg": alg, "kid": "k1", "typ": "at+jwt"}).encode()).rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(claims(TENANT, now=NOW)).encode()).rstrip(b"=")
    for signature in (b"", b"AAAA"):
        token = b".".join((head, body, signature)).decode()
        assert await refused(verifier(keys), token) in ("API_TOKEN_ALGORITHM", "API_TOKEN_MALFORMED")


@pytest.mark.parametrize("kid", ["k1", "rsa"])
async def test_an_hmac_under_the_public_key_is_refused(keys: Keyring, kid: str) -> None:
    """The classic confusion: the verifier's public key taken for an HMAC secret."""
    public = keys.private[kid][1].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": kid, "typ": "at+jwt"}).encode()).rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(claims(TENANT, now=NOW)).encode()).rstrip(b"=")
    code = hmac.new(public, head + b"." + body, hashlib.sha256).digest()
    token = b".".join((head, body, base64.urlsafe_b64encode(code).rstrip(b"="))).decode()
    assert await refused(verifier(keys), token) == "API_TOKEN_ALGORITHM"


async def test_one_key_does_not_verify_under_another_keys_id(keys: Keyring) -> None:
    algorithm, key = keys.private["k1"]
    for kid, code in (("rsa", "API_TOKEN_ALGORITHM"), ("ed", "API_TOKEN_ALGORITHM")):
        token = jwt.encode(claims(TENANT, now=NOW), key, algorithm=algorithm, headers={"kid": kid, "typ": "at+jwt"})
        assert await refused(verifier(keys), token) == code
    other = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode(claims(TENANT, now=NOW), other, algorithm="ES256", headers={"kid": "k1", "typ": "at+jwt"})
    assert await refused(verifier(keys), token) == "API_TOKEN_SIGNATURE"


@pytest.mark.parametrize(
    "headers", [{"typ": "logout+jwt"}, {"typ": "secevent+jwt"}, {"kid": "x" * 300}, {"crit": ["exp"]}], ids=str
)
async def test_headers_that_are_no_access_tokens_are_refused(keys: Keyring, headers: dict[str, Any]) -> None:
    algorithm, key = keys.private["k1"]
    token = jwt.encode(
        claims(TENANT, now=NOW), key, algorithm=algorithm, headers={"kid": "k1", "typ": "at+jwt", **headers}
    )
    assert await refused(verifier(keys), token) == "API_TOKEN_MALFORMED"


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode() + "..x"))
async def test_no_text_breaks_the_verifier(text: str) -> None:
    keys = Keyring()
    assert await refused(verifier(keys), text) == "API_TOKEN_MALFORMED"


async def test_a_token_that_is_too_long_is_not_looked_at(keys: Keyring) -> None:
    assert await refused(verifier(keys), keys.sign(claims(TENANT, now=NOW, more="x" * 9000))) == "API_TOKEN_MALFORMED"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic dXNlcg==", "token"])
async def test_no_bearer_token_is_a_missing_one(keys: Keyring, header: str | None) -> None:
    with pytest.raises(ApiError, match="API_TOKEN_MISSING"):
        await verifier(keys).of_header(header)


@pytest.mark.parametrize("entry", ["user:ann", "t1"])
async def test_what_was_revoked_is_refused_though_its_token_lives(keys: Keyring, entry: str) -> None:
    token = keys.sign(claims(TENANT, now=NOW, jti="t1"))
    assert await refused(verifier(keys, revoked=frozenset({entry})), token) == "API_TOKEN_REVOKED"


async def test_a_rotation_cuts_nobody_off_and_ends_with_the_old_key() -> None:
    keys, clock = Keyring(), Clock(1000)
    keys.add("old")
    held = KeySet(keys.fetch, clock=clock)
    assert (await held.key("old")).algorithm == "ES256"
    keys.add("new", "EdDSA")
    with pytest.raises(ApiError, match="API_TOKEN_KEY_UNKNOWN"):
        await held.key("new")
    clock.now += UNKNOWN_SECONDS
    assert (await held.key("new")).algorithm == "EdDSA"
    assert (await held.key("old")).algorithm == "ES256"
    keys.published.remove("old")
    assert (await held.key("old")).kid == "old"
    clock.now += FRESH_SECONDS
    with pytest.raises(ApiError, match="API_TOKEN_KEY_UNKNOWN"):
        await held.key("old")
    assert keys.fetches == 3


async def test_a_token_that_was_taken_ends_with_its_time_its_key_and_its_bearer() -> None:
    """Verification is remembered; whatever may end a token is looked at each time all the same."""
    keys, clock, monotonic = Keyring(), Clock(NOW), Clock(0)
    keys.add("k1")
    revoked: set[str] = set()

    class Revoked:
        async def revoked(self, principal: Principal) -> bool:
            return principal.actor in revoked

    checks = TokenVerifier(
        KeySet(keys.fetch, clock=monotonic), issuer=ISSUER, audience=AUDIENCE, revocations=Revoked(), clock=clock
    )
    token = keys.sign(claims(TENANT, now=NOW))
    first = await checks.verify(token)
    assert await checks.verify(token) is first
    revoked.add("user:ann")
    assert await refused(checks, token) == "API_TOKEN_REVOKED"
    revoked.clear()
    clock.now = NOW + 600 + LEEWAY_SECONDS
    assert await refused(checks, token) == "API_TOKEN_EXPIRED"
    clock.now = NOW
    monotonic.now += FRESH_SECONDS
    assert (await checks.verify(token)) is not first
    keys.add("k1", "EdDSA")
    monotonic.now += FRESH_SECONDS
    assert await refused(checks, token) == "API_TOKEN_ALGORITHM"
    keys.published.clear()
    monotonic.now += FRESH_SECONDS
    assert await refused(checks, token) == "API_TOKEN_KEY_UNKNOWN"


async def test_only_so_many_tokens_are_remembered(keys: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parpour_api.identity.tokens.VERIFIED_MAX", 3)
    checks = verifier(keys)
    for number in range(9):
        await checks.verify(keys.sign(claims(TENANT, now=NOW, sub=f"u{number}")))
    assert len(checks._verified) == 3


async def test_a_flood_of_unknown_keys_fetches_once_an_interval() -> None:
    keys, clock = Keyring(), Clock(0)
    keys.add("k1")
    held = KeySet(keys.fetch, clock=clock)
    for number in range(50):
        with pytest.raises(ApiError, match="API_TOKEN_KEY_UNKNOWN"):
            await held.key(f"unknown{number}")
    assert keys.fetches == 1


async def test_keys_serve_while_the_issuer_is_down_and_not_for_ever() -> None:
    keys, clock = Keyring(), Clock(0)
    keys.add("k1")
    keys.down = True
    held = KeySet(keys.fetch, clock=clock)
    with pytest.raises(ApiError, match="API_IDENTITY_UNAVAILABLE"):
        await held.key("k1")
    keys.down = False
    clock.now += UNKNOWN_SECONDS
    await held.key("k1")
    keys.down = True
    clock.now += FRESH_SECONDS
    assert (await held.key("k1")).kid == "k1"
    clock.now += STALE_SECONDS
    with pytest.raises(ApiError, match="API_IDENTITY_UNAVAILABLE"):
        await held.key("k1")


def test_a_set_gives_only_keys_that_we_verify_with() -> None:
    keys = Keyring()
    keys.add("good")
    keys.add("short", "RS256", bits=1024)
    good, short = keys.jwk("good"), keys.jwk("short")
    entries: list[Any] = [
        good,
        short,
        {**good, "kid": "encrypts", "use": "enc"},
        {**good, "kid": "other", "alg": "RS256"},
        {**good, "kid": "private", "d": "AAAA"},
        {**good, "kid": 7},
        {**good, "kid": "broken", "x": "AA"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared", "alg": "HS256"},
        "no key",
    ]
    assert list(read_keys(json.dumps({"keys": entries}).encode())) == ["good"]


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"keys": 7}', b"[" * 100_000, b'{"keys": [' + b"{}," * 99 + b"{}]}"]
)
def test_what_is_no_set_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"(?i)set"):
        read_keys(text)


def test_keys_come_over_tls_or_from_this_machine() -> None:
    assert checked_url("https://issuer.example/jwks")
    assert checked_url("http://127.0.0.1:8090/jwks")
    for url in ("http://issuer.example/jwks", "file:///etc/passwd", "ftp://x", "http://127.0.0.1.evil.example/"):
        with pytest.raises(ValueError, match="https"):
            checked_url(url)
