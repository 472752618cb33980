"""The operator's loop against the internal API and a real database; only Kubernetes is in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from parpour_api.internal.testing import kubernetes
from parpour_api.internal.testing.opening import TOKEN, Opened, open_api
from parpour_contracts.funding import Binding
from parpour_controlplane.database import open_database
from parpour_controlplane.testing import Postgres
from parpour_operator.aggregating import ProgressBoard
from parpour_operator.observing import Key
from parpour_operator.reconciling import Reconciler
from parpour_operator.settings import Settings
from parpour_operator.sweeping import sweep
from parpour_operator.testing.lives import Life, spec
from parpour_operator.testing.memory import Crash, MemoryCluster, namespace_uid
from parpour_operator.treasury import Treasury
from parpour_treasury import MIGRATIONS

pytestmark = pytest.mark.anyio

VENTURE = UUID(int=77)
OURS = Settings(identity="test", worker_image="worker:test", store_url="s3://results", funding_url="https://treasury")
BUDGET = {"amount": "20.00", "currency": "USD"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Run(Life):
    """A life whose treasury is the real one."""

    def __init__(self, api: Opened, folder: Path) -> None:
        super().__init__(OURS, MemoryCluster())
        self.api = api
        token = folder / "token"
        token.write_text(TOKEN)
        self.money = Treasury(api.client, token_file=token, check_write=lambda: None)

    async def turn(self, key: Key) -> None:
        """One reconciliation, repeated by a fresh process if it crashes."""
        while True:
            board = ProgressBoard(clock=self.cluster.clock.seconds, interval=10.0)
            now = self.cluster.clock.now
            operator = Reconciler(self.cluster, self.settings, board, now, self.money)
            try:
                await operator.reconcile(key)
            except Crash:
                continue
            return

    async def begin(self, **changes: Any) -> Key:
        """Create it and let Kubernetes start the pods."""
        key = self.cluster.apply(**spec(budget=BUDGET, **changes))
        await self.turn(key)
        self.run_shards(key)
        await self.turn(key)
        return key

    async def finish(self, key: Key) -> dict[str, Any]:
        """From running pods to the settled end."""
        self.cluster.clock.advance(100)
        self.finish_shards(key)
        await self.turn(key)
        self.finish_collect(key)
        await self.turn(key)
        await self.turn(key)
        return self.status(key)

    async def budget(self) -> tuple[int, int, int]:
        """Cap, reserved and spent of the venture."""
        found = await self.api.ventures.budget(VENTURE)
        return found.cap, found.reserved, found.spent

    async def sound(self) -> None:
        """The books and the authority's tables do not contradict themselves."""
        context = self.api.ventures.context(VENTURE)
        assert await self.api.ledger.faults(context) == []
        assert await self.api.register.faults(context) == []


@pytest.fixture
async def run(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Run]:
    place = await postgres.make_place(MIGRATIONS)
    with kubernetes.serving() as cluster:
        async with open_database(place.dsn()) as database, open_api(place, database, cluster, tmp_path) as api:
            made = Run(api, tmp_path)
            binding = {
                "uid": str(VENTURE),
                "name": "acme",
                "displayName": "Acme",
                "namespace": "team",
                "namespaceUid": namespace_uid("team"),
                "owners": [{"subject": "ann", "person": "ann"}, {"subject": "bob", "person": "bob"}],
                "budget": {"amount": "3.00", "currency": "USD"},
            }
            await made.money.bind(Binding.model_validate(binding))
            yield made


async def test_a_run_within_the_budget_is_reserved_and_settled(run: Run) -> None:
    key = await run.begin()
    cap, reserved, _ = await run.budget()
    assert 0 < reserved <= cap
    status = await run.finish(key)
    assert status["state"] == "Complete"
    assert status["cost"]["charged"] == "0.02"  # four workers of half a core for 100 s at a hundredth of a cent a core
    assert await run.budget() == (cap, 0, 2)
    await run.sound()


async def test_a_run_beyond_the_budget_is_refused_with_the_reason_and_no_object(run: Run) -> None:
    first = await run.begin()
    for name in ("second", "third", "fourth", "fifth"):
        key = run.cluster.apply(name, **spec(budget=BUDGET))
        await run.turn(key)
    funded = run.condition(key, "Funded") or {}
    assert (funded["status"], funded["reason"]) == ("False", "TreasuryEnvelopeExceeded")
    assert run.cluster.find("Job", "fifth-shards") is None
    await run.finish(first)
    await run.turn(key)
    assert run.cluster.find("Job", "fifth-shards") is not None
    await run.sound()


@pytest.mark.parametrize("position", range(1, 13))
async def test_a_crash_at_any_write_reserves_and_charges_once(run: Run, position: int) -> None:
    run.cluster.crash_at = (position, "after")
    key = await run.begin()
    await run.finish(key)
    assert (await run.budget())[1:] == (0, 2)
    await run.sound()


async def test_a_long_run_is_renewed_and_ends_at_its_deadline_when_the_venture_has_no_more(run: Run) -> None:
    key = await run.begin()
    for _ in range(8):
        run.cluster.clock.advance(3000)
        run.api.clock.now += 3000
        await run.turn(key)
    assert (run.condition(key, "Funded") or {})["reason"] == "RenewalRefused"
    run.cluster.end_job("demo-shards", "Failed", reason="DeadlineExceeded", failed=4)
    await run.turn(key)
    await run.turn(key)
    assert (run.condition(key, "Failed") or {})["reason"] == "BudgetExhausted"
    cap, reserved, spent = await run.budget()
    assert reserved == 0
    assert 0 < spent <= cap
    await run.sound()


async def test_an_orphan_is_found_in_the_api_and_settled(run: Run) -> None:
    key = await run.begin()
    del run.cluster.objects[("Simulation", "team", "demo")]
    run.cluster.clock.moment = run.cluster.clock.moment.replace(year=2031)
    swept = await sweep(run.money, run.cluster.simulation, namespaces=(), now=run.cluster.clock.now())
    assert (swept, key.name) == (1, "demo")
    _, reserved, spent = await run.budget()
    assert reserved == 0
    assert spent > 0
