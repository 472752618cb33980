"""Results are a function of the run: not of interruptions, damage, batches, shards or threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from civlab.errors import CivlabError
from civlab.results.manifest import RunManifest
from civlab.runs import shard
from civlab.runs.checkpoints import ShardCheckpoints
from civlab.runs.progress import ShardProgress
from civlab.runs.shard import run_shard
from civlab.runs.snapshots import decode_snapshot
from civlab.runs.spec import RunSpec
from civlab.runs.whole import WholeRun, run_whole
from civlab.runtime.backend import Backend
from civlab.store import Store, open_store
from civlab.store.sealed import seal, unseal
from parpour_contracts.scenario import estimate

pytestmark = pytest.mark.kernel
MakeSpec = Callable[..., RunSpec]
Complete = Callable[..., tuple[Store, RunManifest]]
RAGGED = {"type": "Grid", "parameters": [{"name": "population.size", "values": ["200", "600", "350"]}]}


def contents(store: Store) -> dict[str, bytes]:
    """Everything in the store, by path."""
    return {path: store.get(path) for path in store.list("")}


def stopping_after(looks: list[int]) -> Callable[[], bool]:
    """A wish to stop at each of these numbers of looks, counted over all attempts."""
    counted: Iterator[int] = iter(range(1, 1_000_000))
    return lambda: next(counted) in looks


def until_done(spec: RunSpec, store: Store, backend: Backend, looks: list[int], **rest: Any) -> WholeRun:
    stop = stopping_after(looks)
    for _ in range(len(looks) + 1):
        outcome = run_whole(spec, store, backend, stop=stop, **rest)
        if outcome.manifest is not None:
            return outcome
        assert outcome.ticks_done < outcome.ticks_total
    raise AssertionError("stopped more often than it was told to")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12, deadline=None)
@given(looks=st.lists(st.integers(1, 200), max_size=5, unique=True), every=st.sampled_from([0, 1, 7, 30]))
def test_interruptions_change_no_byte_of_the_results(
    make_spec: MakeSpec, complete: Complete, cpu: Backend, looks: list[int], every: int
) -> None:
    spec = make_spec(shards=2, transmissions=True)
    undisturbed, manifest = complete(spec)
    store = open_store("memory://")
    outcome = until_done(spec, store, cpu, looks, checkpoint_every=every, memory=3 * estimate(spec.scenario).peak)
    assert outcome.manifest == manifest
    assert contents(store) == contents(undisturbed)


@pytest.mark.parametrize("design", [None, RAGGED])
def test_shards_threads_and_batches_change_no_digest(
    make_spec: MakeSpec, complete: Complete, design: dict[str, object] | None
) -> None:
    plain = complete(make_spec(design=design))[1]
    one_by_one = estimate(make_spec().scenario).peak
    for variant in (
        complete(make_spec(design=design, shards=4))[1],
        complete(make_spec(design=design), backend=Backend.cpu(2))[1],
        complete(make_spec(design=design), memory=one_by_one)[1],
        complete(make_spec(design=design, shards=6), backend=Backend.cpu(2), checkpoint_every=3)[1],
    ):
        assert variant.digest == plain.digest
        assert variant.metrics == plain.metrics


def test_batches_change_no_byte_of_a_table(make_spec: MakeSpec, complete: Complete) -> None:
    spec = make_spec(transmissions=True)
    small = complete(spec, memory=2 * estimate(spec.scenario).peak)[1]
    assert small == complete(spec)[1]


def test_a_resumed_shard_counts_what_the_checkpoint_spared(make_spec: MakeSpec, cpu: Backend) -> None:
    spec, store = make_spec(), open_store("memory://")
    first = run_shard(spec, 0, store, cpu, stop=stopping_after([11]))
    assert (first.done, first.ticks_done) == (False, 6 * 10)
    seen: list[ShardProgress] = []
    second = run_shard(spec, 0, store, cpu, on_progress=seen.append)
    assert (second.done, second.resumed_ticks, second.agent_updates) == (True, 60, 6 * 600 * 30)
    assert seen[0].ticks_done == 60
    assert [item.ticks_done for item in seen] == sorted(item.ticks_done for item in seen)
    assert (seen[-1].members_done, seen[-1].ticks_done) == (6, 240)
    third = run_shard(spec, 0, store, cpu)
    assert (third.done, third.agent_updates) == (True, 0)


def test_only_the_newest_two_checkpoints_are_kept_and_none_after_the_end(make_spec: MakeSpec, cpu: Backend) -> None:
    spec, store = make_spec(), open_store("memory://")
    run_shard(spec, 0, store, cpu, checkpoint_every=5, stop=stopping_after([24]))
    paths = store.list("checkpoints")
    assert [path for path in paths if path.endswith(".json")] == [
        "checkpoints/00000/000000000-000000020.json",
        "checkpoints/00000/000000000-000000023.json",
    ]
    named = {path.rsplit("/", 1)[1] for path in paths if "/objects/" in path}
    text = b"".join(store.get(path) for path in paths if path.endswith(".json")).decode()
    assert all(name in text for name in named)
    run_shard(spec, 0, store, cpu)
    assert store.list("checkpoints") == []


def test_all_checkpoints_stay_when_they_are_to_be_kept(make_spec: MakeSpec, cpu: Backend) -> None:
    spec, store = make_spec(), open_store("memory://")
    run_shard(spec, 0, store, cpu, checkpoint_every=10, keep_checkpoints=True)
    manifests = [path for path in store.list("checkpoints") if path.endswith(".json")]
    assert len(manifests) == 4


@pytest.mark.long
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(data=st.data())
def test_damage_to_checkpoints_costs_time_and_never_the_result(
    make_spec: MakeSpec, complete: Complete, cpu: Backend, data: st.DataObject
) -> None:
    spec, store = make_spec(), open_store("memory://")
    memory = 4 * estimate(spec.scenario).peak
    run_shard(
        spec, 0, store, cpu, checkpoint_every=9, memory=memory, stop=stopping_after([data.draw(st.integers(2, 70))])
    )
    for path in data.draw(st.lists(st.sampled_from(store.list("checkpoints")), min_size=1, max_size=6, unique=True)):
        content = store.get(path)
        place = data.draw(st.integers(0, max(0, len(content) - 1)))
        match data.draw(st.sampled_from(["flip", "cut", "delete", "empty"])):
            case "flip":
                store.put(path, content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            case "cut":
                store.put(path, content[:place])
            case "delete":
                store.delete([path])
            case _:
                store.put(path, b"")
    outcome = run_whole(spec, store, cpu, memory=memory)
    assert outcome.manifest == complete(spec)[1]


def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(make_spec: MakeSpec, cpu: Backend) -> None:
    spec, store = make_spec(), open_store("memory://")
    run_shard(spec, 0, store, cpu, checkpoint_every=10, stop=stopping_after([26]))
    checkpoints = ShardCheckpoints(store, run_hash=spec.run_hash, shard=0, shards=1)
    store.put(checkpoints.manifests()[-1], b"{}")
    standing = checkpoints.take_up()
    assert standing is not None
    assert standing.running is not None
    assert standing.running.tick == 20


def test_a_checkpoint_of_another_run_is_not_taken_up(make_spec: MakeSpec, cpu: Backend) -> None:
    spec, store = make_spec(), open_store("memory://")
    run_shard(spec, 0, store, cpu, stop=stopping_after([5]))
    other = ShardCheckpoints(store, run_hash=make_spec(seed=5).run_hash, shard=0, shards=1)
    assert other.take_up() is None


def test_a_checkpoint_in_another_form_is_refused_and_left_in_place(make_spec: MakeSpec, cpu: Backend) -> None:
    spec, store = make_spec(), open_store("memory://")
    run_shard(spec, 0, store, cpu, checkpoint_every=10, stop=stopping_after([26]))
    paths = [path for path in store.list("checkpoints") if path.endswith(".json")]
    document = unseal(store.get(paths[-1]), address=paths[-1])
    store.put(paths[-1], seal({**document, "format": "civlab.checkpoint/1"}))
    with pytest.raises(CivlabError) as refused:
        run_shard(spec, 0, store, cpu)
    assert refused.value.code == "CHECKPOINT_FORMAT_UNKNOWN"
    assert paths[-1] in refused.value.path
    assert paths[-1] in store.list("checkpoints")


def test_a_member_that_cannot_fit_is_refused_with_both_figures(make_spec: MakeSpec, cpu: Backend) -> None:
    with pytest.raises(CivlabError, match="MiB are to be used") as caught:
        run_shard(make_spec(), 0, open_store("memory://"), cpu, memory=1000)
    assert caught.value.code == "RUN_MEMORY_TOO_SMALL"


def test_damaged_checkpoints_do_not_crowd_out_new_ones(make_spec: MakeSpec, cpu: Backend) -> None:
    spec, store = make_spec(), open_store("memory://")
    memory = 3 * estimate(spec.scenario).peak
    run_shard(spec, 0, store, cpu, checkpoint_every=10, memory=memory, stop=stopping_after([70]))
    for path in store.list("checkpoints"):
        store.put(path, b"")
    again = run_shard(spec, 0, store, cpu, checkpoint_every=10, memory=memory, stop=stopping_after([25]))
    assert again.ticks_done == 3 * 24
    assert run_shard(spec, 0, store, cpu, memory=memory).resumed_ticks == 3 * 24


def test_a_slower_writer_of_the_same_shard_finds_the_work_done(
    make_spec: MakeSpec, complete: Complete, cpu: Backend
) -> None:
    """Two pods may hold one shard for a while; whoever ends second must neither fail nor leave anything behind."""
    spec, store = make_spec(), open_store("memory://")
    looks = 0

    def another_finishes_meanwhile() -> bool:
        nonlocal looks
        looks += 1
        if looks == 45:
            run_shard(spec, 0, store, cpu, checkpoint_every=5)
        return False

    memory = 3 * estimate(spec.scenario).peak
    outcome = run_shard(spec, 0, store, cpu, checkpoint_every=5, memory=memory, stop=another_finishes_meanwhile)
    assert outcome.done
    undisturbed = contents(complete(spec)[0])
    undisturbed.pop("manifest.json")
    assert contents(store) == undisturbed


def test_one_that_lags_behind_another_writer_looks_again_until_it_has_caught_up(
    make_spec: MakeSpec, complete: Complete, cpu: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec(members=1)
    undisturbed, _ = complete(spec)
    store = open_store("memory://")
    assert not run_shard(spec, 0, store, cpu, checkpoint_every=1, stop=stopping_after([4])).done
    laps: list[int] = []

    def overtaken(*arguments: Any) -> Any:
        if len(laps) < 3:
            laps.append(len(laps))
            monkeypatch.setattr(shard, "decode_snapshot", decode_snapshot)
            run_shard(spec, 0, store, cpu, checkpoint_every=1, stop=stopping_after([4]))
            monkeypatch.setattr(shard, "decode_snapshot", overtaken)
        return decode_snapshot(*arguments)

    monkeypatch.setattr(shard, "decode_snapshot", overtaken)
    outcome = run_shard(spec, 0, store, cpu, checkpoint_every=0)
    assert outcome.done
    assert outcome.resumed_ticks == 3 * 4
    assert len(laps) == 3
    assert run_whole(spec, store, cpu).manifest is not None
    assert contents(store) == contents(undisturbed)


def test_an_object_that_nobody_took_away_in_passing_is_missed(
    make_spec: MakeSpec, cpu: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec(members=1)
    store = open_store("memory://")
    assert not run_shard(spec, 0, store, cpu, checkpoint_every=0, stop=stopping_after([4])).done

    def robbed(*arguments: Any) -> Any:
        store.delete([path for path in store.list("checkpoints") if "/objects/" in path])
        return decode_snapshot(*arguments)

    monkeypatch.setattr(shard, "decode_snapshot", robbed)
    with pytest.raises(CivlabError) as caught:
        run_shard(spec, 0, store, cpu)
    assert caught.value.code == "STORE_OBJECT_MISSING"
