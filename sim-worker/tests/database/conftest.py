"""Small real runs of every model, each in a folder, and all of them loaded into one database file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import civlab
from civlab.cli.options import parse_design
from civlab.database.queries import queries_of
from parpour_contracts.scenario import MODELS

CopyOf = Callable[[Path], Path]
LOADED = ("climate", "epidemic", "exchange", "civilisation")
"""The models in the order of their runs in the database file."""
ASKED = tuple(model for model in MODELS if queries_of(model))
"""The models that ship queries."""

ECONOMY = """\
apiVersion: civlab/v1
model: exchange
title: Two hundred who save
ticks: 12
population: {size: 200, money: 1000000000}
exchange: {law: pooled, saving: 0.2}
"""
"""The sum of all squares is beyond 2^64 from the first round on: 200 times 10^18."""

CLIMATE = """\
apiVersion: civlab/v1
model: climate
title: Sixty years
ticks: 60
start: 1990
pathway: {kind: family, name: middle}
"""


WORLD = """\
apiVersion: civlab/v1
model: civilisation
title: Two small nations
ticks: 110
population: {size: 6000}
world:
  map: {regions: 6, sea: 0.3}
  nations:
    - {name: North, share: 0.6}
    - {name: South, share: 0.4}
"""
"""Long enough for a quarter that lies a year after another."""


@pytest.fixture(scope="session")
def scenarios(small_town: str) -> Mapping[str, tuple[str, str]]:
    """A scenario and a design of each model whose run takes milliseconds."""
    return {
        "civilisation": (WORLD, "replicate"),
        "climate": (CLIMATE, "replicate"),
        "epidemic": (small_town, "grid:disease.r0=2,4"),
        "exchange": (ECONOMY, "grid:exchange.saving=0,0.3,0.6"),
    }


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, scenarios: Mapping[str, tuple[str, str]]) -> Mapping[str, Path]:
    """A complete run of each model that ships queries, six members in two shards."""
    assert set(scenarios) == set(ASKED), "give the new model a small scenario above"
    folder = tmp_path_factory.mktemp("runs")
    for model, (text, design) in scenarios.items():
        civlab.run(
            text,
            folder / model,
            members=6,
            seed=5,
            shards=2,
            design=parse_design([design]),
            transmissions=model == "epidemic",
            threads=1,
        )
    return {model: folder / model for model in scenarios}


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory, runs: Mapping[str, Path]) -> Path:
    """All runs in one file, in the order of LOADED; tests that change it take a copy."""
    file = tmp_path_factory.mktemp("database") / "results.duckdb"
    for model in LOADED:
        civlab.load(runs[model], file)
    return file


@pytest.fixture
def copy_of(tmp_path: Path) -> CopyOf:
    """A copy of a run's folder or of a file, to be damaged."""

    def copied(original: Path) -> Path:
        target = tmp_path / f"copy-{original.name}"
        if original.is_dir():
            shutil.copytree(original, target)
        else:
            shutil.copy(original, target)
        return target

    return copied
