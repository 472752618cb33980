"""A civilisation as a Simulation: the published example, smaller, on the cluster and in a shell, to the same digest."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from civlab.models import results_of
from harness.deadlines import until
from harness.programs import PROGRAMS, parpour
from harness.release import ROOT, SIMULATIONS, Object, Release
from harness.simulations import Draft, complete, condition, logs_of, read, shell_run, wait_for_ticks
from harness.strikes import first_ticks, kill_process, successor_of

pytestmark = pytest.mark.cluster

EXAMPLE = ROOT / "examples" / "two-nations-simulation.yaml"
SCENARIO = ROOT / "examples" / "two-nations.yaml"
MEMBERS, TICKS = 32, 104


def smaller(name: str, **changes: Any) -> Draft:
    """The example with a fifth of its citizens, for two of its ten years."""
    spec = yaml.safe_load(EXAMPLE.read_text())["spec"]
    size = {"parameters": {"population.size": "20000"}, "ticks": TICKS, "checkpoint": {"everyTicks": 13}}
    return Draft(name, {**spec, **size, **changes})


@pytest.fixture(scope="module")
def in_a_shell() -> Object:
    """What `civlab run` says of the same run of the scenario's file, on this machine."""
    return shell_run(smaller("x"), scenario=SCENARIO)


@pytest.fixture(scope="module")
def nations(release: Release) -> Draft:
    """The example, run to its end."""
    one = smaller("nations")
    release.apply(one.manifest())
    complete(release, one)
    return one


def test_the_cluster_and_a_shell_come_to_the_same_digest_and_figures(
    release: Release, nations: Draft, in_a_shell: Object
) -> None:
    result = read(release, nations)["status"]["result"]
    assert result["digest"] == in_a_shell["digest"]
    assert result["members"] == MEMBERS
    assert [one["name"] for one in result["metrics"]] == [one.name for one in results_of("civilisation").headlines]
    for one in result["metrics"]:
        stated = {"unit": one.get("unit", ""), **{key: float(one[key]) for key in ("mean", "low", "high")}}
        assert stated == in_a_shell["metrics"][one["name"]]


def test_a_finished_civilisation_states_full_progress_and_its_conditions(release: Release, nations: Draft) -> None:
    found = read(release, nations)
    status = found["status"]
    assert (status["state"], status["scenario"], status["shards"]) == ("Complete", "two-nations", 4)
    assert status["progress"]["summary"] == "100 %"
    assert status["progress"]["ticksDone"] == status["progress"]["ticksTotal"] == MEMBERS * TICKS
    assert status["progress"]["shards"]["succeeded"] == 4
    assert condition(found, "Accepted")["status"] == "True"
    assert condition(found, "Complete")["reason"] == "ResultsVerified"
    assert condition(found, "Failed").get("status") != "True"


def test_fetched_results_verify_and_are_shown_with_a_curve_and_a_report(
    release: Release, nations: Draft, tmp_path: Path
) -> None:
    out, report = tmp_path / "out", tmp_path / "report.html"
    fetched = parpour(
        release, "sim", "results", nations.name, "--json", "--download", str(out), "--report", str(report)
    )
    assert fetched.returncode == 0, fetched.stderr
    digest = json.loads(fetched.stdout)["digest"]
    assert digest in report.read_text()
    verified = subprocess.run(
        [PROGRAMS / "civlab", "verify", out, "--members", "8"], capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    shown = parpour(release, "sim", "results", nations.name)
    assert shown.returncode == 0
    assert "no plot" not in shown.stderr
    for word in (digest, "unemployment", "public_debt", "warming"):
        assert word in shown.stdout


def test_a_worker_killed_in_the_middle_changes_nothing(release: Release, in_a_shell: Object) -> None:
    text = {"scenario.yaml": SCENARIO.read_text()}
    name = {"name": "two-nations", "namespace": SIMULATIONS}
    throttled = {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"cpu": "250m"}}
    one = smaller("struck-nations", scenario={"configMap": {"name": "two-nations"}}, shards=2, resources=throttled)
    release.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": text}, one.manifest())

    struck = wait_for_ticks(release, one)
    kill_process(release, struck)
    successor = until(lambda: successor_of(release, one, struck), what="a new pod for the lost shard", seconds=90)
    assert complete(release, one, seconds=180)["digest"] == in_a_shell["digest"]
    assert first_ticks(logs_of(release, successor)) > 0, "the new pod should go on from the checkpoint"
