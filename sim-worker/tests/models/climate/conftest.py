"""Fixtures of the climate's tests: its equations as plain functions, and worlds of a few members."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from civlab.models.climate.compile import CompiledClimate, compile_climate
from civlab.models.climate.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.building import FLAGS, PACKAGE
from civlab.runtime.world import World
from parpour_contracts.scenario import ClimateScenario, parse_scenario

MakeWorld = Callable[..., World]


def document(family: str = "middle", ticks: int = 300) -> str:
    """A scenario that follows a family with the published ensemble."""
    return (
        f"apiVersion: civlab/v1\nmodel: climate\ntitle: A climate\nticks: {ticks}\n"
        f"pathway: {{kind: family, name: {family}}}\n"
    )


@pytest.fixture
def compile_family() -> Callable[..., CompiledClimate]:
    """The compiled scenario of a family: compile_family("low", 300)."""
    return lambda *arguments: compile_climate(document_of(document(*arguments)))


def document_of(text: str) -> ClimateScenario:
    """The parsed scenario."""
    scenario = parse_scenario(text)
    assert isinstance(scenario, ClimateScenario)
    return scenario


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The climate's headers as functions on doubles."""
    target = tmp_path_factory.mktemp("climate") / "probe.so"
    folders = [f"-I{PACKAGE / 'kernels'}", f"-I{PACKAGE / 'models' / 'climate' / 'kernels'}"]
    source = Path(__file__).parent / "probe.c"
    subprocess.run(["cc", *FLAGS, *folders, str(source), "-o", str(target)], check=True)
    library = ctypes.CDLL(str(target))
    for name in ("probe_fold", "probe_damage", "probe_sea"):
        getattr(library, name).restype = ctypes.c_double
    library.probe_whole.restype = ctypes.c_int64
    return library


@pytest.fixture
def make_world() -> MakeWorld:
    """A world of some members on the CPU: make_world("low", 300, members=3, threads=1), or make_world(text=...)."""

    def make(
        *arguments: object,
        text: str = "",
        members: int = 3,
        threads: int = 1,
        backend: Backend | None = None,
    ) -> World:
        compiled = compile_climate(document_of(text or document(*arguments)))  # type: ignore[arg-type]
        specs = [MemberSpec(index, index, compiled) for index in range(members)]
        return World.create(MODEL, specs, seed=1, backend=backend or Backend.cpu(threads))

    return make
