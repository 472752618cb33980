"""Builders for runs: specs of the small town, and runs of them in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from civlab.results.manifest import RunManifest
from civlab.runs.spec import RunSpec
from civlab.runs.whole import run_whole
from civlab.runtime.backend import Backend
from civlab.store import Store, open_store
from parpour_contracts.simulation import Ensemble

MakeSpec = Callable[..., RunSpec]
Complete = Callable[..., tuple[Store, RunManifest]]


@pytest.fixture
def make_spec(small_town: str) -> MakeSpec:
    """A spec of the small town; keywords are RunSpec.create's, `members` makes the ensemble."""

    def build(*, members: int = 6, design: dict[str, Any] | None = None, **rest: Any) -> RunSpec:
        ensemble = Ensemble.model_validate({"members": members, "design": design or {"type": "Replicate"}})
        return RunSpec.create(rest.pop("text", small_town), ensemble=ensemble, **{"seed": 11, **rest})

    return build


@pytest.fixture
def cpu() -> Backend:
    """The CPU with one thread."""
    return Backend.cpu(1)


@pytest.fixture
def complete(cpu: Backend) -> Complete:
    """Runs a spec undisturbed in memory: the store and the manifest."""

    def build(spec: RunSpec, **rest: Any) -> tuple[Store, RunManifest]:
        store = open_store("memory://")
        outcome = run_whole(spec, store, rest.pop("backend", cpu), **{"checkpoint_every": 0, **rest})
        assert outcome.manifest is not None
        return store, outcome.manifest

    return build
