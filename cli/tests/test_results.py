"""Results that are plotted and downloaded, from a real run in a local folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from civlab.results.reader import Results
from civlab.runs import RunSpec
from civlab.runs.devices import choose_backend
from civlab.runs.whole import run_whole
from civlab.store import open_store
from parpour_cli.faults import CliError
from parpour_cli.results import fetch
from parpour_contracts.scenario import BUILTIN
from parpour_contracts.simulation import Ensemble

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A small complete run."""
    spec = RunSpec.create(
        BUILTIN["epidemic-contact"],
        overrides={"population.size": "2000"},
        seed=3,
        ticks=60,
        ensemble=Ensemble(members=4),
        shards=2,
    )
    store = open_store(tmp_path_factory.mktemp("run"), create=True)
    assert run_whole(spec, store, choose_backend("cpu", threads=1)).manifest
    return Results(store)


def test_a_download_opens_as_the_run_it_was(results: Results, tmp_path: Path) -> None:
    fetch(results, tmp_path / "out")
    copy = Results(open_store(tmp_path / "out"))
    assert copy.manifest == results.manifest
    assert copy.arrow().equals(results.arrow())
    assert not (tmp_path / "out" / "checkpoints").exists()


def test_a_download_may_be_repeated_over_itself(results: Results, tmp_path: Path) -> None:
    fetch(results, tmp_path)
    (tmp_path / results.manifest.tables[0].path).write_bytes(b"cut")
    fetch(results, tmp_path)
    assert Results(open_store(tmp_path)).arrow().equals(results.arrow())


def test_a_download_never_mixes_with_other_files(results: Results, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CliError) as caught:
        fetch(results, tmp_path)
    assert caught.value.code == "DOWNLOAD_PLACE_TAKEN"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
