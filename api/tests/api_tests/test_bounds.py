"""Rates, log lines, settings, requests, cursors, listed operations: the parts without a database."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_api.errors import CATALOGUE, ApiError
from parpour_api.graphql.cursors import Cursors
from parpour_api.graphql.operations import Operations, digest_of
from parpour_api.graphql.requests import GRAPHQL_TYPE, JSON_TYPE, answer_type, check_media_type, read_body
from parpour_api.limits import Buckets, RateLimits
from parpour_api.logs import HIDDEN, JsonLines, line, redacted
from parpour_api.settings import Settings, SettingsError
from parpour_treasury.refusals import REFUSALS

pytestmark = pytest.mark.unit


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    now = [0.0]
    buckets = Buckets(rate=10, burst=20, clock=lambda: now[0])
    assert [buckets.take("a", 10) for _ in range(3)] == [0, 0, 1.0]
    assert buckets.take("b", 20) == 0
    now[0] = 0.5
    assert buckets.take("a", 10) == 0.5
    assert buckets.take("a", 5) == 0
    now[0] = 100
    assert buckets.take("a", 1000) == 0
    assert buckets.take("a", 1) == pytest.approx(0.1)


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    now = [100.0]
    buckets = Buckets(rate=10, burst=10, clock=lambda: now[0])
    assert buckets.take("a", 10) == 0
    now[0] = 50
    assert buckets.take("a", 1) > 0


def test_only_so_many_buckets_are_kept() -> None:
    buckets = Buckets(rate=1, burst=2, clock=lambda: 0.0, keys_max=3)
    for key in range(10):
        buckets.take(key, 1)
    assert len(buckets._levels) == 3


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 30)), max_size=40))
def test_no_more_is_given_than_burst_and_rate_allow(asked: list[tuple[float, int]]) -> None:
    now = [0.0]
    buckets = Buckets(rate=7, burst=25, clock=lambda: now[0])
    given_points = 0
    for pause, points in asked:
        now[0] += pause
        if not buckets.take("a", points):
            given_points += min(points, 25)
    assert given_points <= 25 + 7 * now[0] + 1e-6


def test_a_tenant_is_limited_whoever_asks() -> None:
    limits = RateLimits(
        principals=Buckets(rate=1, burst=10, clock=lambda: 0.0), tenants=Buckets(rate=1, burst=15, clock=lambda: 0.0)
    )
    limits.take(tenant="t", principal="a", points=10)
    with pytest.raises(ApiError) as caught:
        limits.take(tenant="t", principal="b", points=10)
    assert (caught.value.code, caught.value.status, caught.value.retry_after) == ("API_RATE_LIMITED", 429, 5)
    limits.take(tenant="u", principal="c", points=10)


def written(message: str, **fields: object) -> dict[str, object]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    line(logger, logging.INFO, message, **fields)
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert text.isascii()
    made: dict[str, object] = json.loads(text)
    return made


@given(st.text(max_size=50))
def test_no_text_makes_a_second_line(text: str) -> None:
    assert written(text, path=text).keys() == {"time", "level", "logger", "message", "path"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("note", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln"),
        ("note", "Authorization: Bearer abc.def"),
        ("note", "key sk_" + "live_abc123"),
        ("note", "postgresql://ann:secret@host/db"),
        ("note", "0" * 64 + "v1|key|tenant|1|user:ann"),
        ("authorization", "anything"),
        ("access_token", "anything"),
        ("client_secret", "anything"),
    ],
)
def test_a_secret_is_not_logged(name: str, value: str) -> None:
    shown = json.dumps(redacted({name: value, "list": [{name: value}]}))
    assert HIDDEN in shown
    for part in ("c2ln", "abc", "secret@", "user:ann", "anything"):
        assert part not in shown


def test_an_exception_is_logged_without_the_secrets_that_it_quotes() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    try:
        raise ValueError("cannot reach postgresql://ann:hunter2@host/db")
    except ValueError:
        logger.exception("failed")
    shown = json.loads(stream.getvalue())
    assert "ValueError" in shown["error"]
    assert "hunter2@" not in shown["error"].splitlines()[-1]


REQUIRED = {
    "PARPOUR_API_DATABASE": "postgresql://x",
    "PARPOUR_API_CONTEXT_KEY_ID": "k",
    "PARPOUR_API_CONTEXT_KEY_FILE": "/run/key",
    "PARPOUR_API_ISSUER": "https://issuer.example",
    "PARPOUR_API_KEYS_URL": "https://issuer.example/jwks",
}


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "api.toml"
    file.write_text('port = 9000\nhost = "0.0.0.0"\nrevoked = ["user:x"]\n')
    environ = {**REQUIRED, "PARPOUR_API_CONFIG": str(file), "PARPOUR_API_PORT": "9100", "OTHER": "x"}
    settings = Settings.read(environ)
    assert (settings.port, settings.host, settings.revoked) == (9100, "0.0.0.0", ("user:x",))
    assert Settings.read({**REQUIRED, "PARPOUR_API_REVOKED": "a,b"}).revoked == ("a", "b")


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"PARPOUR_API_PORT": "99999"}, "port"),
        ({"PARPOUR_API_SPELT_WRONG": "1"}, "spelt_wrong"),
        ({"PARPOUR_API_KEYS_URL": "http://issuer.example/jwks"}, "keys_url"),
        ({"PARPOUR_API_CONFIG": "/nowhere"}, "PARPOUR_API_CONFIG"),
        ({"PARPOUR_API_DATABASE": ""}, "database"),
    ],
)
def test_wrong_settings_are_named_and_not_shown(more: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read({**REQUIRED, **more})
    assert named in str(caught.value)
    assert "99999" not in str(caught.value)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON_TYPE),
        ("*/*", JSON_TYPE),
        ("application/*", JSON_TYPE),
        ("application/json", JSON_TYPE),
        ("application/graphql-response+json", GRAPHQL_TYPE),
        ("application/graphql-response+json, application/json;q=0.9", GRAPHQL_TYPE),
        ("application/graphql-response+json;q=0.5, application/json", JSON_TYPE),
        ("text/html, */*;q=0.1", JSON_TYPE),
        ("APPLICATION/JSON; charset=utf-8", JSON_TYPE),
    ],
)
def test_the_answer_has_the_media_type_that_is_preferred(accept: str | None, media: str) -> None:
    assert answer_type(accept) == media


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "application/json;q=x", "*/*;q=0"])
def test_what_cannot_be_given_is_refused(accept: str) -> None:
    with pytest.raises(ApiError, match="API_NOT_ACCEPTABLE"):
        answer_type(accept)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    ],
)
def test_a_form_of_another_site_is_no_request(content_type: str | None) -> None:
    with pytest.raises(ApiError, match="API_MEDIA_TYPE"):
        check_media_type(content_type)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "API_BODY_MALFORMED"),
        (b"{", "API_BODY_MALFORMED"),
        (b"7", "API_BODY_MALFORMED"),
        (b"[" * 100_000, "API_BODY_MALFORMED"),
        (b'[{"query": "{me{actor}}"}]', "API_BATCH_REFUSED"),
        (b'{"query": "{me{actor}}", "variables": []}', "API_BODY_MALFORMED"),
        (b'{"query": "{me{actor}}", "variables": {"x": "\\ud800"}}', "API_BODY_MALFORMED"),
        (b'{"query": "\xff"}', "API_BODY_MALFORMED"),
    ],
)
def test_a_body_that_is_no_request_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_body(body)
    assert caught.value.code == code


def test_a_whole_surrogate_pair_is_text() -> None:
    assert read_body(b'{"query": "x", "variables": {"x": "\\ud83c\\udfc3"}}').variables == {"x": "🏃"}


KEYS = st.lists(st.integers(0, 2**62) | st.text("abc-0:Z", max_size=30), max_size=3).map(tuple)


@given(key=KEYS)
def test_a_cursor_is_read_back(key: tuple[int | str, ...]) -> None:
    cursors = Cursors(b"s" * 32)
    assert cursors.read(UUID(int=1), "list", cursors.make(UUID(int=1), "list", key)) == key


@given(key=KEYS, place=st.integers(0, 10_000), letter=st.sampled_from("AZaz09-_="))
def test_a_cursor_that_was_changed_or_borrowed_is_refused(key: tuple[int | str, ...], place: int, letter: str) -> None:
    cursors = Cursors(b"s" * 32)
    made = cursors.make(UUID(int=1), "list", key)
    place %= len(made)
    changed = made[:place] + letter + made[place + 1 :]
    for tenant, scope, text, maker in [
        (2, "list", made, cursors),
        (1, "other", made, cursors),
        (1, "list", made, Cursors(b"t" * 32)),
        (1, "list", changed, cursors),
        (1, "list", made[:-1], cursors),
        (1, "list", "", cursors),
    ]:
        if (tenant, scope, text, maker) == (1, "list", made, cursors):
            continue
        with pytest.raises(ApiError, match="API_CURSOR_INVALID"):
            maker.read(UUID(int=tenant), scope, text)


def test_listed_operations_go_by_their_digest(tmp_path: Path) -> None:
    text = "{ me { actor } }"
    file = tmp_path / "operations.json"
    file.write_text(json.dumps({digest_of(text): text}))
    listed = Operations.read(file, only=True)
    named = {"persistedQuery": {"version": 1, "sha256Hash": digest_of(text)}}
    assert listed.text(None, named) == text
    assert listed.text(text, {}) == text
    wrong: list[tuple[str | None, dict[str, Any], str]] = [
        ("{ ledger { journals } }", {}, "API_OPERATION_NOT_LISTED"),
        (None, {"persistedQuery": {"sha256Hash": "0" * 64}}, "API_OPERATION_UNKNOWN"),
        ("{ ledger { journals } }", named, "API_BODY_MALFORMED"),
        (None, {"persistedQuery": 7}, "API_BODY_MALFORMED"),
        (None, {}, "API_BODY_MALFORMED"),
    ]
    for query, extensions, code in wrong:
        with pytest.raises(ApiError) as caught:
            listed.text(query, extensions)
        assert caught.value.code == code
    assert Operations.read(None, only=False).text("{ ledger { journals } }", {}) == "{ ledger { journals } }"


@pytest.mark.parametrize("text", ["[]", '{"0": "{ me { actor } }"}', '{"0": 7}', "{"])
def test_a_list_that_does_not_hold_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "operations.json"
    file.write_text(text)
    with pytest.raises(ValueError):  # noqa: PT011  (the parser's own is one too)
        Operations.read(file, only=True)


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_code_has_one_status_and_an_explanation() -> None:
    assert set(REFUSALS) < set(CATALOGUE)
    for code, meaning in CATALOGUE.items():
        assert 400 <= meaning.status <= 599, code
        assert meaning.explanation, code
        problem = ApiError(code).problem(request_id="0")
        assert (problem["status"], problem["code"]) == (meaning.status, code)
