"""A Simulation's life through the planning loop, on a cluster in memory that may lose the operator at any write."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from parpour_contracts.messages import Termination
from parpour_operator.cluster import NotTaken
from parpour_operator.settings import Settings
from parpour_operator.steps import FINALIZER
from parpour_operator.testing.lives import SCENARIO, Life, spec
from parpour_operator.testing.memory import DIGEST, MemoryCluster

pytestmark = pytest.mark.unit

WRITE_BUDGET = 10
OURS = Settings(identity="test", worker_image="worker:test", store_url="s3://results")


def test_a_simulation_runs_to_its_verified_result(life: Life) -> None:
    key = life.cluster.apply(**spec())
    status = life.complete(key)
    assert status["state"] == "Complete"
    assert status["result"]["digest"] == DIGEST
    assert status["result"]["members"] == 8
    assert status["result"]["metrics"][0]["name"] == "attack_rate"
    assert status["progress"]["summary"] == "100 %"
    assert status["progress"]["shards"] == {"pending": 0, "active": 0, "succeeded": 4, "failed": 0}
    assert status["startTime"] < status["completionTime"]
    assert status["workerImage"].startswith("registry.example/")
    assert {c["type"]: c["status"] for c in status["conditions"]} == {
        "Accepted": "True",
        "Running": "False",
        "Complete": "True",
    }


def test_a_life_takes_no_more_writes_than_the_budget(life: Life) -> None:
    life.complete(life.cluster.apply(**spec()))
    assert len(life.cluster.writes) <= WRITE_BUDGET, life.cluster.writes


def test_the_run_document_is_an_immutable_snapshot(life: Life) -> None:
    key = life.cluster.apply(**spec(parameters={"disease.r0": "3"}, seed=7))
    life.reconcile(key)
    stored = life.cluster.find("ConfigMap", "demo-run")
    assert stored is not None
    assert stored["immutable"] is True
    document = json.loads(stored["data"]["run.json"])
    assert document["scenario"] == SCENARIO
    assert document["parameters"] == {"disease.r0": "3"}
    assert document["store"] == f"s3://results/team/{document['run']['uid']}"
    assert (document["shards"], document["ticks"], document["seed"]) == (4, 100, 7)


def test_reconciling_again_writes_nothing(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    life.cluster.set_job("demo-shards", active=4)
    before = list(life.cluster.writes)
    for _ in range(3):
        life.cluster.clock.advance(30)
        life.reconcile(key)
    assert life.cluster.writes == before


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("position", range(1, 13))
@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_a_crash_at_any_write_changes_nothing_in_the_end(moment: Any, position: int, policy: str) -> None:
    undisturbed, disturbed = Life(OURS), Life(OURS)
    expected = undisturbed.complete(undisturbed.cluster.apply(**spec(deletionPolicy=policy)))
    disturbed.cluster.crash_at = (position, moment)
    found = disturbed.complete(disturbed.cluster.apply(**spec(deletionPolicy=policy)))
    assert found == expected
    created = [write for write in disturbed.cluster.writes if write[0] == "create" and write[1] != "Event"]
    assert sorted(created) == sorted(set(created)), "a child was created twice"
    assert disturbed.cluster.names("Job") == ["demo-collect", "demo-shards"]


@pytest.mark.long
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    crashes=st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["before", "after"])), max_size=6),
    repeats=st.lists(st.integers(1, 3), min_size=4, max_size=4),
)
def test_many_crashes_and_repeats_converge_to_the_same_status(crashes: list[Any], repeats: list[int]) -> None:
    undisturbed, disturbed = Life(OURS), Life(OURS)
    expected = undisturbed.complete(undisturbed.cluster.apply(**spec()))
    pending = list(crashes)
    key = disturbed.cluster.apply(**spec())

    def reconcile(times: int) -> None:
        for _ in range(times):
            if disturbed.cluster.crash_at is None and pending:
                disturbed.cluster.crash_at = pending.pop()
            disturbed.reconcile(key)

    reconcile(repeats[0])
    for act, times in zip(
        (disturbed.run_shards, disturbed.finish_shards, disturbed.finish_collect), repeats[1:], strict=True
    ):
        disturbed.cluster.clock.advance(5)
        act(key)
        reconcile(times)
    assert disturbed.status(key) == expected


def test_a_deleted_job_is_created_again(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    del life.cluster.objects[("Job", "team", "demo-shards")]
    life.reconcile(key)
    assert life.cluster.names("Job") == ["demo-shards"]
    assert life.complete(key)["state"] == "Complete"


def test_a_foreign_object_of_the_same_name_is_never_adopted(life: Life) -> None:
    life.cluster.put_config_map("demo-run", {"run.json": "{}"})
    key = life.cluster.apply(**spec())
    outcome = life.reconcile(key)
    accepted = life.condition(key, "Accepted")
    assert accepted is not None
    assert (accepted["status"], accepted["reason"]) == ("False", "NameConflict")
    assert "demo-run" in accepted["message"]
    assert life.cluster.names("Job") == []
    assert outcome.requeue_after is not None
    life.cluster.objects.pop(("ConfigMap", "team", "demo-run"))
    assert life.complete(key)["state"] == "Complete"


def test_a_child_that_the_server_refuses_is_reported_and_tried_again(life: Life) -> None:
    life.cluster.rejecting = "exceeded quota: pods"
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    accepted = life.condition(key, "Accepted")
    assert accepted is not None
    assert accepted["reason"] == "ChildRefused"
    assert "exceeded quota" in accepted["message"]
    life.cluster.rejecting = ""
    assert life.complete(key)["state"] == "Complete"


def test_a_spec_edited_before_the_workers_exist_wins_over_the_snapshot(life: Life) -> None:
    life.cluster.rejecting = "not now"
    key = life.cluster.apply(**spec(seed=1))
    life.reconcile(key)
    life.cluster.rejecting = ""
    life.cluster.apply(**spec(seed=2))
    life.reconcile(key)
    stored = life.cluster.find("ConfigMap", "demo-run")
    assert stored is not None
    assert json.loads(stored["data"]["run.json"])["seed"] == 2


def test_suspend_stops_the_job_and_resume_starts_it(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    life.run_shards(key)
    life.reconcile(key)
    life.cluster.apply(**spec(suspend=True))
    life.reconcile(key)
    assert life.status(key)["state"] == "Suspended"
    assert life.cluster.objects[("Job", "team", "demo-shards")]["spec"]["suspend"] is True
    life.cluster.apply(**spec(suspend=False))
    life.reconcile(key)
    assert life.status(key)["state"] == "Pending"
    life.run_shards(key)
    life.reconcile(key)
    assert life.status(key)["state"] == "Running"
    reasons = [name for verb, kind, name in life.cluster.writes if kind == "Event"]
    assert reasons == ["Started", "Suspended", "Resumed", "Started"]


def test_a_queue_owns_suspend(life: Life) -> None:
    key = life.cluster.apply(**spec(queueName="gpu"))
    life.reconcile(key)
    job = life.cluster.objects[("Job", "team", "demo-shards")]
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "gpu"
    assert life.status(key)["state"] == "Suspended"
    job["spec"]["suspend"] = False
    life.complete(key)
    assert ("patch", "Job", "demo-shards") not in life.cluster.writes


def test_a_time_to_live_deletes_the_simulation(life: Life) -> None:
    key = life.cluster.apply(**spec(ttlSecondsAfterFinished=60))
    life.complete(key)
    assert life.reconcile(key).requeue_after == pytest.approx(60)
    life.cluster.clock.advance(61)
    life.reconcile(key)
    assert life.cluster.find("Simulation", "demo") is None
    assert life.cluster.names("Job") == []


def test_a_finished_simulation_is_left_alone(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.complete(key)
    writes, reads = len(life.cluster.writes), life.cluster.reads
    outcome = life.reconcile(key)
    assert outcome.requeue_after is None
    assert (len(life.cluster.writes), life.cluster.reads) == (writes, reads + 1)


# failure


def fail(life: Life, **pod: Any) -> dict[str, Any]:
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    if pod:
        life.cluster.put_pod("demo-shards", **pod)
    life.cluster.end_job("demo-shards", "Failed", reason=pod.pop("reason", "FailedIndexes"), failedIndexes="2")
    life.reconcile(key)
    status = life.status(key)
    assert status["state"] == "Failed"
    failed = life.condition(key, "Failed")
    assert failed is not None
    return dict(failed)


def test_a_bad_spec_found_by_a_worker_is_the_reason_of_the_failure(life: Life) -> None:
    said = Termination(code="SCENARIO_OUT_OF_RANGE", message="disease.r0: 40 is above 30")
    failed = fail(life, index=2, exit_code=64, said=said)
    assert failed["reason"] == "ScenarioOutOfRange"
    assert "disease.r0: 40 is above 30 (shard 2)" in failed["message"]


def test_exhausted_retries_name_the_shard_and_its_last_words(life: Life) -> None:
    said = Termination(code="STORE_REFUSED", message="s3://results: access denied")
    failed = fail(life, index=2, exit_code=69, said=said)
    assert failed["reason"] == "RetriesExhausted"
    assert "shard 2 failed 1 times" in failed["message"]
    assert "access denied" in failed["message"]


def test_a_worker_killed_for_memory_says_so(life: Life) -> None:
    failed = fail(life, index=2, exit_code=137, exit_reason="OOMKilled")
    assert failed["reason"] == "OutOfMemory"
    assert "spec.resources.requests.memory" in failed["message"]


def test_a_worker_killed_at_its_own_limit_is_told_to_raise_that(life: Life) -> None:
    key = life.cluster.apply(**spec(resources={"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}}))
    life.reconcile(key)
    life.cluster.put_pod("demo-shards", index=0, exit_code=137, exit_reason="OOMKilled")
    life.cluster.end_job("demo-shards", "Failed", reason="FailedIndexes", failedIndexes="0")
    life.reconcile(key)
    failed = life.condition(key, "Failed")
    assert failed is not None
    assert "raise spec.resources.limits.memory" in failed["message"]


def test_a_hostile_termination_code_cannot_break_the_condition(life: Life) -> None:
    failed = fail(life, index=2, exit_code=64, said=Termination(code="<script> _ %", message="x"))
    assert failed["reason"] == "WorkerFailed"


def test_a_deadline_is_named(life: Life) -> None:
    key = life.cluster.apply(**spec(activeDeadlineSeconds=10))
    life.reconcile(key)
    life.cluster.end_job("demo-shards", "Failed", reason="DeadlineExceeded")
    life.reconcile(key)
    failed = life.condition(key, "Failed")
    assert failed is not None
    assert failed["reason"] == "DeadlineExceeded"


def test_waiting_pods_are_explained(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    life.cluster.put_pod("demo-shards", index=0, waiting="CreateContainerConfigError")
    outcome = life.reconcile(key)
    running = life.condition(key, "Running")
    assert running is not None
    assert (running["status"], running["reason"]) == ("False", "WorkersWaiting")
    assert "CreateContainerConfigError" in running["message"]
    assert outcome.requeue_after is not None


def test_a_job_that_gets_no_pods_is_explained(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    life.cluster.clock.advance(11)
    life.reconcile(key)
    running = life.condition(key, "Running")
    assert running is not None
    assert "ServiceAccount parpour-worker" in running["message"]


def test_pods_that_are_replaced_are_given_time_before_their_absence_is_blamed(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    life.run_shards(key)
    life.reconcile(key)
    life.cluster.clock.advance(600)
    life.cluster.set_job("demo-shards", active=0, ready=0)
    reasons = []
    for _ in range(2):
        life.reconcile(key)
        running = life.condition(key, "Running")
        assert running is not None
        reasons.append(running["reason"])
        life.cluster.clock.advance(11)
    assert reasons == ["WorkersStarting", "WorkersWaiting"]


def test_a_shard_that_cannot_start_is_explained_after_others_have_succeeded(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    life.run_shards(key)
    life.reconcile(key)
    life.cluster.put_pod("demo-shards", index=1, waiting="ImagePullBackOff")
    life.cluster.set_job("demo-shards", active=1, ready=0, succeeded=1)
    outcome = life.reconcile(key)
    running = life.condition(key, "Running")
    assert running is not None
    assert "ImagePullBackOff" in running["message"]
    assert outcome.requeue_after is not None


def test_a_beat_that_was_kept_waiting_does_not_follow_the_last_figures(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.complete(key)
    uid = life.cluster.objects[("Simulation", key.namespace, key.name)]["metadata"]["uid"]

    async def late_beat() -> bool:
        async with life.reconciler.board.turn(uid) as beats:
            return beats

    assert asyncio.run(late_beat()) is False
    assert life.status(key)["progress"]["summary"] == "100 %"


def test_a_lost_collect_pod_is_collected_again(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    life.finish_shards(key)
    life.reconcile(key)
    life.cluster.end_job("demo-collect", "Complete", succeeded=1)
    life.reconcile(key)
    life.reconcile(key)
    life.finish_collect(key)
    life.reconcile(key)
    assert life.status(key)["state"] == "Complete"


def test_a_failed_collection_fails_the_simulation(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    life.finish_shards(key)
    life.reconcile(key)
    said = Termination(code="MANIFEST_DAMAGED", message="shards/1.json: digest differs")
    life.cluster.put_pod("demo-collect", exit_code=70, said=said)
    life.cluster.end_job("demo-collect", "Failed", reason="PodFailurePolicy")
    life.reconcile(key)
    failed = life.condition(key, "Failed")
    assert failed is not None
    assert failed["reason"] == "ManifestDamaged"


@pytest.mark.parametrize(
    "end",
    [
        {"exit_code": 137, "exit_reason": "OOMKilled"},
        {"exit_code": 69, "said": Termination(code="OUT_OF_MEMORY", message="raise spec.resources.requests.memory")},
    ],
)
def test_a_collecting_pod_without_memory_names_the_field_that_matters(life: Life, end: dict[str, Any]) -> None:
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    life.finish_shards(key)
    life.reconcile(key)
    life.cluster.put_pod("demo-collect", **end)
    life.cluster.end_job("demo-collect", "Failed", reason="BackoffLimitExceeded")
    life.reconcile(key)
    failed = life.condition(key, "Failed")
    assert failed is not None
    assert failed["reason"] == "OutOfMemory"
    assert "its limit is 1Gi" in failed["message"]
    assert "spec.ensemble.members" in failed["message"]
    assert "requests" not in failed["message"]


# deletion


def deleting(life: Life) -> Any:
    key = life.cluster.apply(**spec(deletionPolicy="Delete"))
    life.reconcile(key)
    simulation = life.cluster.find("Simulation", "demo")
    assert simulation is not None
    assert simulation["metadata"]["finalizers"] == [FINALIZER]
    return key


def test_results_are_kept_without_a_finalizer(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.complete(key)
    life.cluster.delete(key)
    assert life.cluster.find("Simulation", "demo") is None


def test_deletion_stops_the_workers_before_it_erases(life: Life) -> None:
    key = deleting(life)
    life.run_shards(key)
    life.cluster.delete(key)
    life.reconcile(key)
    assert life.cluster.names("Job") == []
    life.reconcile(key)
    assert life.cluster.names("Job") == ["demo-erase"]
    erase = life.cluster.objects[("Job", "team", "demo-erase")]
    assert "ownerReferences" not in erase["metadata"]
    life.cluster.end_job("demo-erase", "Complete", succeeded=1)
    life.reconcile(key)
    assert life.cluster.find("Simulation", "demo") is None


def test_a_terminating_namespace_releases_the_finalizer_and_tells_what_is_left(life: Life) -> None:
    key = deleting(life)
    life.complete(key)
    life.cluster.delete(key)
    life.cluster.terminating = True
    life.reconcile(key)
    assert life.cluster.find("Simulation", "demo") is None
    events = [raw for (kind, _, _), raw in life.cluster.objects.items() if kind == "Event"]
    told = next(raw for raw in events if raw["reason"] == "ResultsLeftBehind")
    assert told["metadata"]["namespace"] == "default"
    assert "s3://results/team/" in told["message"]


def test_a_namespace_that_lost_our_roles_first_is_released_too(life: Life) -> None:
    key = deleting(life)
    life.complete(key)
    life.cluster.delete(key)
    life.cluster.roleless = True
    with pytest.raises(NotTaken):
        life.reconcile(key)
    assert life.cluster.find("Simulation", "demo") is not None
    life.cluster.terminating = True
    life.reconcile(key)
    assert life.cluster.find("Simulation", "demo") is None


def erasing(life: Life, **changes: Any) -> Any:
    """A Simulation that ended and is deleted, with its erase Job."""
    key = life.cluster.apply(**spec(deletionPolicy="Delete", **changes))
    life.complete(key)
    life.cluster.delete(key)
    life.reconcile(key)
    assert "demo-erase" in life.cluster.names("Job")
    return key


def not_erased(life: Life, key: Any) -> dict[str, Any]:
    erased = life.condition(key, "Erased")
    assert erased is not None
    assert erased["status"] == "False"
    assert erased["message"].endswith("it is tried again. To keep them, set spec.deletionPolicy to Retain")
    assert "activeDeadlineSeconds" not in erased["message"]
    assert ("create", "Event", erased["reason"]) in life.cluster.writes
    return erased


def test_a_failed_attempt_to_erase_is_told_at_once_and_once(life: Life) -> None:
    key = erasing(life)
    assert life.condition(key, "Erased") is None
    said = Termination(code="STORE_REFUSED", message="s3://results: access denied")
    life.cluster.put_pod("demo-erase", exit_code=69, said=said)
    life.cluster.set_job("demo-erase", failed=1)
    outcome = life.reconcile(key)
    assert outcome.requeue_after is not None
    assert outcome.requeue_after <= 5
    erased = not_erased(life, key)
    assert erased["reason"] == "EraseFailed"
    assert "STORE_REFUSED: s3://results: access denied" in erased["message"]
    assert "Secret 'parpour-store'" in erased["message"]
    before = list(life.cluster.writes)
    life.cluster.put_pod("demo-erase")
    life.cluster.set_job("demo-erase", active=1, ready=1)
    life.reconcile(key)
    assert life.cluster.writes == before
    life.cluster.end_job("demo-erase", "Complete", succeeded=1)
    life.reconcile(key)
    assert life.cluster.find("Simulation", "demo") is None


def test_an_erase_pod_that_cannot_start_is_explained(life: Life) -> None:
    key = erasing(life)
    life.cluster.put_pod("demo-erase", waiting="CreateContainerConfigError")
    life.cluster.set_job("demo-erase", active=1)
    life.reconcile(key)
    erased = not_erased(life, key)
    assert erased["reason"] == "EraseWaiting"
    assert "CreateContainerConfigError" in erased["message"]


def test_an_erase_job_that_gets_no_pod_is_explained(life: Life) -> None:
    key = erasing(life)
    life.cluster.clock.advance(11)
    life.reconcile(key)
    erased = not_erased(life, key)
    assert erased["reason"] == "EraseWaiting"
    assert "ServiceAccount parpour-worker" in erased["message"]


def test_an_erasure_out_of_time_blames_what_failed_and_no_field_of_the_spec(life: Life) -> None:
    output = {"url": "s3://mine", "secretName": "my-store"}
    key = erasing(life, activeDeadlineSeconds=3600, output=output)
    said = Termination(code="STORE_UNREACHABLE", message="the store did not answer")
    for _ in range(2):
        life.cluster.put_pod("demo-erase", exit_code=69, said=said)
    life.cluster.end_job("demo-erase", "Failed", reason="DeadlineExceeded")
    life.reconcile(key)
    message = not_erased(life, key)["message"]
    assert "2 pods failed" in message
    assert "STORE_UNREACHABLE: the store did not answer" in message
    assert "Secret 'my-store'" in message


def test_an_erasure_that_hangs_until_its_time_is_over_says_so(life: Life) -> None:
    key = erasing(life)
    life.cluster.end_job("demo-erase", "Failed", reason="DeadlineExceeded")
    life.reconcile(key)
    assert "did not end in 600 s" in not_erased(life, key)["message"]


def test_an_erase_pod_without_memory_is_told_that_no_field_helps(life: Life) -> None:
    key = erasing(life)
    life.cluster.put_pod("demo-erase", exit_code=137, exit_reason="OOMKilled")
    life.reconcile(key)
    message = not_erased(life, key)["message"]
    assert "its limit is 1Gi, whatever spec.resources says" in message
    assert "raise" not in message


def test_a_long_cause_does_not_cut_the_remedy_off(life: Life) -> None:
    key = erasing(life)
    life.cluster.put_pod("demo-erase", exit_code=69, said=Termination(code="STORE_REFUSED", message="no " * 900))
    life.reconcile(key)
    assert "Secret 'parpour-store'" in not_erased(life, key)["message"]


def test_a_failed_erasure_is_tried_again_and_retain_releases_it(life: Life) -> None:
    key = erasing(life)
    first = life.cluster.objects[("Job", "team", "demo-erase")]
    life.cluster.end_job("demo-erase", "Failed", reason="BackoffLimitExceeded")
    outcome = life.reconcile(key)
    assert not_erased(life, key)["reason"] == "EraseFailed"
    assert outcome.requeue_after == pytest.approx(30)
    assert life.cluster.find("Job", "demo-erase") == first
    life.cluster.clock.advance(30)
    for _ in range(2):
        life.reconcile(key)
    again = life.cluster.find("Job", "demo-erase")
    assert again is not None
    assert again["metadata"]["uid"] != first["metadata"]["uid"]
    life.cluster.apply(**spec(deletionPolicy="Retain"))
    life.reconcile(key)
    assert life.cluster.find("Simulation", "demo") is None


def test_an_erasure_that_failed_unseen_is_told_before_its_job_goes(life: Life) -> None:
    key = erasing(life)
    life.cluster.end_job("demo-erase", "Failed", reason="BackoffLimitExceeded")
    life.cluster.clock.advance(600)
    life.reconcile(key)
    assert not_erased(life, key)["reason"] == "EraseFailed"
    assert "demo-erase" in life.cluster.names("Job")
    life.reconcile(key)
    assert "demo-erase" not in life.cluster.names("Job")


def test_a_refused_erase_job_is_told_once_and_tried_again(life: Life) -> None:
    key = deleting(life)
    life.complete(key)
    life.cluster.delete(key)
    life.cluster.rejecting = "exceeded quota: pods"
    for _ in range(3):
        assert life.reconcile(key).requeue_after is not None
        life.cluster.clock.advance(30)
    assert "exceeded quota" in not_erased(life, key)["message"]
    assert life.cluster.writes.count(("create", "Event", "EraseFailed")) == 1
    life.cluster.rejecting = ""
    life.reconcile(key)
    assert "demo-erase" in life.cluster.names("Job")


def test_a_foreign_config_map_does_not_hinder_erasing(life: Life) -> None:
    key = deleting(life)
    life.complete(key)
    life.cluster.put_config_map("demo-run", {"run.json": "{}"})
    life.cluster.delete(key)
    life.reconcile(key)
    assert "demo-erase" in life.cluster.names("Job")
    life.cluster.end_job("demo-erase", "Complete", succeeded=1)
    life.reconcile(key)
    assert life.cluster.find("Simulation", "demo") is None
    assert life.cluster.find("ConfigMap", "demo-run") is not None


def test_a_foreign_job_of_the_erase_jobs_name_hinders_erasing(life: Life) -> None:
    key = deleting(life)
    life.complete(key)
    meta = {"name": "demo-erase", "namespace": "team"}
    asyncio.run(life.cluster.create({"kind": "Job", "metadata": meta, "spec": {}}))
    life.cluster.delete(key)
    assert life.reconcile(key).requeue_after is not None
    assert ("create", "Event", "EraseFailed") in life.cluster.writes
    life.cluster.objects.pop(("Job", "team", "demo-erase"))
    life.reconcile(key)
    life.cluster.end_job("demo-erase", "Complete", succeeded=1)
    life.reconcile(key)
    assert life.cluster.find("Simulation", "demo") is None


def moved(life: Life) -> Life:
    """The operator after its default store was changed."""
    return Life(OURS.model_copy(update={"store_url": "s3://elsewhere"}), cluster=life.cluster)


def erased_address(life: Life) -> str:
    template = life.cluster.objects[("Job", "team", "demo-erase")]["spec"]["template"]
    return str(json.loads(template["metadata"]["annotations"]["parpour.dev/run"])["store"])


@pytest.mark.parametrize("left", ["run document", "result", "status"])
def test_results_are_erased_where_they_were_written_whatever_the_default_store_is_now(life: Life, left: str) -> None:
    key = deleting(life)
    status = life.complete(key) if left != "status" else life.status(key)
    uid = life.cluster.objects[("Simulation", *key)]["metadata"]["uid"]
    if left != "run document":
        del life.cluster.objects[("ConfigMap", "team", "demo-run")]
    if left == "result":
        del status["store"]
        life.cluster.objects[("Simulation", *key)]["status"] = status
    life.cluster.delete(key)
    later = moved(life)
    for _ in range(3):
        later.reconcile(key)
    assert erased_address(life) == f"s3://results/team/{uid}"
    assert later.cluster.find("Simulation", "demo") is not None


def test_a_run_that_never_started_is_erased_where_it_would_have_been_written(life: Life) -> None:
    life.cluster.rejecting = "not now"
    key = deleting(life)
    del life.cluster.objects[("ConfigMap", "team", "demo-run")]
    life.cluster.delete(key)
    life.cluster.rejecting = ""
    later = moved(life)
    later.reconcile(key)
    assert erased_address(life).startswith("s3://elsewhere/team/")


@pytest.mark.parametrize(("output", "known"), [(None, False), ({"url": "s3://mine", "secretName": "x"}, True)])
def test_where_nothing_says_where_results_are_they_are_left_and_told(life: Life, output: Any, known: bool) -> None:
    key = life.cluster.apply(**spec(deletionPolicy="Delete", output=output))
    life.reconcile(key)
    del life.cluster.objects[("ConfigMap", "team", "demo-run")]
    del life.cluster.objects[("Job", "team", "demo-shards")]
    simulation = life.cluster.objects[("Simulation", *key)]
    uid = simulation["metadata"]["uid"]
    del simulation["status"]["store"]  # an older operator started it
    life.cluster.delete(key)
    moved(life).reconcile(key)
    if known:
        assert erased_address(life) == f"s3://mine/team/{uid}"
        return
    assert life.cluster.names("Job") == []
    assert life.cluster.find("Simulation", "demo") is None
    events = [raw for (kind, _, _), raw in life.cluster.objects.items() if kind == "Event"]
    told = next(raw for raw in events if raw["reason"] == "ResultsLeftBehind")
    assert told["metadata"]["namespace"] == "team"
    assert f"team/{uid}" in told["message"]


def test_a_lost_run_document_is_written_again_with_the_store_of_the_start(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    before = life.cluster.objects.pop(("ConfigMap", "team", "demo-run"))["data"]
    moved(life).reconcile(key)
    assert life.cluster.objects[("ConfigMap", "team", "demo-run")]["data"] == before


def test_the_deletion_policy_may_change_after_the_end(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.complete(key)
    life.cluster.apply(**spec(deletionPolicy="Delete"))
    life.reconcile(key)
    simulation = life.cluster.find("Simulation", "demo")
    assert simulation is not None
    assert simulation["metadata"]["finalizers"] == [FINALIZER]
    assert simulation["status"]["observedGeneration"] == 2


def test_a_successor_of_the_same_name_waits_for_the_old_children_to_go(life: Life) -> None:
    key = life.cluster.apply(**spec())
    life.complete(key)
    leftovers = {place: raw for place, raw in life.cluster.objects.items() if place[0] in ("Job", "ConfigMap")}
    life.cluster.delete(key)
    life.cluster.objects.update(leftovers)
    life.cluster.apply(**spec(seed=9))
    outcome = life.reconcile(key)
    assert outcome.requeue_after is not None
    assert life.status(key) == {}
    for place in leftovers:
        del life.cluster.objects[place]
    assert life.complete(key)["state"] == "Complete"


def test_the_double_counts_every_write() -> None:
    assert MemoryCluster().writes == []
