"""Worker processes that are stopped, killed, doubled and cut off, on one run: the digest must not notice."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from civlab.errors import CivlabError
from civlab.worker.ending import failed
from civlab.worker.surroundings import read_surroundings
from civlab.worker.work import run_one_shard
from parpour_contracts.exitcodes import ExitCode
from parpour_contracts.run import WORKER_BASE_MEMORY

from .conftest import NatsServer, Pods

pytestmark = pytest.mark.kernel

DIGESTS: dict[str, str] = {}


@pytest.fixture
def undisturbed(pods: Pods) -> str:
    """Digest of the run when nothing happens to it; computed once."""
    if "run" not in DIGESTS:
        calm = pods.elsewhere(f"{pods.folder}/calm/run-1")
        assert calm.run("shard")[0] == ExitCode.DONE
        DIGESTS["run"] = calm.digest()
    return DIGESTS["run"]


@pytest.mark.long
def test_a_pod_told_to_stop_checkpoints_and_the_next_one_finishes(pods: Pods, undisturbed: str) -> None:
    first = pods.start("shard")
    first.wait_for("checkpoint")
    first.signal(signal.SIGTERM)
    first.signal(signal.SIGTERM)
    assert first.end() == ExitCode.STOPPED_WITH_WORK_LEFT
    assert first.termination().code == "STOPPED_WITH_WORK_LEFT"
    assert "ticks left" in first.termination().message
    second = pods.start("shard")
    assert second.end() == ExitCode.DONE
    assert " 0 of 360 ticks" not in second.text()
    assert pods.digest() == undisturbed


def test_a_killed_pod_is_resumed_from_its_checkpoint(pods: Pods, undisturbed: str) -> None:
    first = pods.start("shard")
    first.wait_for("checkpoint")
    first.signal(signal.SIGKILL)
    assert first.end() == -signal.SIGKILL
    second = pods.start("shard")
    assert second.end() == ExitCode.DONE
    assert " 0 of 360 ticks" not in second.text()
    assert pods.digest() == undisturbed


@pytest.mark.long
def test_two_pods_on_one_shard_agree(pods: Pods, undisturbed: str) -> None:
    zombie, heir = pods.start("shard"), pods.start("shard")
    assert (zombie.end(), heir.end()) == (ExitCode.DONE, ExitCode.DONE), zombie.text() + heir.text()
    assert pods.digest() == undisturbed


@pytest.mark.long
def test_a_zombie_that_wakes_up_after_its_heir_has_finished_changes_nothing(pods: Pods, undisturbed: str) -> None:
    zombie = pods.start("shard")
    zombie.wait_for("checkpoint")
    zombie.signal(signal.SIGSTOP)
    heir = pods.start("shard")
    assert heir.end() == ExitCode.DONE
    digest = pods.digest()
    zombie.signal(signal.SIGCONT)
    assert zombie.end() == ExitCode.DONE, zombie.text()
    assert pods.digest() == digest == undisturbed


@pytest.mark.long
def test_the_bus_may_die_in_the_middle(pods: Pods, nats_server: NatsServer, undisturbed: str) -> None:
    bus = nats_server.mounted(pods.folder / "bus")
    worker = pods.start("shard", CIVLAB_BUS=str(bus))
    worker.wait_for("checkpoint")
    nats_server.kill()
    assert worker.end() == ExitCode.DONE
    assert pods.digest() == undisturbed


def test_progress_reaches_the_bus_from_start_to_end(pods: Pods, nats_server: NatsServer) -> None:
    bus = nats_server.mounted(pods.folder / "bus")
    assert pods.run("shard", CIVLAB_BUS=str(bus))[0] == ExitCode.DONE
    last = nats_server.last("platform.progress.run-1.0")
    assert last is not None
    assert (last.state, last.members_done, last.ticks_done, last.ticks_total) == ("Done", 2, 360, 360)
    assert nats_server.messages() > 2


@pytest.mark.long
def test_shards_may_be_cut_otherwise(pods: Pods, undisturbed: str) -> None:
    two = pods.elsewhere(f"{pods.folder}/two/run-1")
    two.document = two.document.model_copy(update={"shards": 2})
    assert [two.run("shard", index=index)[0] for index in (1, 0)] == [ExitCode.DONE, ExitCode.DONE]
    assert two.digest() == undisturbed


def test_collecting_states_members_and_headline_figures(pods: Pods, undisturbed: str) -> None:
    assert pods.run("shard")[0] == ExitCode.DONE
    code, word = pods.run("collect")
    assert (code, word.code, word.members, word.digest) == (ExitCode.DONE, "DONE", 2, undisturbed)
    figures = {metric.name: metric for metric in word.metrics}
    assert float(figures["attack_rate"].low) <= float(figures["attack_rate"].mean) <= 1


def test_collecting_too_early_counts_as_a_failed_attempt(pods: Pods) -> None:
    code, word = pods.run("collect")
    assert (code, word.code) == (ExitCode.UNAVAILABLE, "RUN_NOT_COMPLETE")


@pytest.mark.long
def test_erasing_leaves_nothing_and_may_be_repeated(pods: Pods) -> None:
    assert pods.run("shard")[0] == ExitCode.DONE
    brief = pods.document.model_copy(update={"scenario": "", "parameters": {}})
    pods.document = brief
    assert pods.run("erase")[0] == ExitCode.DONE
    assert not [path for path in (pods.folder / "store").rglob("*") if path.is_file()]
    assert pods.run("erase")[0] == ExitCode.DONE


def test_a_prefix_that_others_may_share_is_not_erased(pods: Pods) -> None:
    bystander = pods.folder / "store" / "run-2"
    bystander.mkdir(parents=True)
    (bystander / "run.json").write_text("another run")
    code, word = pods.elsewhere(str(pods.folder / "store")).run("erase")
    assert (code, word.code) == (ExitCode.BAD_SPEC, "STORE_ADDRESS_WRONG")
    assert (bystander / "run.json").exists()


def test_a_store_that_cannot_be_written_is_told_by_its_cause(pods: Pods) -> None:
    (pods.folder / "file").write_text("in the way")
    code, word = pods.elsewhere(str(pods.folder / "file" / "store")).run("shard")
    assert (code, word.code) == (ExitCode.UNAVAILABLE, "STORE_REFUSED")
    assert str(pods.folder / "file") in word.message


@pytest.mark.parametrize(
    ("change", "code", "names"),
    [
        ({"scenario": "model: [epidemic"}, "SCENARIO_MALFORMED", "YAML"),
        ({"parameters": {"disease.ro": "2"}}, "SCENARIO_UNKNOWN_PARAMETER", "disease.r0"),
        ({"parameters": {"population.size": "400000000"}}, "SCENARIO_OUT_OF_RANGE", "population.size"),
        ({"store": "ftp://somewhere/else"}, "STORE_ADDRESS_WRONG", "s3://"),
    ],
)
def test_a_document_that_cannot_be_run_fails_the_job_and_names_the_field(
    pods: Pods, change: dict[str, object], code: str, names: str
) -> None:
    pods.document = pods.document.model_copy(update=change)
    worker = pods.start("shard")
    assert worker.end() == ExitCode.BAD_SPEC, worker.text()
    assert worker.termination().code == code
    assert names in worker.termination().message
    assert "Traceback" not in worker.text()


@pytest.mark.parametrize(
    ("limit", "code", "exit_code"),
    [
        (str(WORKER_BASE_MEMORY + (44 << 20)), "RUN_MEMORY_TOO_SMALL", ExitCode.BAD_SPEC),
        ("max", "NODE_MEMORY_SHORT", ExitCode.UNAVAILABLE),
    ],
)
def test_a_member_that_does_not_fit_is_a_matter_of_the_limit_or_else_of_the_node(
    pods: Pods, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, code: str, exit_code: ExitCode
) -> None:
    (tmp_path / "memory.max").write_text(limit)
    monkeypatch.setattr("civlab.runs.shard.free_memory", lambda: 44 << 20)
    document = pods.document.model_copy(update={"parameters": {"population.size": "1000000"}})
    with pytest.raises(CivlabError) as caught:
        run_one_shard(
            document,
            shard=0,
            surroundings=read_surroundings({}, cgroup_root=tmp_path),
            publish=lambda word: None,
            stop=lambda: False,
            now=lambda: datetime.now(UTC),
            monotonic=time.monotonic,
        )
    assert (caught.value.code, failed(caught.value).exit_code) == (code, exit_code)
    assert "44 MiB are to be used" in caught.value.message


def test_a_wrong_argument_ends_by_the_table(pods: Pods) -> None:
    worker = pods.start("shard", "--no-such-option")
    assert worker.end() == ExitCode.BAD_SPEC
