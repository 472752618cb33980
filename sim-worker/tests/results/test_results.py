"""Tables and headline figures: complete, consistent with each other, and readable by three libraries."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import civlab
from civlab.errors import CivlabError
from civlab.models.epidemic.layout import METRICS
from civlab.models.epidemic.results import HEADLINES
from civlab.results.headline import spreads
from civlab.results.reader import Results
from civlab.results.tables import regroup
from civlab.runs.spec import RunSpec

DESIGN = "design"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, small_town: str) -> Results:
    """A complete run of twelve members over two parameters, in two shards."""
    from civlab.cli.options import parse_design

    out = tmp_path_factory.mktemp("run") / "out"
    design = parse_design(["lhs:disease.r0=1.2..4;population.size=200..700"])
    civlab.run(small_town, out, members=12, seed=5, shards=2, transmissions=True, design=design, threads=1)
    opened = civlab.open(out)
    assert isinstance(opened, Results)
    return opened


@pytest.mark.kernel
def test_every_member_has_every_tick_once(results: Results) -> None:
    frame = results.polars("timeseries")
    assert frame.height == 12 * 40
    assert frame["member"].to_list() == [member for member in range(12) for _ in range(40)]
    assert frame["tick"].to_list() == list(range(40)) * 12


@pytest.mark.kernel
def test_persons_are_conserved_in_the_tables(results: Results) -> None:
    frame = results.pandas("timeseries")
    stocks = ["susceptible", "exposed", "infectious", "hospital", "recovered", "dead"]
    people = frame[stocks].sum(axis=1).to_numpy().reshape(12, 40)
    assert (people == results.pandas("members")["population"].to_numpy()[:, None]).all()


@pytest.mark.kernel
def test_headlines_follow_from_the_timeseries(results: Results) -> None:
    series, members = results.xarray(), results.pandas("members").set_index("member")
    infected = series["new_infections"].sum("tick").to_numpy()
    assert (members["infected"].to_numpy() == infected).all()
    assert np.allclose(members["attack_rate"], infected / members["population"], atol=5e-7)
    assert (members["peak_tick"].to_numpy() == series["infectious"].argmax("tick").to_numpy()).all()
    assert (members["deaths"].to_numpy() == series["dead"].isel(tick=-1).to_numpy()).all()
    assert (members["bedless_days"].to_numpy() == series["without_bed"].sum("tick").to_numpy()).all()


@pytest.mark.kernel
def test_ages_add_up_to_the_members(results: Results) -> None:
    ages = results.pandas("ages").groupby("member")[["persons", "infected", "dead"]].sum()
    members = results.pandas("members").set_index("member")
    assert (ages["persons"] == members["population"]).all()
    assert (ages["infected"] == members["infected"]).all()
    assert (ages["dead"] == members["deaths"]).all()


@pytest.mark.kernel
def test_the_transmission_tree_has_every_infection_once_and_no_effect_before_its_cause(results: Results) -> None:
    tree = results.pandas("transmissions")
    assert not tree.duplicated(["member", "infected"]).any()
    assert (tree.groupby("member").size() == results.pandas("members").set_index("member")["infected"]).all()
    when = {(row.member, row.infected): row.tick for row in tree.itertuples()}
    secondary = tree[tree["infector"] >= 0]
    assert len(secondary) > 100
    assert all(when[row.member, row.infector] < row.tick for row in secondary.itertuples())


@pytest.mark.kernel
def test_xarray_carries_units_parameters_and_the_digest(results: Results) -> None:
    dataset = results.xarray()
    assert dict(dataset.sizes) == {"member": 12, "tick": 40}
    assert set(dataset.data_vars) == {metric.name for metric in METRICS}
    assert dataset["infectious"].attrs["units"] == "persons"
    assert dataset.attrs["digest"] == results.manifest.digest
    assert 1.2 <= float(dataset["parameter:disease.r0"].min()) < float(dataset["parameter:disease.r0"].max()) <= 4


@pytest.mark.kernel
def test_columns_say_their_unit_and_meaning(results: Results) -> None:
    schema = results.arrow("members").schema
    assert all(field.metadata[b"meaning"] for field in schema)
    assert schema.field("population").metadata[b"unit"] == b"persons"


@pytest.mark.kernel
def test_parameters_in_the_table_are_those_that_ran(results: Results) -> None:
    spec = RunSpec.load(results.store)
    frame = results.pandas("members")
    assert frame["population"].tolist() == [spec.agents(index) for index in range(12)]
    assert frame["parameter:population.size"].tolist() == frame["population"].tolist()


@pytest.mark.kernel
def test_an_unknown_table_is_answered_with_those_there_are(results: Results) -> None:
    with pytest.raises(CivlabError, match="timeseries, members, ages, transmissions") as caught:
        results.polars("economy")
    assert caught.value.code == "TABLE_UNKNOWN"


@pytest.mark.kernel
def test_a_table_that_was_cut_short_is_not_read(results: Results, tmp_path: Path) -> None:
    folder = results.store.folder
    assert folder is not None
    copy = tmp_path / "copy"
    for path in folder.rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (copy / "tables/timeseries/shard-00001.parquet").write_bytes(b"PAR1")
    with pytest.raises(CivlabError) as caught:
        civlab.open(copy).pandas()
    assert caught.value.code == "RESULT_MISMATCH"


@pytest.mark.kernel
def test_row_groups_are_cut_by_members_and_not_by_batches(results: Results) -> None:
    from civlab.results.outcome import BatchOutcome, Rows

    def outcome(first: int, count: int) -> BatchOutcome:
        members = np.arange(first, first + count, dtype=np.int64)
        return BatchOutcome(
            first,
            METRICS,
            np.zeros((count, 32), np.uint8),
            np.tile(members[:, None], (3, 1, len(METRICS))),
            members,
            {"transmissions": Rows(members % 3, (np.repeat(members, members % 3),))},
        )

    for batches in ([10], [1] * 10, [3, 7], [4, 1, 5], [9, 1]):
        starts = np.cumsum([0, *batches[:-1]])
        groups = list(regroup((outcome(int(a), n) for a, n in zip(starts, batches, strict=True)), 4))
        assert [group.agents.tolist() for group in groups] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        assert [group.first for group in groups] == [0, 4, 8]
        for group in groups:
            rows = group.tables["transmissions"]
            assert rows.columns[0].tolist() == np.repeat(group.agents, group.agents % 3).tolist()
            assert group.series()["infectious"][0].tolist() == group.agents.tolist()


@pytest.mark.unit
@given(values=st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_spreads_are_exact_means_and_members_that_exist(values: list[int]) -> None:
    array = np.array(values, dtype=np.int64)
    for spread in spreads(HEADLINES, {headline.name: array for headline in HEADLINES}):
        scale = 10**6 if spread.name == "attack_rate" else 1
        low, high = np.percentile(array, (5, 95), method="inverted_cdf")
        assert (int(Decimal(spread.low) * scale), int(Decimal(spread.high) * scale)) == (int(low), int(high))
        digits = Decimal("0.000001") if scale > 1 else Decimal("0.01")
        assert abs(Decimal(spread.mean) - Decimal(sum(values)) / len(values) / scale) <= digits
