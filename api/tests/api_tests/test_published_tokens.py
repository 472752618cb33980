"""Published attacks on bearer tokens, each with its source; what is told of a token follows RFC 6750."""

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
from cryptography.hazmat.primitives.hashes import SHA256

from parpour_api.errors import ApiError
from parpour_api.identity.keys import KeySet
from parpour_api.identity.tokens import RevokedList, TokenVerifier

from .building import AUDIENCE, ISSUER, Api, Keyring, claims

pytestmark = pytest.mark.anyio
TENANT = UUID(int=7)
NOW = 1_800_000_000


@pytest.fixture(scope="module")
def keys() -> Keyring:
    made = Keyring()
    made.add("k1")
    made.add("rsa", "RS256")
    return made


def verifier(keys: Keyring) -> TokenVerifier:
    return TokenVerifier(
        KeySet(keys.fetch, clock=lambda: 0.0),
        issuer=ISSUER,
        audience=AUDIENCE,
        revocations=RevokedList(),
        clock=lambda: NOW,
    )


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(keys: Keyring, header: dict[str, Any] | str, body: dict[str, Any] | str, *, kid: str = "k1") -> str:
    """A token of any two texts, rightly signed with a key of the issuer's."""
    texts = [one if isinstance(one, str) else json.dumps(one) for one in (header, body)]
    message = ".".join(b64(one.encode()) for one in texts)
    algorithm, key = keys.private[kid]
    return f"{message}.{b64(jwt.get_algorithm_by_name(algorithm).sign(message.encode(), key))}"


def head(**more: Any) -> dict[str, Any]:
    return {"alg": "ES256", "kid": "k1", "typ": "at+jwt", **more}


async def code_of(keys: Keyring, token: str) -> str:
    with pytest.raises(ApiError) as caught:
        await verifier(keys).verify(token)
    assert caught.value.status == 401
    return caught.value.code


HEADERS: list[tuple[str, dict[str, Any], str]] = [
    ("RFC 7515, 4.1.11: an extension that must be understood", {"crit": ["b64"], "b64": False}, "API_TOKEN_MALFORMED"),
    ("RFC 7515, 4.1.11: no extension", {"crit": []}, "API_TOKEN_MALFORMED"),
    ("RFC 7797: a payload that is not encoded", {"b64": False}, "API_TOKEN_MALFORMED"),
    ("RFC 8725, 3.11: a token of another kind", {"typ": "dpop+jwt"}, "API_TOKEN_MALFORMED"),
    ("RFC 8725, 3.11: none", {"typ": None}, "API_TOKEN_MALFORMED"),
    ("PortSwigger, kid as a path", {"kid": "../../../../dev/null"}, "API_TOKEN_KEY_UNKNOWN"),
    ("PortSwigger, kid in SQL", {"kid": "k1' union select 'x"}, "API_TOKEN_KEY_UNKNOWN"),
    ("kid with a zero byte", {"kid": "k1\x00"}, "API_TOKEN_KEY_UNKNOWN"),
    ("kid that is no text", {"kid": ["k1"]}, "API_TOKEN_MALFORMED"),
    ("kid that is nothing", {"kid": ""}, "API_TOKEN_MALFORMED"),
    ("alg that is no text", {"alg": ["ES256"]}, "API_TOKEN_ALGORITHM"),
    ("alg in another case", {"alg": "es256"}, "API_TOKEN_ALGORITHM"),
    ("another key's alg", {"kid": "rsa"}, "API_TOKEN_ALGORITHM"),
]


@pytest.mark.parametrize(("source", "more", "code"), HEADERS, ids=[one[0] for one in HEADERS])
async def test_a_header_that_misleads_is_refused_though_it_is_signed(
    keys: Keyring, source: str, more: dict[str, Any], code: str
) -> None:
    assert await code_of(keys, signed(keys, head(**more), claims(TENANT, now=NOW))) == code, source


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "x5t"])
async def test_a_key_that_comes_with_the_token_is_not_looked_at(keys: Keyring, name: str) -> None:
    """RFC 8725, 3.10, and CVE-2018-0114: a token that brings, or points to, the key of whoever signed it."""
    stranger = Keyring()
    stranger.add("k1")
    key = stranger.jwk("k1")
    more = {"jwk": key, "jku": "http://127.0.0.1:1/jwks", "x5u": "http://127.0.0.1:1/x", "x5c": [key["x"]], "x5t": "x"}
    token = signed(stranger, head(**{name: more[name]}), claims(TENANT, now=NOW))
    before = keys.fetches
    assert await code_of(keys, token) == "API_TOKEN_SIGNATURE"
    assert keys.fetches == before + 1, "the issuer's own set, and nothing else"


