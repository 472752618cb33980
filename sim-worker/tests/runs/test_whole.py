"""A complete run: what collect vouches for, what verify and diff find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from civlab.errors import CivlabError
from civlab.results.manifest import MANIFEST, MadeBy, RunManifest, ShardManifest
from civlab.runs.collect import collect
from civlab.runs.difference import diff_runs
from civlab.runs.shard import run_shard
from civlab.runs.spec import RunSpec
from civlab.runs.verify import verify_run
from civlab.runs.whole import claim_place, run_whole
from civlab.runtime.backend import Backend
from civlab.store import Store, open_store
from civlab.store.sealed import seal, unseal

pytestmark = pytest.mark.kernel
MakeSpec = Callable[..., RunSpec]
Complete = Callable[..., tuple[Store, RunManifest]]
CLOSURE = "interventions:\n  - {kind: contact-reduction, layers: [household], from: 12, factor: 0}\n"
HARMLESS = "interventions:\n  - {kind: contact-reduction, layers: [household], from: 12, factor: 1}\n"


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(CivlabError) as caught:
        act()
    return caught.value.code


def test_a_run_is_not_complete_before_its_last_shard(make_spec: MakeSpec, cpu: Backend) -> None:
    spec, store = make_spec(shards=3), open_store("memory://")
    for shard in (2, 0):
        run_shard(spec, shard, store, cpu)
    assert code_of(lambda: collect(spec, store)) == "RUN_NOT_COMPLETE"
    run_shard(spec, 1, store, cpu)
    assert collect(spec, store).members == 6
    assert collect(spec, store) == RunManifest.load(store)


def test_a_table_that_was_changed_is_not_collected(make_spec: MakeSpec, cpu: Backend) -> None:
    spec, store = make_spec(), open_store("memory://")
    run_shard(spec, 0, store, cpu)
    path = "tables/timeseries/shard-00000.parquet"
    store.put(path, store.get(path)[:-1] + b"x")
    assert code_of(lambda: collect(spec, store)) == "RESULT_MISMATCH"


def test_a_manifest_of_another_run_is_not_collected(make_spec: MakeSpec, complete: Complete, cpu: Backend) -> None:
    foreign = complete(make_spec(seed=3))[0]
    spec, store = make_spec(), open_store("memory://")
    store.put(ShardManifest.path(0), foreign.get(ShardManifest.path(0)))
    assert code_of(lambda: collect(spec, store)) == "RESULT_MISMATCH"


def test_two_writers_agree_whatever_made_their_results(make_spec: MakeSpec, complete: Complete) -> None:
    store, _ = complete(make_spec())
    standing = ShardManifest.find(store, 0)
    assert standing is not None
    assert replace(standing, made_by=MadeBy("9.9", "cuda")).save(store) == standing
    other = replace(standing, digests=tuple(reversed(standing.digests)))
    assert code_of(lambda: other.save(store)) == "STORE_CONFLICT"


def test_a_place_with_the_same_run_is_gone_on_with_and_another_run_is_refused(
    make_spec: MakeSpec, complete: Complete, cpu: Backend
) -> None:
    store, manifest = complete(make_spec())
    claim_place(make_spec(), store)
    assert run_whole(make_spec(), store, cpu).manifest == manifest
    assert code_of(lambda: claim_place(make_spec(seed=1), store)) == "PLACE_TAKEN"
    claim_place(make_spec(seed=1), store, force=True)
    assert store.list("") == ["run.json"]


def test_force_never_deletes_what_is_not_a_runs(make_spec: MakeSpec) -> None:
    store = open_store("memory://")
    store.put("thesis.tex", b"years of work")
    assert code_of(lambda: claim_place(make_spec(), store, force=True)) == "PLACE_TAKEN"
    assert store.list("") == ["thesis.tex"]


def test_an_honest_run_verifies(make_spec: MakeSpec, complete: Complete, cpu: Backend) -> None:
    store, manifest = complete(make_spec(shards=2))
    result = verify_run(store, cpu)
    assert result.holds
    assert (result.digest, result.members, result.files) == (manifest.digest, 6, 6)
    assert verify_run(store, cpu, members=2).members == 2
    assert code_of(lambda: verify_run(store, cpu, members=7)) == "MEMBERS_OUT_OF_RANGE"


def test_a_changed_file_is_found_by_verify(make_spec: MakeSpec, complete: Complete, cpu: Backend) -> None:
    store, _ = complete(make_spec())
    store.put("tables/ages/shard-00000.parquet", b"PAR1")
    findings = verify_run(store, cpu).findings
    assert [(item.code, item.path) for item in findings] == [
        ("RESULT_MISMATCH", "memory:///tables/ages/shard-00000.parquet")
    ]


def test_an_invented_result_is_found_by_running_again(make_spec: MakeSpec, complete: Complete, cpu: Backend) -> None:
    """Every hash and seal of the forgery is in order; only the model can tell."""
    honest, _ = complete(make_spec(seed=1))
    spec = make_spec(seed=2)
    store = open_store("memory://")
    for path in honest.list("tables"):
        store.put(path, honest.get(path))
    forged = ShardManifest.find(honest, 0)
    assert forged is not None
    replace(forged, run=spec.run_hash).save(store)
    spec.save(store)
    collect(spec, store)
    findings = verify_run(store, cpu, members=1).findings
    assert [(item.code, item.path) for item in findings] == [("DIGEST_MISMATCH", "member 0")]
    assert "from tick" in findings[0].message


def test_equal_runs_do_not_differ(make_spec: MakeSpec, complete: Complete, cpu: Backend) -> None:
    assert diff_runs(complete(make_spec())[0], complete(make_spec(shards=3))[0], cpu) is None


def test_a_counterfactual_differs_first_where_the_intervention_touches(
    make_spec: MakeSpec, complete: Complete, cpu: Backend, small_town: str
) -> None:
    base, closed = complete(make_spec())[0], complete(make_spec(text=small_town + CLOSURE))[0]
    found = diff_runs(base, closed, cpu)
    assert found is not None
    assert (found.member, found.phase, found.column, found.first, found.second) == (0, "settle", "state", "1", "0")
    assert found.tick >= 12
    assert found.agent is not None


def test_the_common_checkpoint_spares_the_replay_and_changes_no_answer(
    make_spec: MakeSpec, complete: Complete, cpu: Backend, small_town: str
) -> None:
    specs = make_spec(), make_spec(text=small_town + CLOSURE)
    plain = diff_runs(complete(specs[0])[0], complete(specs[1])[0], cpu, member=4)
    kept = [complete(spec, checkpoint_every=5, keep_checkpoints=True)[0] for spec in specs]
    quick = diff_runs(kept[0], kept[1], cpu, member=4)
    assert plain is not None
    assert quick is not None
    assert (plain.replayed_from, quick.replayed_from) == (0, plain.tick // 5 * 5)
    assert replace(quick, replayed_from=0) == plain


def test_an_intervention_that_changes_nothing_differs_in_the_scenario_alone(
    make_spec: MakeSpec, complete: Complete, cpu: Backend, small_town: str
) -> None:
    found = diff_runs(complete(make_spec())[0], complete(make_spec(text=small_town + HARMLESS))[0], cpu)
    assert found is not None
    assert (found.tick, found.phase, found.column) == (-1, "start", "scenario")


def test_another_seed_differs_before_the_first_tick(make_spec: MakeSpec, complete: Complete, cpu: Backend) -> None:
    found = diff_runs(complete(make_spec())[0], complete(make_spec(seed=2))[0], cpu)
    assert found is not None
    assert (found.tick, found.phase) == (-1, "start")
    assert code_of(lambda: diff_runs(complete(make_spec())[0], complete(make_spec())[0], cpu, member=6)) == (
        "MEMBERS_OUT_OF_RANGE"
    )


def test_a_damaged_manifest_is_named(make_spec: MakeSpec, complete: Complete, cpu: Backend) -> None:
    store, _ = complete(make_spec())
    store.put(MANIFEST, store.get(MANIFEST).replace(b'"seed": 11', b'"seed": 12'))
    assert code_of(lambda: verify_run(store, cpu)) == "STORE_OBJECT_DAMAGED"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(data=st.data())
def test_a_sealed_manifest_with_any_field_wrong_is_refused_by_name(
    small_manifests: dict[str, bytes], data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(sorted(small_manifests)))
    document = unseal(small_manifests[path], address=path)
    field = data.draw(st.sampled_from(sorted(document)))
    before = document[field]
    document[field] = data.draw(JSON)
    store = open_store("memory://")
    store.put(path, seal(document))
    try:
        read = ShardManifest.find(store, 0) if path.startswith("shards") else RunManifest.find(store)
    except CivlabError as fault:
        code = fault.code
    else:
        assert read is not None
        code = "" if type(document[field]) is type(before) else "misread"
    assert code in {"", "STORE_OBJECT_DAMAGED"}


@pytest.fixture(scope="module")
def small_manifests(small_town: str) -> dict[str, bytes]:
    """The manifests of a run of one member."""
    spec, store = RunSpec.create(small_town), open_store("memory://")
    run_whole(spec, store, Backend.cpu(1))
    return {path: store.get(path) for path in (MANIFEST, ShardManifest.path(0))}
