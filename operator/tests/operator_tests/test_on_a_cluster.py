"""The operator as a process against a real API server, with exactly the rights of its table."""

from __future__ import annotations

import random
import time
from datetime import datetime

import pytest

from parpour_operator.testing.lives import SCENARIO

from .cluster_fixtures import Operators, Room, Store, until

pytestmark = pytest.mark.cluster

WRITE_BUDGET = 10
QUICK_LEASE = {
    "PARPOUR_LEASE_SECONDS": "4",
    "PARPOUR_LEASE_RENEW_DEADLINE": "3",
    "PARPOUR_LEASE_RETRY_SECONDS": "0.5",
}
TOWN = SCENARIO.replace("size: 1000", "size: 60000")


def worked(room: Room, store: Store) -> None:
    """Make a namespace fit for worker pods."""
    room.stage.apply(store.secret(room.name))


def test_a_simulation_runs_to_its_result_within_the_write_budget(
    room: Room, operators: Operators, store: Store, worker_image: str
) -> None:
    worked(room, store)
    operators(PARPOUR_WORKER_IMAGE=worker_image).wait_ready()
    room.simulate()
    status = room.reaches("Complete")
    assert status["result"]["members"] == 8
    assert len(status["result"]["digest"]) == 64
    assert status["workerImage"].startswith(worker_image.partition(":")[0])
    assert status["progress"]["summary"] == "100 %"
    assert until(lambda: room.events() == ["Started", "Completed"] or None, what="events")
    writes = room.stage.writes(room.name)
    beats = [write for write in writes if "parpour-progress" in write]
    assert len(writes) - len(beats) <= WRITE_BUDGET - 1, writes
    manifests = list(store.folder.glob(f"results/{room.name}/*/manifest.json"))
    assert len(manifests) == 1


def test_the_job_exists_soon_and_a_reconciled_simulation_is_left_alone(room: Room, operators: Operators) -> None:
    operator = operators().wait_ready()
    room.simulate()
    until(lambda: room.get("job", "demo-shards"), seconds=90)
    until(lambda: room.condition("Running").get("reason"), seconds=90)
    run_map = room.get("configmap", "demo-run")
    assert run_map is not None
    assert run_map["immutable"] is True
    before = room.stage.writes(room.name)
    time.sleep(6)
    later = [write for write in room.stage.writes(room.name)[len(before) :] if "progress" not in write]
    assert len(later) <= 1, later  # at most the explanation of waiting pods
    assert "Traceback" not in operator.text()


def test_a_started_simulation_cannot_change_but_for_three_fields(room: Room, operators: Operators) -> None:
    operators().wait_ready()
    room.simulate()
    until(lambda: room.status().get("startTime"))
    with pytest.raises(AssertionError, match=r"spec\.seed cannot change"):
        room.simulate(seed=9)
    room.simulate(ttlSecondsAfterFinished=5, deletionPolicy="Delete", suspend=True)
    room.reaches("Suspended")
    until(lambda: (room.get("simulation") or {}).get("metadata", {}).get("finalizers"))


def test_a_refused_simulation_says_why_and_starts_once_it_is_mended(room: Room, operators: Operators) -> None:
    operators(PARPOUR_REFUSED_RETRY_SECONDS="2").wait_ready()
    room.simulate(scenario={"configMap": {"name": "town"}})
    until(lambda: room.condition("Accepted").get("reason") == "ScenarioConfigMapNotFound")
    assert room.get("job", "demo-shards") is None
    assert "ScenarioConfigMapNotFound" in until(room.events)
    meta = {"name": "town", "namespace": room.name}
    data = {"scenario.yaml": SCENARIO}
    room.stage.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
    until(lambda: room.get("job", "demo-shards"), seconds=90)
    assert room.condition("Accepted")["status"] == "True"


def test_foreign_objects_are_never_adopted(room: Room, operators: Operators) -> None:
    meta = {"name": "demo-shards", "namespace": room.name}
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "registry.invalid/a"}]}}
    job_spec = {"suspend": True, "template": template}
    foreign = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": job_spec}
    room.stage.apply(foreign)
    operators(PARPOUR_REFUSED_RETRY_SECONDS="1").wait_ready()
    room.simulate()
    until(lambda: room.condition("Accepted").get("reason") == "NameConflict")
    job = room.get("job", "demo-shards")
    assert job is not None
    assert "ownerReferences" not in job["metadata"]
    room.stage.kubectl("delete", "job", "demo-shards", "--namespace", room.name)
    until(lambda: room.condition("Accepted").get("status") == "True", seconds=90)


def test_missing_secrets_are_explained(room: Room, operators: Operators, worker_image: str) -> None:
    operators(PARPOUR_WORKER_IMAGE=worker_image).wait_ready()
    room.simulate()
    found = until(lambda: "parpour-store" in room.condition("Running").get("message", "") and room.condition("Running"))
    assert found["reason"] == "WorkersWaiting"


def test_a_suspended_run_goes_on_to_the_digest_of_an_undisturbed_one(
    room: Room, operators: Operators, store: Store, worker_image: str
) -> None:
    worked(room, store)
    operators(PARPOUR_WORKER_IMAGE=worker_image).wait_ready()
    room.simulate("calm", scenario={"inline": TOWN})
    room.simulate("torn", scenario={"inline": TOWN})
    until(lambda: room.status("torn").get("state") == "Running")
    room.simulate("torn", scenario={"inline": TOWN}, suspend=True)
    room.reaches("Suspended", "torn")
    until(lambda: not (room.get("job", "torn-shards") or {}).get("status", {}).get("active"))
    room.simulate("torn", scenario={"inline": TOWN}, suspend=False)
    torn, calm = room.reaches("Complete", "torn"), room.reaches("Complete", "calm")
    assert torn["result"]["digest"] == calm["result"]["digest"]
    assert torn["result"]["members"] == 8


