"""What a member is does not depend on how it is run: threads, libraries, batches, checkpoints, counterfactuals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civlab.errors import CivlabError
from civlab.models.epidemic.compile import CompiledScenario, compile_scenario
from civlab.models.epidemic.layout import COLUMNS
from civlab.models.epidemic.model import MODEL
from civlab.models.epidemic.phases import PHASES
from civlab.models.epidemic.transmissions import transmissions
from civlab.runtime.arrays import Arrays, MemberSpec
from civlab.runtime.backend import Backend, CpuBackend, load
from civlab.runtime.chain import run_digest
from civlab.runtime.world import World
from parpour_contracts.scenario import BUILTIN, estimate, override, parse_scenario

pytestmark = pytest.mark.kernel

SIZES = ("1500", "64", "9000", "4096", "333")


def scenario_of(name: str = "vaccination", **parameters: str) -> CompiledScenario:
    """A builtin scenario of 60 ticks with some parameters changed (double underscores stand for dots)."""
    changes = {"ticks": "60", **{path.replace("__", "."): text for path, text in parameters.items()}}
    return compile_scenario(override(parse_scenario(BUILTIN[name]), changes))


def specs_of(sizes: tuple[str, ...] = SIZES) -> list[MemberSpec[CompiledScenario]]:
    """One member a population, each with its own stream."""
    return [MemberSpec(i, 100 + i, scenario_of(population__size=size)) for i, size in enumerate(sizes)]


def run(specs: list[MemberSpec[CompiledScenario]], backend: Backend) -> list[bytes]:
    """The members' digests after all ticks."""
    world = World.create(MODEL, specs, seed=11, backend=backend)
    world.advance(world.ticks)
    return world.member_digests()


@pytest.fixture(scope="module")
def reference() -> list[bytes]:
    """Digests of the members in one batch on one thread."""
    return run(specs_of(), Backend.cpu(1))


def test_backends_and_threads_give_the_same_digests(reference: list[bytes], backend: Backend) -> None:
    assert run(specs_of(), backend) == reference


def test_each_compiled_library_gives_the_same_digests(reference: list[bytes], level: str) -> None:
    assert run(specs_of(), Backend.cpu(2, level=level)) == reference


@pytest.mark.long
def test_several_lanes_a_tile_as_on_a_gpu_give_the_same_digests(reference: list[bytes], lanes_library: Path) -> None:
    assert run(specs_of(), CpuBackend(load(str(lanes_library)), 2)) == reference


@given(st.permutations(range(len(SIZES))), st.integers(1, len(SIZES)))
@settings(max_examples=5, deadline=None)
def test_batches_and_their_order_do_not_matter(reference: list[bytes], order: list[int], cut: int) -> None:
    specs = specs_of()
    found: dict[int, bytes] = {}
    for part in (order[:cut], order[cut:]):
        if part:
            found.update(zip(part, run([specs[i] for i in part], Backend.cpu(2)), strict=True))
    assert [found[i] for i in range(len(specs))] == reference
    assert run_digest([found[i] for i in range(len(specs))]) == run_digest(reference)


@given(st.lists(st.integers(1, 59), min_size=1, max_size=3, unique=True))
@settings(max_examples=5, deadline=None)
def test_a_run_resumed_from_any_snapshot_is_the_undisturbed_one(reference: list[bytes], stops: list[int]) -> None:
    specs = specs_of()
    world = World.create(MODEL, specs, seed=11, backend=Backend.cpu(1))
    for stop in sorted(stops):
        world.advance(stop - world.tick)
        saved = world.snapshot()
        world = World.restore(MODEL, specs, seed=11, backend=Backend.cpu(2), snapshot=saved)
    world.advance(world.ticks - world.tick)
    assert world.member_digests() == reference


def test_a_snapshot_resumes_in_other_batches(reference: list[bytes]) -> None:
    specs = specs_of()
    world = World.create(MODEL, specs, seed=11, backend=Backend.cpu(1))
    world.advance(23)
    saved = world.snapshot()
    found = []
    for part in (specs[:2], specs[2:]):
        half = World.restore(MODEL, part, seed=11, backend=Backend.cpu(1), snapshot=saved)
        half.advance(half.ticks - half.tick)
        found += half.member_digests()
    assert found == reference


