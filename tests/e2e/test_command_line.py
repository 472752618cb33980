"""`parpour` on a whole product: it watches a run, fetches its results out of the cluster, and finds nothing missing."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from harness.programs import PROGRAMS, parpour
from harness.release import SIMULATIONS, Release
from harness.simulations import LARGER, draft

pytestmark = pytest.mark.cluster

VIEWER = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: viewer}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: viewer}
rules: [{apiGroups: [parpour.dev], resources: [simulations], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: viewer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: viewer}
subjects: [{kind: ServiceAccount, name: viewer}]
"""
"""Someone who may see Simulations and nothing else."""


@pytest.fixture
def viewer(release: Release, tmp_path: Path) -> Path:
    """The kubeconfig of a user who may see Simulations and nothing else."""
    release.kubectl("apply", "--namespace", SIMULATIONS, "--filename", "-", stdin=VIEWER)
    document = yaml.safe_load(release.cluster.kubeconfig.read_text())
    token = release.kubectl("create", "token", "viewer", "--namespace", SIMULATIONS).strip()
    for user in document["users"]:
        user["user"] = {"token": token}
    file = tmp_path / "viewer.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def test_a_run_is_watched_to_its_end_and_its_results_verify_outside_the_cluster(
    release: Release, tmp_path: Path, viewer: Path
) -> None:
    release.apply(draft("watched", members=4, shards=2).manifest())
    watched = parpour(release, "sim", "watch", "watched", "--json")
    assert watched.returncode == 0, watched.stderr
    moments = [json.loads(line) for line in watched.stdout.splitlines()]
    assert (moments[-1]["state"], moments[-1]["percent"], len(moments[-1]["shards"])) == ("Complete", 100, 2)

    out, report = tmp_path / "out", tmp_path / "report.html"
    fetched = parpour(release, "sim", "results", "watched", "--json", "--download", str(out), "--report", str(report))
    assert fetched.returncode == 0, fetched.stderr
    assert json.loads(fetched.stdout)["digest"] == moments[-1]["digest"]
    assert moments[-1]["digest"] in report.read_text()
    verified = subprocess.run([PROGRAMS / "civlab", "verify", str(out), "--json"], capture_output=True, check=False)
    assert verified.returncode == 0, verified.stdout

    shown = parpour(release, "sim", "results", "watched")
    assert "Infectious persons by day" in shown.stdout
    assert "attack_rate" in shown.stdout
    lines = parpour(release, "sim", "logs", "watched", "--shard", "1").stdout.splitlines()
    assert lines
    assert all(line.startswith("watched-shards-1-") for line in lines)
    (row,) = [row for row in json.loads(parpour(release, "sim", "list", "--json").stdout) if row["name"] == "watched"]
    assert (row["scenario"], row["progress"], row["state"]) == ("A village", "100 %", "Complete")
    described = parpour(release, "sim", "describe", "watched").stdout
    assert moments[-1]["digest"] in described
    assert "Completed" in described

    seen = parpour(release, "sim", "results", "watched", kubeconfig=viewer)
    assert seen.returncode == 0
    assert "attack_rate" in seen.stdout
    assert "STORE_CREDENTIALS_MISSING" in seen.stderr
    assert parpour(release, "sim", "describe", "watched", kubeconfig=viewer).returncode == 0
    assert parpour(release, "sim", "watch", "watched", kubeconfig=viewer).returncode == 0
    assert "[API_FORBIDDEN]" in parpour(release, "sim", "logs", "watched", kubeconfig=viewer).stderr


def test_watching_ends_with_1_and_the_reason_when_a_run_is_refused(release: Release) -> None:
    release.apply(draft("misspelt", parameters={"disease.ro": "2"}).manifest())
    watched = parpour(release, "sim", "watch", "misspelt")
    assert watched.returncode == 1
    assert "disease.r0" in watched.stderr
    assert "[SIMULATION_REFUSED]" in watched.stderr


def test_watching_ends_with_1_and_the_reason_when_a_run_fails(release: Release) -> None:
    release.apply(draft("hurried", scenario=LARGER, activeDeadlineSeconds=1).manifest())
    watched = parpour(release, "sim", "watch", "hurried")
    assert watched.returncode == 1
    assert "[SIMULATION_FAILED]" in watched.stderr
    assert "Deadline" in watched.stderr
    results = parpour(release, "sim", "results", "hurried")
    assert "[SIMULATION_FAILED]" in results.stderr


def test_watching_ends_with_1_when_a_run_is_deleted(release: Release) -> None:
    release.apply(draft("fleeting", suspend=True).manifest())
    refused = parpour(release, "sim", "results", "fleeting")
    assert "[RESULT_NOT_YET]" in refused.stderr
    process = subprocess.Popen(
        [PROGRAMS / "parpour", "sim", "watch", "fleeting", "--json", "--namespace", SIMULATIONS],
        env=release.cluster.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["name"] == "fleeting"
        release.kubectl("delete", "simulation", "fleeting", "--namespace", SIMULATIONS)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "[SIMULATION_GONE]" in errors


def test_doctor_finds_nothing_missing(release: Release) -> None:
    answer = parpour(release, "doctor", "--json")
    findings = json.loads(answer.stdout)
    assert [finding for finding in findings if finding["outcome"] != "ok"] == []
    assert answer.returncode == 0
