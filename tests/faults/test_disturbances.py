"""Whatever dies while a Simulation runs, it completes with the digest of an undisturbed run, every member once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.deadlines import until
from harness.release import NAMESPACE, Object, Release
from harness.simulations import SMALL, Draft, complete, draft, logs_of, shell_digest, wait_for_ticks
from harness.strikes import delete_pod, first_ticks, kill_process, successor_of

pytestmark = pytest.mark.cluster

MEMBERS = 8
LONGER = 60
"""Members of a run that lasts until the bus has come back and a progress beat has passed."""
CITY = SMALL.replace("size: 2000", "size: 300000").replace("ticks: 40", "ticks: 150")


def long_run(name: str, *, members: int = MEMBERS) -> Draft:
    """A run of two shards that takes half a minute, because its workers are throttled, and checkpoints often."""
    return draft(name, scenario=CITY, members=members, shards=2, checkpoint={"everyTicks": 15}).with_spec(
        resources={"requests": {"cpu": "100m", "memory": "768Mi"}, "limits": {"cpu": "250m", "memory": "768Mi"}}
    )


@pytest.fixture(scope="module")
def undisturbed() -> str:
    """The digest of the same run when nothing happens to it."""
    return shell_digest(long_run("x"))


@pytest.mark.parametrize("strike", [delete_pod, kill_process], ids=["deleted pod", "killed process"])
def test_a_run_survives_the_loss_of_a_worker_the_operator_and_the_bus(
    release: Release, undisturbed: str, strike: Callable[[Release, Object], None]
) -> None:
    one = long_run(f"struck-{strike.__name__.replace('_', '-')}")
    release.apply(one.manifest())

    struck = wait_for_ticks(release, one)
    strike(release, struck)
    release.kubectl(
        *("delete", "pods", "--namespace", NAMESPACE, "--wait=false"),
        *("--selector", "app.kubernetes.io/component in (operator, nats)"),
    )

    successor = until(lambda: successor_of(release, one, struck), what="a new pod for the lost shard", seconds=90)
    result = complete(release, one, seconds=180)
    assert result["digest"] == undisturbed
    assert result["members"] == MEMBERS
    assert first_ticks(logs_of(release, successor)) > 0, "the new pod should go on from the checkpoint"
    release.wait_rolled_out("deployment/parpour-operator")
    release.wait_rolled_out("statefulset/parpour-nats")


def test_progress_comes_back_after_the_bus_was_away(release: Release) -> None:
    one = long_run("without-bus", members=LONGER)
    release.kubectl("scale", "statefulset/parpour-nats", "--namespace", NAMESPACE, "--replicas=0")
    try:
        release.apply(one.manifest())
        wait_for_ticks(release, one)
    finally:
        release.kubectl("scale", "statefulset/parpour-nats", "--namespace", NAMESPACE, "--replicas=1")
    release.wait_rolled_out("statefulset/parpour-nats")

    def live_rate() -> int | None:
        found = release.get("simulation", one.name)
        progress = (found or {}).get("status", {}).get("progress", {})
        return progress.get("agentUpdatesPerSecond") or None

    assert until(live_rate, what="live progress over the bus", seconds=90) > 0
    assert complete(release, one, seconds=400)["members"] == LONGER


def test_a_standby_operator_takes_over(release: Release) -> None:
    release.kubectl("scale", "deployment/parpour-operator", "--namespace", NAMESPACE, "--replicas=2")
    try:
        release.wait_rolled_out("deployment/parpour-operator")
        holder = lease_holder(release)
        release.kubectl("delete", "pod", holder, "--namespace", NAMESPACE, "--wait=false")
        until(lambda: lease_holder(release) not in {"", holder} or None, what="another leader", seconds=60)
        one = draft("under-new-lead", members=1, shards=1)
        release.apply(one.manifest())
        complete(release, one)
    finally:
        release.kubectl("scale", "deployment/parpour-operator", "--namespace", NAMESPACE, "--replicas=1")
        release.wait_rolled_out("deployment/parpour-operator")


def lease_holder(release: Release) -> str:
    """The pod that leads."""
    lease = release.get("lease", "parpour-operator", namespace=NAMESPACE)
    return str((lease or {}).get("spec", {}).get("holderIdentity") or "")
