"""A Simulation's life as its user sees it, from `kubectl apply` to results and deletion."""

from __future__ import annotations

import pytest

from harness.deadlines import until
from harness.release import COUNTED, NAMESPACE, SIMULATIONS, Release, gone
from harness.simulations import (
    LARGER,
    Draft,
    complete,
    condition,
    draft,
    pods_of,
    read,
    shell_digest,
    wait_for,
    wait_for_ticks,
)

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def finished(release: Release) -> Draft:
    """A small Simulation that ran to its end, and was applied when nothing else went on."""
    one = draft("village", members=6, shards=3)
    release.apply(one.manifest())
    complete(release, one)
    return one


def test_the_digest_is_that_of_the_same_run_in_a_shell(release: Release, finished: Draft) -> None:
    result = read(release, finished)["status"]["result"]
    assert result["digest"] == shell_digest(finished)
    assert result["members"] == finished.spec["ensemble"]["members"]
    assert result["store"].startswith("s3://parpour/")


def test_a_finished_run_states_figures_times_image_and_full_progress(release: Release, finished: Draft) -> None:
    status = read(release, finished)["status"]
    assert {"mean", "low", "high", "name", "unit"} >= set(status["result"]["metrics"][0])
    assert status["startTime"] <= status["completionTime"]
    assert "civlab-worker" in status["workerImage"]
    assert status["progress"]["summary"] == "100 %"
    assert status["progress"]["ticksDone"] == status["progress"]["ticksTotal"] == 6 * 40
    assert status["progress"]["shards"]["succeeded"] == 3


def test_kubectl_get_shows_scenario_members_progress_state_and_age(release: Release, finished: Draft) -> None:
    table = release.kubectl("get", "sim", "--namespace", SIMULATIONS)
    header, *rows = table.splitlines()
    assert header.split() == ["NAME", "SCENARIO", "MEMBERS", "PROGRESS", "STATE", "AGE"]
    row = next(line for line in rows if line.startswith(finished.name))
    assert "A village" in row
    assert "100 %" in row
    assert "Complete" in row


def test_kubectl_describe_shows_conditions_and_events(release: Release, finished: Draft) -> None:
    text = release.kubectl("describe", "simulation", finished.name, "--namespace", SIMULATIONS)
    for word in ("Accepted", "Complete", "ResultsVerified", "members verified"):
        assert word in text
    assert release.events_of(finished.name)[-1] == "Completed"
    assert "Started" in release.events_of(finished.name)


def test_kubectl_explain_reads_well(release: Release) -> None:
    text = release.kubectl("explain", "simulation.spec.ensemble")
    assert "How many worlds are run, and how they differ" in text or "worlds" in text
    assert "members" in text
    assert "design" in text


def test_a_simulations_life_costs_at_most_ten_writes(release: Release) -> None:
    one = Draft("frugal", draft("x", members=4, shards=4).spec, namespace=COUNTED)
    since = release.audit_position()
    release.apply(one.manifest())
    complete(release, one)
    until(lambda: "Completed" in release.events_of(one.name, namespace=COUNTED), what="the last event")
    writes = [
        f"{entry['verb']} {entry['requestURI']}"
        for entry in release.audit(since=since)
        if entry["stage"] == "ResponseComplete"
        and entry["verb"] in {"create", "update", "patch", "delete"}
        and entry["user"]["username"].startswith(f"system:serviceaccount:{NAMESPACE}:")
        and f"/namespaces/{COUNTED}/" in entry["requestURI"]
        and "fieldManager=parpour-progress" not in entry["requestURI"]
    ]
    assert 0 < len(writes) <= 10, "\n".join(writes)


def test_the_digest_does_not_depend_on_the_shards(release: Release, finished: Draft) -> None:
    alone = Draft("one-shard", finished.with_spec(shards=1).spec)
    release.apply(alone.manifest())
    digest = complete(release, alone)["digest"]
    assert digest == read(release, finished)["status"]["result"]["digest"]


def test_a_suspended_run_stops_its_workers_and_goes_on_to_the_same_digest(release: Release) -> None:
    throttled = {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"cpu": "250m"}}
    one = draft("paused", scenario=LARGER, members=12, shards=1, checkpoint={"everyTicks": 20}, resources=throttled)
    release.apply(one.manifest())
    wait_for_ticks(release, one)
    release.kubectl(
        *("patch", "simulation", one.name, "--namespace", SIMULATIONS),
        *("--type", "merge", "--patch", '{"spec":{"suspend":true}}'),
    )
    wait_for(release, one, "Suspended")
    until(lambda: not pods_of(release, one, running=True) or None, what="no worker to run")
    assert read(release, one)["status"]["state"] == "Suspended"
    release.kubectl(
        *("patch", "simulation", one.name, "--namespace", SIMULATIONS),
        *("--type", "merge", "--patch", '{"spec":{"suspend":false}}'),
    )
    assert complete(release, one)["digest"] == shell_digest(one)
    assert {"Suspended", "Resumed", "Completed"} <= set(release.events_of(one.name))


def test_a_finished_run_is_deleted_after_its_time_to_live(release: Release) -> None:
    one = draft("short-lived", members=1, shards=1, ttlSecondsAfterFinished=3)
    release.apply(one.manifest())
    wait_for(release, one, "Complete")
    gone(release, "simulation", one.name, seconds=90)


def test_deleting_under_the_delete_policy_erases_the_stored_results(release: Release) -> None:
    kept = draft("kept", members=1, shards=1)
    erased = draft("erased", members=1, shards=1, deletionPolicy="Delete")
    release.apply(kept.manifest(), erased.manifest())
    prefixes = {one.name: complete(release, one)["store"] for one in (kept, erased)}
    assert stored(release, prefixes["erased"]) > 0
    release.kubectl("delete", "simulation", kept.name, erased.name, "--namespace", SIMULATIONS, "--timeout=60s")
    assert stored(release, prefixes["erased"]) == 0
    assert stored(release, prefixes["kept"]) > 0


def test_deleting_a_running_simulation_takes_its_workers_along(release: Release) -> None:
    one = draft("cut-short", scenario=LARGER, members=8, shards=1)
    release.apply(one.manifest())
    until(lambda: pods_of(release, one, running=True) or None, what="a worker to run")
    release.kubectl(
        "delete", "simulation", one.name, "--namespace", SIMULATIONS, "--cascade=foreground", "--timeout=60s"
    )
    until(lambda: not pods_of(release, one) or None, what="its pods to be gone", seconds=60)
    assert release.get("job", f"{one.name}-shards") is None


def test_a_namespace_with_results_to_erase_can_be_deleted(release: Release) -> None:
    release.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "doomed"}})
    one = Draft("suspended", draft("x", deletionPolicy="Delete", suspend=True).spec, namespace="doomed")
    release.apply(one.manifest())
    until(lambda: read(release, one)["metadata"].get("finalizers"), what="the finalizer")
    release.kubectl("delete", "namespace", "doomed", "--timeout=90s")


def test_a_field_that_was_accepted_cannot_change_once_started(release: Release, finished: Draft) -> None:
    message = release.refused(finished.with_spec(seed=12).manifest())
    assert "seed" in message
    assert condition(read(release, finished), "Complete")["status"] == "True"


def stored(release: Release, prefix: str) -> int:
    """How many objects stand below a prefix of the store, asked with the workers' own credentials."""
    script = (
        "import obstore, sys; store = obstore.store.from_url(sys.argv[1]);"
        "print(sum(len(batch) for batch in obstore.list(store)))"
    )
    return int(release.run_once("count-objects", command=["python", "-c", script, prefix], secret="parpour-store"))