async def test_signatures_that_are_none_are_refused(keys: Keyring) -> None:
    """CVE-2022-21449 (r = s = 0), CVE-2015-9235 (another algorithm over the public key), and a signature in DER."""
    good = signed(keys, head(), claims(TENANT, now=NOW))
    message = good.rpartition(".")[0]
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    der = keys.private["k1"][1].sign(message.encode(), ec.ECDSA(SHA256()))
    public = json.dumps(keys.jwk("rsa")).encode()
    for signature in (
        bytes(64),
        b"",
        order.to_bytes(32, "big") * 2,
        b"\x01" * 64,
        b"\x01" * 65,
        der,
        hmac.new(public, message.encode(), hashlib.sha256).digest(),
    ):
        assert await code_of(keys, f"{message}.{b64(signature)}") == "API_TOKEN_SIGNATURE"
    await verifier(keys).verify(good)


@pytest.mark.parametrize(
    "form",
    [
        "{0}.{1}",
        "{0}.{1}.{2}.{2}",
        "{0}.{1}.{2}.{2}.{2}",
        "{0}..{2}",
        ".{1}.{2}",
        "{0}.{1}.{2} ",
        "{0}.{1}.{2}\n",
        "..",
        ".",
    ],
)
async def test_other_forms_of_a_token_are_none(keys: Keyring, form: str) -> None:
    """RFC 7516 has five parts, RFC 7797 an empty one; neither is an access token."""
    parts = signed(keys, head(), claims(TENANT, now=NOW)).split(".")
    token = form.format(*parts)
    assert await code_of(keys, token) in ("API_TOKEN_MALFORMED", "API_TOKEN_SIGNATURE")
    assert await code_of(keys, ".".join(parts) + "\n") in ("API_TOKEN_MALFORMED", "API_TOKEN_SIGNATURE")


async def test_a_token_inside_a_token_is_none(keys: Keyring) -> None:
    """RFC 7519, 5.2: nested tokens are not for this."""
    inner = signed(keys, head(), claims(TENANT, now=NOW))
    assert await code_of(keys, signed(keys, head(cty="JWT"), inner)) == "API_TOKEN_MALFORMED"


async def test_of_a_claim_that_stands_twice_the_last_one_counts(keys: Keyring) -> None:
    """RFC 7519, 4: a reader refuses it or takes the last one; whoever signed it has signed that."""
    told = json.dumps(claims(TENANT, now=NOW))
    other = told[:-1] + f', "tenant": "{UUID(int=8)}"}}'
    assert (await verifier(keys).verify(signed(keys, head(), other))).tenant == UUID(int=8)
    assert (
        await code_of(keys, signed(keys, head(), told[:-1] + ', "iss": "https://evil.example"}')) == "API_TOKEN_ISSUER"
    )