def test_an_operator_killed_again_and_again_completes_what_it_began(
    room: Room, operators: Operators, store: Store, worker_image: str
) -> None:
    worked(room, store)
    lot = random.Random(7)
    start = {"PARPOUR_WORKER_IMAGE": worker_image, "identity": "same-pod"}
    operator = operators(**start).wait_ready()
    room.simulate()
    for _ in range(5):
        time.sleep(lot.uniform(0.0, 0.4))
        operator.kill()
        operator = operators(**start).wait_ready()
    status = room.reaches("Complete")
    assert status["result"]["members"] == 8
    jobs = [write for write in room.stage.writes(room.name) if write.startswith("create jobs")]
    assert len(jobs) == 2, "a Job was created twice"


def test_a_standby_follows_a_killed_leader_and_nothing_is_doubled(room: Room, operators: Operators) -> None:
    leader = operators("a", **QUICK_LEASE).wait_ready()
    until(lambda: leader.leads)
    standby = operators("b", **QUICK_LEASE).wait_ready()
    assert not standby.leads
    leader.kill()
    room.simulate()
    until(lambda: standby.leads)
    until(lambda: room.get("job", "demo-shards"))
    assert len([write for write in room.stage.writes(room.name) if write.startswith("create jobs")]) == 1


def test_a_leader_that_is_told_to_stop_hands_over_at_once(room: Room, operators: Operators) -> None:
    leader = operators("a", PARPOUR_LEASE_SECONDS="90").wait_ready()
    until(lambda: leader.leads)
    standby = operators("b", PARPOUR_LEASE_SECONDS="90").wait_ready()
    assert leader.stop() == 0
    until(lambda: standby.leads, seconds=45)  # the Lease would be valid for twice as long
    assert "Traceback" not in leader.text()


def test_a_leader_whose_lease_is_taken_ends_and_writes_nothing(room: Room, operators: Operators) -> None:
    leader = operators("a", **QUICK_LEASE).wait_ready()
    until(lambda: leader.leads)
    patch = '{"spec":{"holderIdentity":"usurper","leaseDurationSeconds":3600}}'
    room.stage.kubectl("patch", "lease", room.name, "--namespace", room.stage.home, "--type=merge", "--patch", patch)
    assert leader.process is not None
    assert leader.process.wait(30) == 1
    room.simulate()
    time.sleep(2)
    assert room.stage.writes(room.name) == []


def test_the_time_to_live_takes_the_resource_and_its_children(
    room: Room, operators: Operators, store: Store, worker_image: str
) -> None:
    worked(room, store)
    operators(PARPOUR_WORKER_IMAGE=worker_image).wait_ready()
    room.simulate(ttlSecondsAfterFinished=3)
    room.gone("simulation", "demo")
    room.gone("job", "demo-shards")
    assert list(store.folder.glob(f"results/{room.name}/*/manifest.json")), "results are retained"


@pytest.mark.parametrize("cascade", ["background", "foreground"])
def test_deletion_policy_delete_erases_the_results(
    room: Room, operators: Operators, store: Store, worker_image: str, cascade: str
) -> None:
    worked(room, store)
    operators(PARPOUR_WORKER_IMAGE=worker_image).wait_ready()
    room.simulate(deletionPolicy="Delete", scenario={"inline": TOWN})
    until(lambda: list(store.folder.glob(f"results/{room.name}/*/run.json")))
    room.stage.kubectl(
        "delete", "simulation", "demo", "--namespace", room.name, f"--cascade={cascade}", "--timeout=200s"
    )
    room.gone("job", "demo-shards")
    assert [path for path in store.folder.glob(f"results/{room.name}/**/*") if path.is_file()] == []


def test_a_terminating_namespace_is_released_and_what_is_left_is_told(
    room: Room, operators: Operators, store: Store, worker_image: str
) -> None:
    worked(room, store)
    operators(PARPOUR_WORKER_IMAGE=worker_image).wait_ready()
    room.simulate(deletionPolicy="Delete")
    room.reaches("Complete")
    room.stage.kubectl("delete", "namespace", room.name, "--timeout=200s")


def test_deleting_a_running_simulation_takes_its_pods(
    room: Room, operators: Operators, store: Store, worker_image: str
) -> None:
    worked(room, store)
    operators(PARPOUR_WORKER_IMAGE=worker_image).wait_ready()
    room.simulate(scenario={"inline": TOWN})
    room.reaches("Running")
    room.stage.kubectl("delete", "simulation", "demo", "--namespace", room.name, "--timeout=200s")
    until(lambda: not room.stage.kubectl("get", "pods", "--namespace", room.name, "--output", "name").strip())


def test_times_are_whole_seconds_in_order(room: Room, operators: Operators) -> None:
    operators().wait_ready()
    room.simulate()
    start = until(lambda: room.status().get("startTime"))
    for condition in room.status()["conditions"]:
        moment = datetime.fromisoformat(condition["lastTransitionTime"])
        assert moment.microsecond == 0
        assert abs((moment - datetime.fromisoformat(start)).total_seconds()) < 60
