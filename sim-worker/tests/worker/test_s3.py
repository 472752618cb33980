"""Worker processes on a real S3 server that refuses, goes away and comes back."""

from __future__ import annotations

import signal

import pytest

from parpour_contracts.exitcodes import ExitCode

from .conftest import Pods, S3Server

pytestmark = pytest.mark.cluster

PREFIX = "s3://bucket/results/default/run-1"


@pytest.fixture
def s3_pods(pods: Pods, s3_server: S3Server) -> Pods:
    """The run with its results on the S3 server."""
    remote = pods.elsewhere(PREFIX)
    remote.environment = s3_server.environment()
    return remote


def test_a_run_on_s3_has_the_digest_of_one_in_a_folder_and_can_be_erased(
    pods: Pods, s3_pods: Pods, s3_server: S3Server
) -> None:
    assert pods.run("shard")[0] == ExitCode.DONE
    assert s3_pods.run("shard")[0] == ExitCode.DONE
    assert s3_pods.digest() == pods.digest()
    bystander = s3_server.folder / "bucket" / "results" / "default" / "run-10"
    bystander.mkdir()
    (bystander / "run.json").write_text("another run")
    assert s3_pods.run("erase")[0] == ExitCode.DONE
    kept = [path.name for path in (s3_server.folder / "bucket").rglob("*") if path.is_file()]
    assert kept == ["run.json"]
    assert s3_pods.run("erase")[0] == ExitCode.DONE


def test_wrong_credentials_are_told_and_never_shown(s3_pods: Pods, s3_server: S3Server) -> None:
    s3_pods.environment = s3_server.environment(secret="wrong-secret-81b2")
    worker = s3_pods.start("shard")
    assert worker.end() == ExitCode.UNAVAILABLE, worker.text()
    assert worker.termination().code == "STORE_REFUSED"
    shown = worker.text() + worker.termination_file.read_text()
    assert "SignatureDoesNotMatch" in shown
    assert "wrong-secret-81b2" not in shown
    assert "worker-access" not in shown


def test_an_absent_bucket_is_told(s3_pods: Pods) -> None:
    code, word = s3_pods.elsewhere("s3://absent/run-1").run("shard")
    assert (code, word.code) == (ExitCode.UNAVAILABLE, "STORE_REFUSED")
    assert "s3://absent/run-1" in word.message


def test_an_outage_in_the_middle_is_ridden_out(s3_pods: Pods, s3_server: S3Server) -> None:
    worker = s3_pods.start("shard")
    worker.wait_for("checkpoint")
    s3_server.kill()
    s3_server.start()
    assert worker.end() == ExitCode.DONE, worker.text()
    assert s3_pods.run("collect")[0] == ExitCode.DONE


def test_a_store_that_stays_away_counts_as_a_failed_attempt(s3_pods: Pods, s3_server: S3Server) -> None:
    s3_server.kill()
    code, word = s3_pods.run("shard")
    assert (code, word.code) == (ExitCode.UNAVAILABLE, "STORE_UNREACHABLE")
    assert PREFIX in word.message


def test_a_pod_that_must_stop_while_the_store_is_away_ends_within_its_grace(s3_pods: Pods, s3_server: S3Server) -> None:
    worker = s3_pods.start("shard", CIVLAB_GRACE_SECONDS="2")
    worker.wait_for("checkpoint")
    s3_server.kill()
    worker.signal(signal.SIGTERM)
    assert worker.end() == ExitCode.STOPPED_WITH_WORK_LEFT, worker.text()
    assert worker.termination().code == "STOPPED_WITH_WORK_LEFT"