def test_a_changed_snapshot_is_refused() -> None:
    specs = specs_of(("500",))
    world = World.create(MODEL, specs, seed=11, backend=Backend.cpu(1))
    world.advance(30)
    saved = world.snapshot()
    saved.columns["due"][7] += 1
    with pytest.raises(CivlabError) as refused:
        World.restore(MODEL, specs, seed=11, backend=Backend.cpu(1), snapshot=saved)
    assert refused.value.code == "CHAIN_BROKEN"
    with pytest.raises(CivlabError) as refused:
        World.restore(MODEL, specs, seed=12, backend=Backend.cpu(1), snapshot=world.snapshot())
    assert refused.value.code == "SNAPSHOT_MISMATCH"


def test_a_column_that_changes_behind_the_chain_stops_the_run() -> None:
    world = World.create(MODEL, specs_of(("500", "700")), seed=11, backend=Backend.cpu(1))
    world.advance(20)
    world.arrays.column["infector"][world.segment("agent", 1)[0] + 3] += 1
    with pytest.raises(CivlabError) as stopped:
        world.snapshot()
    assert (stopped.value.code, stopped.value.path) == ("CHAIN_BROKEN", "member 1, column infector")


def test_a_lost_person_stops_the_run_by_name() -> None:
    world = World.create(MODEL, specs_of(("500",)), seed=11, backend=Backend.cpu(1))
    world.advance(5)
    world.arrays.column["state"][world.segment("agent", 0)[0] + 3] = 99
    with pytest.raises(CivlabError) as stopped:
        world.advance(3)
    assert stopped.value.code == "CONSERVATION_BROKEN"
    assert "tick 5" in stopped.value.message


def test_persons_are_conserved_in_every_tick_and_flows_add_up_to_stocks() -> None:
    world = World.create(MODEL, specs_of(), seed=3, backend=Backend.cpu(1))
    world.advance(world.ticks)
    metrics = world.metrics(0, world.ticks)
    stocks = np.sum([metrics[name] for name in ALL_STOCKS], axis=0)
    assert np.array_equal(stocks, np.broadcast_to(world.agents(), stocks.shape))
    infected = np.cumsum(metrics["new_infections"], axis=0)
    assert np.array_equal(infected + metrics["susceptible"], np.broadcast_to(world.agents(), infected.shape))
    assert np.array_equal(np.cumsum(metrics["new_deaths"], axis=0), metrics["dead"])
    layers = [metrics[name] for name in metrics if name.startswith("infected_")]
    assert np.array_equal(sum(layers) + metrics["introduced"], metrics["new_infections"])


ALL_STOCKS = ("susceptible", "exposed", "infectious", "hospital", "recovered", "dead")


def test_a_phase_writes_only_the_columns_that_it_declares() -> None:
    world = World.create(MODEL, specs_of(("3000", "700")), seed=5, backend=Backend.cpu(1))
    names = [column.name for column in COLUMNS if column.name in world.arrays.column]
    changed: dict[str, set[str]] = {phase.name: set() for phase in PHASES}
    for _ in range(40):
        for phase in PHASES:
            before = {name: world.arrays.column[name].copy() for name in names}
            world.run_phase(phase)
            wrote = {name for name in names if not np.array_equal(before[name], world.arrays.column[name])}
            assert wrote <= set(phase.writes), phase.name
            changed[phase.name] |= wrote
        world.tick += 1
    for phase in PHASES:
        assert set(phase.writes) - {"fault"} == changed[phase.name], phase.name
        assert set(phase.reads) <= set(names)


def test_scratch_columns_are_empty_between_ticks() -> None:
    world = World.create(MODEL, specs_of(("3000",)), seed=5, backend=Backend.cpu(1))
    world.advance(30)
    assert not world.download("claimed").any()
    assert (world.download("claim") == 0xFFFFFFFFFFFFFFFF).all()
    assert not world.download("phase_digest").any()
    assert not world.download("flow").any()


def histories(scenario: CompiledScenario, seed: int = 8) -> World:
    """A finished world of one member of a scenario."""
    world = World.create(MODEL, [MemberSpec(0, 0, scenario)], seed=seed, backend=Backend.cpu(2))
    world.advance(world.ticks)
    return world


TOWN = {"ticks": "90", "population.size": "8000"}


def variant(text: str, changes: Callable[[str], str] = lambda text: text) -> World:
    """The town under a changed document."""
    return histories(compile_scenario(override(parse_scenario(changes(text)), TOWN)))


