"""The shape of what the operator creates."""

from __future__ import annotations

from typing import Any

import pytest

from parpour_operator.testing.lives import Life, spec

pytestmark = pytest.mark.unit


def shards(life: Life, **changes: Any) -> dict[str, Any]:
    key = life.cluster.apply(**spec(**changes))
    life.reconcile(key)
    return life.cluster.objects[("Job", "team", "demo-shards")]


def test_the_job_retries_counts_and_gives_up_as_the_exit_codes_say(life: Life) -> None:
    job = shards(life, retries=2)["spec"]
    assert (job["completionMode"], job["completions"], job["parallelism"]) == ("Indexed", 4, 4)
    assert (job["backoffLimitPerIndex"], job["maxFailedIndexes"], job["podReplacementPolicy"]) == (2, 0, "Failed")
    rules = job["podFailurePolicy"]["rules"]
    assert rules[0] == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert [(rule["action"], rule["onExitCodes"]["values"]) for rule in rules[1:]] == [
        ("FailJob", [64, 70]),
        ("Ignore", [75]),
    ]


def test_pods_are_restricted_and_have_no_token(life: Life) -> None:
    pod = shards(life)["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "parpour-worker"
    assert pod["restartPolicy"] == "Never"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [volume["name"] for volume in pod["volumes"]] == ["run", "scratch", "bus"]
    assert pod["volumes"][2]["secret"]["optional"] is True


def test_memory_is_limited_to_the_request_and_threads_follow_the_cores(life: Life) -> None:
    container = shards(life, resources={"requests": {"cpu": "1500m", "memory": "1Gi"}})["spec"]["template"]["spec"][
        "containers"
    ][0]
    assert container["resources"]["limits"] == {"memory": "1Gi"}
    assert {"name": "OMP_NUM_THREADS", "value": "2"} in container["env"]


def test_placement_reaches_the_pods(life: Life) -> None:
    toleration = {"key": "spot", "operator": "Exists", "effect": "NoSchedule"}
    job = shards(
        life,
        nodeSelector={"disk": "ssd"},
        tolerations=[toleration],
        priorityClassName="low",
        runtimeClassName="gvisor",
        activeDeadlineSeconds=60,
        parallelism=2,
    )["spec"]
    pod = job["template"]["spec"]
    assert (pod["nodeSelector"], pod["tolerations"]) == ({"disk": "ssd"}, [toleration])
    assert (pod["priorityClassName"], pod["runtimeClassName"]) == ("low", "gvisor")
    assert (job["activeDeadlineSeconds"], job["parallelism"]) == (60, 2)


def test_children_are_owned_and_labelled(life: Life) -> None:
    job = shards(life)
    simulation = life.cluster.find("Simulation", "demo")
    assert simulation is not None
    uid = simulation["metadata"]["uid"]
    owner = job["metadata"]["ownerReferences"][0]
    assert (owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == (uid, True, False)
    assert job["metadata"]["labels"]["parpour.dev/simulation-uid"] == uid
    assert job["spec"]["template"]["metadata"]["labels"]["parpour.dev/simulation"] == "demo"
