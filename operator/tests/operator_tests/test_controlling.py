"""The active replica's loops over a cluster in memory: what is queued, what is forgotten, what a resync finds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from parpour_operator.controlling import Controller
from parpour_operator.metrics import Metrics
from parpour_operator.observing import Key
from parpour_operator.settings import Settings
from parpour_operator.testing.lives import Life, spec

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@asynccontextmanager
async def working(life: Life) -> AsyncIterator[Controller]:
    """A controller that works on the life's cluster."""
    controller = Controller(
        api=life.cluster,
        settings=life.settings,
        metrics=Metrics(),
        now=life.cluster.clock.now,
        clock=life.cluster.clock.seconds,
    )
    task = asyncio.create_task(controller.run())
    try:
        yield controller
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def tell(controller: Controller, life: Life, key: Key, *, kinds: tuple[str, ...] = ("Simulation", "Job")) -> None:
    """The watches tell the Simulation and its Jobs as they are, or only one of them does."""
    for kind, told in (("Simulation", controller.simulation_event), ("Job", controller.job_event)):
        for (found, namespace, _), raw in list(life.cluster.objects.items()):
            if found == kind and kind in kinds and namespace == key.namespace:
                told(raw, "changed")


async def until(holds: Callable[[], Any]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for is a dictionary
            await asyncio.sleep(0.005)


async def test_events_lead_a_simulation_to_its_end(life: Life) -> None:
    key = life.cluster.apply(**spec())
    async with working(life) as controller:
        tell(controller, life, key)
        await until(lambda: life.status(key).get("startTime"))
        for act in (life.run_shards, life.finish_shards):
            act(key)
            tell(controller, life, key)
        await until(lambda: life.cluster.find("Job", "demo-collect"))
        life.finish_collect(key)
        tell(controller, life, key)
        await until(lambda: life.status(key)["state"] == "Complete")
        await until(lambda: len(controller.board) == 0)


async def test_erasure_goes_on_when_its_job_ends(life: Life) -> None:
    key = life.cluster.apply(**spec(deletionPolicy="Delete"))
    for act in (life.run_shards, life.finish_shards, life.finish_collect):
        await life.reconciler.reconcile(key)
        act(key)
    await life.reconciler.reconcile(key)
    life.cluster.delete(key)
    async with working(life) as controller:
        tell(controller, life, key)
        await until(lambda: life.cluster.find("Job", "demo-erase"))
        life.cluster.end_job("demo-erase", "Complete", succeeded=1)
        tell(controller, life, key)
        await until(lambda: life.cluster.find("Simulation", "demo") is None)


async def test_finished_simulations_cost_no_request(life: Life) -> None:
    key = life.cluster.apply(**spec())
    for act in (life.run_shards, life.finish_shards, life.finish_collect):
        await life.reconciler.reconcile(key)
        act(key)
    await life.reconciler.reconcile(key)
    async with working(life) as controller:
        reads = life.cluster.reads
        tell(controller, life, key)
        life.cluster.apply("other", **spec())
        tell(controller, life, Key("team", "other"))
        await until(lambda: life.cluster.find("Job", "other-shards"))
        asked = life.cluster.reads - reads
        tell(controller, life, key)
        assert asked <= 6


async def test_a_time_to_live_is_kept_after_a_restart(life: Life) -> None:
    key = life.cluster.apply(**spec(ttlSecondsAfterFinished=60))
    for act in (life.run_shards, life.finish_shards, life.finish_collect):
        await life.reconciler.reconcile(key)
        act(key)
    await life.reconciler.reconcile(key)
    async with working(life) as controller:
        life.cluster.clock.advance(61)
        tell(controller, life, key)
        await until(lambda: life.cluster.find("Simulation", "demo") is None)


async def test_a_reconciliation_that_fails_is_tried_again() -> None:
    life = Life(Settings(identity="test", worker_image="w", store_url="s3://a"))
    key = life.cluster.apply(**spec())
    failures = iter([OSError("connection reset")])
    read = life.cluster.simulation

    async def flaky(asked: Key) -> Any:
        for error in failures:
            raise error
        return await read(asked)

    life.cluster.simulation = flaky  # type: ignore[method-assign, assignment]
    async with working(life) as controller:
        tell(controller, life, key)
        await until(lambda: controller._queue.waiting)
        life.cluster.clock.advance(1)
        controller.simulation_event(life.cluster.objects[("Simulation", "team", "demo")], "changed")
        await until(lambda: life.cluster.find("Job", "demo-shards"))


async def test_a_resync_finds_and_repairs_what_the_watch_did_not_tell(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parpour_operator.controlling.CATCH_UP_SECONDS", 0.01)
    key = life.cluster.apply(**spec())
    async with working(life) as controller:
        assert not await controller.check_watches()
        await until(lambda: life.cluster.find("Job", "demo-shards"))
        life.cluster.set_job("demo-shards", active=4)
        tell(controller, life, key)
        await until(lambda: controller._queue.depth == 0)
        tell(controller, life, key)
        assert await controller.check_watches()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parpour_operator.controlling.CATCH_UP_SECONDS", 0.05)


async def started(controller: Controller, life: Life, key: Key) -> None:
    """Until its pods are waited for and the watches have told all."""
    tell(controller, life, key)
    await until(lambda: life.status(key).get("startTime") and controller._queue.depth == 0)
    tell(controller, life, key)
    await until(lambda: controller._queue.depth == 0 and not controller._queue._working)
    tell(controller, life, key)
    assert await controller.check_watches()


@pytest.mark.usefixtures("quick")
async def test_a_lost_watch_of_jobs_is_found_and_its_changes_are_worked_on(life: Life) -> None:
    key = life.cluster.apply(**spec())
    async with working(life) as controller:
        await started(controller, life, key)
        life.run_shards(key)
        assert not await controller.check_watches()
        await until(lambda: life.status(key)["state"] == "Running")
        tell(controller, life, key, kinds=("Simulation",))
        assert not await controller.check_watches(), "the watch of Jobs is still silent"
        tell(controller, life, key, kinds=("Job",))
        assert await controller.check_watches()


@pytest.mark.usefixtures("quick")
async def test_a_lost_watch_of_jobs_is_found_while_the_other_watch_goes_on_telling(life: Life) -> None:
    key = life.cluster.apply(**spec())
    async with working(life) as controller:
        await started(controller, life, key)
        life.run_shards(key)
        check = asyncio.create_task(controller.check_watches())
        while not check.done():
            life.cluster.objects[("Simulation", *key)]["metadata"]["resourceVersion"] += "0"
            tell(controller, life, key, kinds=("Simulation",))
            await asyncio.sleep(0.005)
        assert not check.result()


@pytest.mark.usefixtures("quick")
async def test_a_deleted_job_that_was_not_told_is_created_again(life: Life) -> None:
    key = life.cluster.apply(**spec())
    async with working(life) as controller:
        await started(controller, life, key)
        gone = life.cluster.objects.pop(("Job", "team", "demo-shards"))
        assert not await controller.check_watches()
        await until(lambda: life.cluster.find("Job", "demo-shards"))
        controller.job_event(gone, "deleted")
        tell(controller, life, key)
        assert await controller.check_watches()


@pytest.mark.usefixtures("quick")
async def test_a_change_that_is_told_in_time_is_not_missed(life: Life) -> None:
    key = life.cluster.apply(**spec())
    async with working(life) as controller:
        await started(controller, life, key)
        life.run_shards(key)
        check = asyncio.create_task(controller.check_watches())
        await asyncio.sleep(0.01)
        life.cluster.set_job("demo-shards", active=3, ready=3)  # and changes once more while it is waited for
        tell(controller, life, key)
        assert await check


@pytest.mark.usefixtures("quick")
async def test_jobs_of_finished_simulations_are_neither_listed_nor_remembered(life: Life) -> None:
    key = life.cluster.apply(**spec())
    for act in (life.run_shards, life.finish_shards, life.finish_collect):
        await life.reconciler.reconcile(key)
        act(key)
    await life.reconciler.reconcile(key)
    asked: list[int] = []
    listing = life.cluster.jobs_of

    def jobs_of(uids: Mapping[Key, str]) -> AsyncIterator[Any]:
        asked.append(len(uids))
        return listing(uids)

    life.cluster.jobs_of = jobs_of  # type: ignore[method-assign]
    async with working(life) as controller:
        tell(controller, life, key)  # the Jobs after their Simulation, as a watch of its own may tell them
        assert await controller.check_watches()
        assert asked == [0]
        assert controller._job_versions == {}


async def test_a_job_that_only_counts_pods_feeds_progress_and_no_reconciliation(life: Life) -> None:
    key = life.cluster.apply(**spec())
    async with working(life) as controller:
        tell(controller, life, key)
        await until(lambda: len(controller.board))
        life.run_shards(key)
        tell(controller, life, key)
        await until(lambda: life.status(key)["state"] == "Running")
        await until(lambda: controller._queue.depth == 0)
        reads = life.cluster.reads
        life.cluster.set_job("demo-shards", ready=3, succeeded=1, completedIndexes="0")
        raw = life.cluster.objects[("Job", "team", "demo-shards")]
        controller.job_event(raw, "changed")
        await until(lambda: life.cluster.reads > reads)
        reads = life.cluster.reads
        life.cluster.set_job("demo-shards", ready=2, succeeded=2, completedIndexes="0-1")
        controller.job_event(life.cluster.objects[("Job", "team", "demo-shards")], "changed")
        life.cluster.clock.advance(11)
        await until(lambda: life.status(key).get("progress", {}).get("shards", {}).get("succeeded") == 2)
        assert life.cluster.reads == reads