CLAIMS: list[tuple[str, str]] = [
    ('"exp": "1800000600"', "API_TOKEN_CLAIMS"),
    ('"exp": NaN', "API_TOKEN_CLAIMS"),
    ('"exp": Infinity', "API_TOKEN_CLAIMS"),
    ('"exp": 1e400', "API_TOKEN_CLAIMS"),
    ('"exp": 99999999999999999999', "API_TOKEN_CLAIMS"),
    ('"exp": -1', "API_TOKEN_CLAIMS"),
    ('"exp": [1800000600]', "API_TOKEN_CLAIMS"),
    ('"exp": null', "API_TOKEN_CLAIMS"),
    ('"exp": 1799999970.0', "API_TOKEN_EXPIRED"),
    ('"iat": 1800000030.5', "API_TOKEN_FUTURE"),
    ('"nbf": "x"', "API_TOKEN_CLAIMS"),
    ('"nbf": null', "API_TOKEN_CLAIMS"),
    ('"aud": []', "API_TOKEN_CLAIMS"),
    ('"aud": {"parpour": true}', "API_TOKEN_AUDIENCE"),
    ('"aud": [["parpour"]]', "API_TOKEN_AUDIENCE"),
    ('"aud": "parpour "', "API_TOKEN_AUDIENCE"),
    ('"aud": "PARPOUR"', "API_TOKEN_AUDIENCE"),
    ('"iss": ["https://issuer.example"]', "API_TOKEN_ISSUER"),
    ('"iss": "https://issuer.example/"', "API_TOKEN_ISSUER"),
    ('"sub": "\\u0430nn"', "API_TOKEN_CLAIMS"),
    ('"sub": "ann\\u0000"', "API_TOKEN_CLAIMS"),
    ('"sub": "ann\\n"', "API_TOKEN_CLAIMS"),
    ('"sub": "system"', ""),
    ('"actor_kind": "USER"', "API_TOKEN_CLAIMS"),
    ('"actor_kind": ["user"]', "API_TOKEN_CLAIMS"),
    ('"actor_kind": {"user": 1}', "API_TOKEN_CLAIMS"),
    ('"roles": ["OWNER"]', "API_TOKEN_CLAIMS"),
    ('"roles": {"owner": true}', "API_TOKEN_CLAIMS"),
    ('"roles": [["owner"]]', "API_TOKEN_CLAIMS"),
    ('"tenant": ["00000000-0000-0000-0000-000000000007"]', "API_TOKEN_CLAIMS"),
    ('"aud": ["other", "parpour"]', ""),
    ('"exp": 1800000600.25', ""),
]
"""RFC 8725, 3.8 to 3.9 and RFC 7519, 2: of other types, of other times, for others; and what has to be taken."""


@pytest.mark.parametrize(("claim", "code"), CLAIMS)
async def test_a_claim_of_another_form_is_refused_though_it_is_signed(keys: Keyring, claim: str, code: str) -> None:
    told = json.dumps(claims(TENANT, now=NOW))[:-1] + f", {claim}}}"
    token = signed(keys, head(), told)
    if code:
        assert await code_of(keys, token) == code
    else:
        assert (await verifier(keys).verify(token)).tenant == TENANT


async def test_no_token_of_the_issuer_is_the_operators(keys: Keyring) -> None:
    """It is a member of every venture: whoever may choose a subject would reserve and settle in its name."""
    told = claims(TENANT, now=NOW, sub="parpour-operator")
    agent = {**told, "actor_kind": "agent", "roles": ["agent"]}
    assert await code_of(keys, signed(keys, head(), agent)) == "API_TOKEN_CLAIMS"
    assert (await verifier(keys).verify(signed(keys, head(), told))).actor == "user:parpour-operator"


async def test_a_token_comes_in_one_header_and_in_no_other_way(api: Api) -> None:
    """RFC 6750, 2.2 and 2.3, and RFC 9700, 4.3.2: forms and addresses are logged, and so may no token be there."""
    caller = await api.venture()
    question, client = {"query": "{ me { actor } }"}, api.client
    for response in (
        await client.post("/graphql", params={"access_token": caller.token}, json=question),
        await client.get("/graphql", params={**question, "access_token": caller.token}),
        await client.post("/graphql", json={**question, "access_token": caller.token}),
        await client.post("/graphql", json=question, headers={"cookie": f"authorization={caller.token}"}),
        await client.post("/graphql", json=question, headers={"x-authorization": f"Bearer {caller.token}"}),
    ):
        assert (response.status_code, response.json()["code"]) == (401, "API_TOKEN_MISSING")
    other = api.caller(UUID(int=9)).token
    for path in ("/graphql", "/v1/books/export/ledger"):
        twice = [("authorization", f"Bearer {one}") for one in (caller.token, other)]
        response = await client.get(path, params=question, headers=twice)
        assert (response.status_code, response.json()["code"]) == (401, "API_TOKEN_MALFORMED")
    listed = {"authorization": f"Bearer {caller.token}, Bearer {other}"}
    assert (await client.post("/graphql", json=question, headers=listed)).status_code == 401


async def test_a_challenge_says_what_the_standard_lets_it_say(api: Api) -> None:
    """RFC 6750, 3: no error of a token where there is none, and another one where it does not suffice."""
    auditor = await api.venture(roles=["agent"], actor_kind="agent")
    path, client = "/v1/books/export/ledger", api.client
    told = [
        (await client.get(path, headers=headers)).headers["www-authenticate"]
        for headers in ({}, {"authorization": "Bearer x"}, auditor.headers)
    ]
    assert told == ["Bearer", 'Bearer error="invalid_token"', 'Bearer error="insufficient_scope"']
