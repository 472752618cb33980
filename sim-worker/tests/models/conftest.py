"""Fixtures of the model tests: the backends and libraries of this machine."""

from __future__ import annotations

import pytest

from civlab.runtime.backend import Backend
from civlab.runtime.building import levels


def cuda_is_here() -> bool:
    """Whether a CUDA device can be used, without which the same tests run on the CPU alone."""
    try:
        import cupy
    except ImportError:
        return False
    return bool(cupy.cuda.is_available())


BACKENDS = ["cpu", "cuda"] if cuda_is_here() else ["cpu"]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend of this machine in turn."""
    return Backend.cpu(2) if request.param == "cpu" else Backend.cuda()


@pytest.fixture(params=levels())
def level(request: pytest.FixtureRequest) -> str:
    """Each compiled library of this machine's architecture."""
    return str(request.param)
