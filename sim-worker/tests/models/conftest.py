"""Fixtures of the model tests: backends, and worlds from a few lines of YAML."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from civlab.runtime.backend import Backend
from civlab.runtime.building import levels
from civlab.runtime.world import MemberSpec, World, compile_scenario
from parpour_contracts.scenario import override, parse_scenario

sys.path.insert(0, str(Path(__file__).parent))

Build = Callable[..., World]


def cuda_is_here() -> bool:
    """Whether a CUDA device can be used, without which the same tests run on the CPU alone."""
    try:
        import cupy
    except ImportError:
        return False
    return bool(cupy.cuda.is_available())


BACKENDS = ["cpu", "cuda"] if cuda_is_here() else ["cpu"]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Each backend of this machine in turn."""
    yield Backend.cpu(2) if request.param == "cpu" else Backend.cuda()


@pytest.fixture(params=levels())
def level(request: pytest.FixtureRequest) -> str:
    """Each compiled library of this machine's architecture."""
    return str(request.param)


@pytest.fixture
def build() -> Build:
    """Makes a world of one scenario text: build(text, members=3, seed=7, backend=..., **overrides)."""

    def make(
        text: str,
        *,
        members: int = 1,
        seed: int = 7,
        backend: Backend | None = None,
        parameters: dict[str, str] | None = None,
    ) -> World:
        scenario = compile_scenario(override(parse_scenario(text), parameters or {}))
        specs = [MemberSpec(index, index, scenario) for index in range(members)]
        return World.create(specs, seed=seed, backend=backend or Backend.cpu(1))

    return make