def columns(world: World) -> list[list[int]]:
    """The dynamic columns of the first member."""
    return [world.member_column(column.name, 0).tolist() for column in MODEL.dynamic]


def test_an_intervention_that_touches_nobody_changes_nothing() -> None:
    plain = variant(BUILTIN["epidemic"])
    idle = [
        "  - {kind: contact-reduction, layers: [school], from: 30, factor: 1}",
        "  - {kind: case-isolation, from: 0, detection: 0}",
        "  - {kind: vaccination, from: 0, doses_per_day: 100, coverage: 0}",
        "  - {kind: contact-reduction, layers: [work, community], from: 90, factor: 0}",
    ]
    touched = variant(BUILTIN["epidemic"] + "interventions:\n" + "\n".join(idle) + "\n")
    assert columns(touched) == columns(plain)
    assert np.array_equal(touched.history(0, 90), plain.history(0, 90))


def test_an_intervention_changes_nothing_before_it_begins() -> None:
    plain = variant(BUILTIN["epidemic"])
    closed = variant(BUILTIN["school-closure"])
    assert np.array_equal(closed.history(0, 30), plain.history(0, 30))
    assert not np.array_equal(closed.history(0, 90), plain.history(0, 90))
    assert not closed.metrics(30, 86)["infected_school"].any()


def test_infections_of_one_day_under_a_measure_are_a_subset_of_those_without_it() -> None:
    text = BUILTIN["epidemic"]
    before = set(transmissions(variant(text), 0)["infected"].tolist())
    plain = variant(text)
    on_day = transmissions(plain, 0)
    struck = {int(agent) for agent, tick in zip(on_day["infected"], on_day["tick"], strict=True) if tick == 20}
    smaller = struck
    for factor in ("0.8", "0.5", "0.2"):
        layers = "[community, school, work]"
        measure = f"{{kind: contact-reduction, layers: {layers}, from: 20, until: 21, factor: {factor}}}"
        found = transmissions(variant(text + f"interventions: [{measure}]\n"), 0)
        under = {int(agent) for agent, tick in zip(found["infected"], found["tick"], strict=True) if tick == 20}
        assert under <= smaller
        smaller = under
    assert smaller < struck <= before


def test_the_transmission_tree_is_a_forest_in_time_rooted_outside() -> None:
    world = variant(BUILTIN["epidemic"])
    tree = transmissions(world, 0)
    when = dict(zip(tree["infected"].tolist(), tree["tick"].tolist(), strict=True))
    assert len(when) == len(tree["infected"]) == int(world.metrics(0, 90)["new_infections"].sum())
    for infector, tick, layer in zip(
        tree["infector"].tolist(), tree["tick"].tolist(), tree["layer"].tolist(), strict=True
    ):
        assert (layer == 4) == (infector == -1)
        assert infector == -1 or when[infector] < tick
    assert (np.diff(tree["tick"]) >= 0).all()


@pytest.mark.parametrize("name", sorted(set(BUILTIN) - {"exchange", "two-nations"}))
def test_memory_stays_within_the_estimate_and_120_bytes_an_agent(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0
    release = Arrays.release

    def watched(arrays: Arrays, column: str) -> None:
        nonlocal most
        most = max(most, arrays.bytes())
        release(arrays, column)

    monkeypatch.setattr(Arrays, "release", watched)
    scenario = override(parse_scenario(BUILTIN[name]), {"population.size": "60000"})
    members = [MemberSpec(i, i, compile_scenario(scenario)) for i in range(2)]
    world = World.create(MODEL, members, seed=1, backend=Backend.cpu(2))
    assert max(most, world.arrays.bytes()) <= estimate(scenario, members=2).bytes
    per_agent = [c for c in COLUMNS if c.per in ("agent", "edge", "place") and c.name in world.arrays.column]
    if name == "epidemic-contact":
        assert sum(world.arrays.column[c.name].nbytes for c in per_agent) / 120_000 <= 120


def test_a_world_does_not_run_past_its_scenario() -> None:
    world = World.create(MODEL, specs_of(("100",)), seed=1, backend=Backend.cpu(1))
    with pytest.raises(CivlabError) as refused:
        world.advance(61)
    assert refused.value.code == "RUN_AT_END"
