"""The client of the internal API: who it says it is, what it makes of each answer, and the sweep of orphans."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from parpour_contracts.funding import FundingState, ReservationState, Settlement
from parpour_operator.leasing import LeaseLost
from parpour_operator.settings import Settings, SettingsError
from parpour_operator.sweeping import ORPHAN_SECONDS, sweep
from parpour_operator.testing.lives import spec
from parpour_operator.testing.memory import namespace_uid
from parpour_operator.treasury import FundingRefused, FundingUnavailable, Treasury

from .test_funding import BUDGET, assert_books, funded_life, money, only

pytestmark = pytest.mark.unit

ONE, TWO = uuid4(), uuid4()


class Server:
    """Answers with what it is told to, and keeps what it was asked."""

    def __init__(self, *answers: tuple[int, Any] | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx2.Response(status, content=content)


def client(server: Server, folder: Path, *, lost: bool = False) -> Treasury:
    def check() -> None:
        if lost:
            raise LeaseLost("too late")

    token = folder / "token"
    if not token.exists():
        token.write_text("first\n")
    inner = httpx2.AsyncClient(base_url="https://treasury", transport=httpx2.MockTransport(server))
    return Treasury(inner, token_file=token, check_write=check)


def test_the_token_is_read_anew_for_every_request(tmp_path: Path) -> None:
    server = Server((200, {}), (200, {}))
    treasury = client(server, tmp_path)
    assert asyncio.run(treasury.state(ONE, TWO)) == FundingState()
    (tmp_path / "token").write_text("second")
    asyncio.run(treasury.state(ONE, TWO))
    assert [request.headers["Authorization"] for request in server.requests] == ["Bearer first", "Bearer second"]
    assert server.requests[0].url.params["namespaceUid"] == str(ONE)


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        ((404, {"code": "FUNDING_RESERVATION_UNKNOWN"}), FundingRefused, "FUNDING_RESERVATION_UNKNOWN"),
        ((409, {"code": "FUNDING_RESERVATION_CLOSED"}), FundingRefused, "FUNDING_RESERVATION_CLOSED"),
        ((401, {"code": "FUNDING_UNAUTHENTICATED", "message": "no"}), FundingUnavailable, "401: FUNDING_UNAUTH"),
        ((403, b"<html>"), FundingUnavailable, "403: no code"),
        ((500, b""), FundingUnavailable, "500"),
        ((302, b""), FundingUnavailable, "302"),
        ((200, {"state": "perhaps"}), FundingUnavailable, "otherwise than it should"),
        ((200, b"not json"), FundingUnavailable, "otherwise than it should"),
        ((400, b"not json"), FundingUnavailable, "otherwise than it should"),
        (httpx2.ConnectTimeout("slow"), FundingUnavailable, "ConnectTimeout"),
    ],
)
def test_every_answer_is_a_value_a_refusal_or_an_absence(
    answer: Any, expected: type[Exception], words: str, tmp_path: Path
) -> None:
    treasury = client(Server(answer), tmp_path)
    with pytest.raises(expected, match=words):
        asyncio.run(treasury.settle(ONE, TWO, Settlement(worker_seconds=1, measured=True)))


def test_without_a_token_nothing_is_asked(tmp_path: Path) -> None:
    server = Server()
    treasury = client(server, tmp_path)
    (tmp_path / "token").unlink()
    with pytest.raises(FundingUnavailable, match="token cannot be read"):
        asyncio.run(treasury.state(ONE, TWO))
    assert server.requests == []


def test_a_replica_that_lost_its_lease_moves_no_money(tmp_path: Path) -> None:
    server = Server((200, {}))
    treasury = client(server, tmp_path, lost=True)
    with pytest.raises(LeaseLost):
        asyncio.run(treasury.cancel(ONE, TWO))
    assert server.requests == []
    asyncio.run(treasury.state(ONE, TWO))


def test_a_token_is_sent_over_tls_alone() -> None:
    with pytest.raises(SettingsError, match="https"):
        Settings.from_env({"PARPOUR_WORKER_IMAGE": "worker:1", "PARPOUR_FUNDING_URL": "http://treasury"})


def test_the_reservation_of_a_simulation_whose_finalizer_was_removed_is_settled_in_full() -> None:
    life = funded_life()
    keys = [life.cluster.apply(name, **spec(budget=BUDGET)) for name in ("kept", "torn", "other")]
    for key in keys:
        life.reconcile(key)
    del life.cluster.objects[("Simulation", "team", "torn")]
    del life.cluster.objects[("Simulation", "team", "other")]
    life.cluster.apply("other", **spec(budget=BUDGET))  # another Simulation under the same name

    def swept(**scope: Any) -> int:
        scope = {"namespaces": (), **scope}
        return asyncio.run(sweep(money(life), life.cluster.simulation, now=life.cluster.clock.now(), **scope))

    assert swept() == 0, "too young"
    life.cluster.clock.advance(ORPHAN_SECONDS + 1)
    assert swept(namespaces=("elsewhere",)) == 0
    assert swept() == 2
    states = {a.request.name: a.answer.state for a in money(life).accounts.values()}
    assert states["kept"] is ReservationState.RESERVED
    assert {states["torn"], states["other"]} == {ReservationState.SETTLED}
    charged = [a.charged for a in money(life).accounts.values() if a.request.name == "torn"]
    assert charged == [121]  # 4 workers for 301 s at a tenth of a cent, begun cents counted
    assert swept() == 0


def test_the_sweep_never_charges_more_than_was_reserved() -> None:
    life = funded_life()
    key = life.cluster.apply(**spec(budget=BUDGET))
    life.reconcile(key)
    del life.cluster.objects[("Simulation", "team", "demo")]
    later = life.cluster.clock.now() + timedelta(days=30)
    assert asyncio.run(sweep(money(life), life.cluster.simulation, namespaces=(), now=later)) == 1
    assert only(life).charged <= only(life).reserved
    assert UUID(namespace_uid("team")) == money(life).namespace_uid
    del life.cluster.objects[("Job", "team", "demo-shards")]
    assert_books(life)
