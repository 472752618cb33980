"""The development issuer: its tokens verify, and it starts only where it can do no harm."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from parpour_devissuer.guard import LiveKeysFound, refuse_live_keys
from parpour_devissuer.issuing import KEYS_MAX, Issuer
from parpour_devissuer.serving import BODY_BYTES_MAX, IssuerServer

pytestmark = pytest.mark.unit
ASKED = {"tenant": "3f1c8f0e-0000-4000-8000-000000000001", "sub": "ann", "roles": ["owner"]}
LIVE = "sk_" + "live_abc123"


def issuer() -> Issuer:
    ids = iter(range(10**6))
    return Issuer(
        "http://127.0.0.1:1", audience="parpour", clock=lambda: 1_800_000_000.9, new_id=lambda: f"id{next(ids)}"
    )


def read(issuing: Issuer, token: str) -> dict[str, Any]:
    """The claims of a token, verified with the published key of its id."""
    kid = jwt.get_unverified_header(token)["kid"]
    published = {one["kid"]: one for one in issuing.keys()["keys"]}
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
    claims: dict[str, Any] = jwt.decode(
        token,
        jwt.PyJWK(published[kid]).key,
        algorithms=["ES256"],
        audience="parpour",
        issuer=issuing.url,
        options=options,
    )
    return claims


def test_a_token_says_what_was_asked_for_and_verifies() -> None:
    issuing = issuer()
    claims = read(issuing, issuing.token({**ASKED, "actor_kind": "agent", "life": 60}))
    assert {name: claims[name] for name in ASKED} == ASKED
    assert (claims["actor_kind"], claims["iat"], claims["exp"]) == ("agent", 1_800_000_000, 1_800_000_060)


def test_a_rotation_keeps_the_keys_before_for_a_while_and_publishes_no_private_half() -> None:
    issuing = issuer()
    before = issuing.token(ASKED)
    issuing.rotate()
    assert read(issuing, before)["sub"] == "ann"
    assert read(issuing, issuing.token(ASKED))["sub"] == "ann"
    for _ in range(9):
        issuing.rotate()
    assert len(issuing.keys()["keys"]) == KEYS_MAX
    assert not any("d" in key for key in issuing.keys()["keys"])
    issuing.withdraw()
    assert len(issuing.keys()["keys"]) == 1


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {**ASKED, "sub": ""},
        {**ASKED, "sub": 7},
        {**ASKED, "roles": "owner"},
        {**ASKED, "life": 0},
        {**ASKED, "life": True},
        {**ASKED, "exp": 1},
    ],
)
def test_what_is_no_question_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"tenant|sub|roles|life|exp"):
        issuer().token(asked)


@pytest.fixture
def served() -> Iterator[IssuerServer]:
    with IssuerServer(port=0, audience="parpour", clock=lambda: 1_800_000_000, new_id=lambda: "id") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def call(server: IssuerServer, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(server.issuer.url + path, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


JSON = {"content-type": "application/json"}


def test_it_serves_keys_discovery_tokens_and_rotation(served: IssuerServer) -> None:
    status, found = call(served, "/.well-known/openid-configuration")
    assert (status, found["jwks_uri"]) == (200, f"{served.issuer.url}/jwks")
    status, answer = call(served, "/token", json.dumps(ASKED).encode(), **JSON)
    assert status == 200
    assert read(served.issuer, answer["access_token"])["sub"] == "ann"
    assert call(served, "/rotate", b"{}", **JSON)[0] == 200
    assert len(call(served, "/jwks")[1]["keys"]) == 2
    assert served.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/token", json.dumps(ASKED).encode(), {"content-type": "text/plain"}, 415),
        ("/token", b"{", JSON, 400),
        ("/token", b"[]", JSON, 400),
        ("/token", b"[" * 9000, JSON, 400),
        ("/token", b" " * (BODY_BYTES_MAX + 1), JSON, 413),
        ("/token", b"{}", {**JSON, "host": "evil.example"}, 403),
        ("/jwks", None, {"host": "evil.example:80"}, 403),
        ("/nowhere", b"{}", JSON, 404),
        ("/nowhere", None, {}, 404),
    ],
)
def test_a_page_of_another_site_gets_nothing(
    served: IssuerServer, path: str, body: bytes | None, headers: dict[str, str], status: int
) -> None:
    assert call(served, path, body, **headers)[0] == status


def test_it_does_not_start_beside_live_keys(tmp_path: Path) -> None:
    refuse_live_keys({"STRIPE_KEY": "sk_test_abc", "OTHER": "x"}, [tmp_path])
    for value in (LIVE, "rk_" + "live_1", "secret-token:mercury_production_wma_1"):
        with pytest.raises(LiveKeysFound) as caught:
            refuse_live_keys({"STRIPE_KEY": value}, [])
        assert "STRIPE_KEY" in str(caught.value)
        assert value not in str(caught.value)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "stripe").write_text(f"\n{LIVE}\n")
    with pytest.raises(LiveKeysFound, match="deep/stripe"):
        refuse_live_keys({}, [tmp_path])


@pytest.mark.parametrize("way", ["environment", "folder", "no folder"])
def test_the_command_refuses_too(tmp_path: Path, way: str) -> None:
    (tmp_path / "key").write_text(LIVE)
    environ = {"PYTHONPATH": ":".join(sys.path), **({"STRIPE_KEY": LIVE} if way == "environment" else {})}
    folders = {"environment": [], "folder": [str(tmp_path)], "no folder": ["/nowhere"]}[way]
    command = [sys.executable, "-m", "parpour_devissuer", "--port", "0", *(f"--credentials={one}" for one in folders)]
    run = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=20, check=False)
    assert run.returncode == 2
    assert LIVE not in run.stderr + run.stdout
