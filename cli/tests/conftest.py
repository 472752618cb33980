"""Builders of the objects that an API server serves, and a way to see what is drawn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import settings
from rich.console import Console, RenderableType

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

Build = Callable[..., dict[str, Any]]
"""Makes an object as the API server serves it."""

Draw = Callable[[RenderableType], str]
"""Turns what rich draws into text."""

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

RESULT = {
    "digest": "ab" * 32,
    "store": "s3://parpour/results/default/uid-1",
    "members": 16,
    "metrics": [
        {"name": "attack_rate", "mean": "0.7912", "low": "0.78", "high": "0.81", "unit": "share"},
        {"name": "deaths", "mean": "41.5", "low": "30", "high": "52", "unit": "persons"},
    ],
}


def build_simulation(
    name: str = "epidemic",
    *,
    state: str = "Running",
    members: int = 16,
    shards: int = 4,
    progress: dict[str, Any] | None = None,
    conditions: list[dict[str, Any]] | None = None,
    result: dict[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A Simulation as JSON; `spec` adds fields to its spec."""
    status: dict[str, Any] = {"state": state, "shards": shards, "scenario": "epidemic", "conditions": conditions or []}
    if progress is not None:
        status["progress"] = progress
    if result is not None:
        status["result"] = result
    return {
        "apiVersion": "parpour.dev/v1alpha1",
        "kind": "Simulation",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": "uid-1",
            "resourceVersion": "7",
            "creationTimestamp": "2026-03-01T11:57:00Z",
        },
        "spec": {"scenario": {"builtin": "epidemic"}, "ensemble": {"members": members}, **spec},
        "status": status,
    }


def build_condition(type: str, status: str, reason: str, message: str = "") -> dict[str, Any]:
    """A condition since a minute ago."""
    return {
        "type": type,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-03-01T11:59:00Z",
        "observedGeneration": 1,
    }


def build_pod(
    index: int | None, phase: str, *, name: str = "", created: int = 0, deleting: bool = False
) -> dict[str, Any]:
    """A worker pod; without an index it is one that collects."""
    labels = {"parpour.dev/simulation": "epidemic"}
    if index is not None:
        labels["batch.kubernetes.io/job-completion-index"] = str(index)
    metadata: dict[str, Any] = {
        "name": name or f"epidemic-shards-{index}-x",
        "labels": labels,
        "creationTimestamp": f"2026-03-01T11:58:{created:02d}Z",
    }
    if deleting:
        metadata["deletionTimestamp"] = "2026-03-01T11:59:00Z"
    return {"metadata": metadata, "spec": {"nodeName": "node-1"}, "status": {"phase": phase}}


def draw_text(drawn: RenderableType) -> str:
    """What a wide terminal without colours would show."""
    console = Console(width=200, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as capture:
        console.print(drawn)
    return capture.get()


@pytest.fixture
def now() -> datetime:
    """The time of every test."""
    return NOW


@pytest.fixture
def simulation() -> Build:
    """`build_simulation`."""
    return build_simulation


@pytest.fixture
def condition() -> Build:
    """`build_condition`."""
    return build_condition


@pytest.fixture
def pod() -> Build:
    """`build_pod`."""
    return build_pod


@pytest.fixture
def result() -> dict[str, Any]:
    """A complete Simulation's result."""
    return dict(RESULT)


@pytest.fixture
def draw() -> Draw:
    """`draw_text`."""
    return draw_text
