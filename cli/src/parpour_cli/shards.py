"""What each shard is doing, from its pods: the Job's own counts do not say which index is where.

A shard may have had several pods; the newest one speaks for it, and the others are its attempts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

INDEX_LABEL = "batch.kubernetes.io/job-completion-index"


class ShardState(StrEnum):
    """A shard's state in one word."""

    WAITING = "Waiting"
    STARTING = "Starting"
    RUNNING = "Running"
    DONE = "Done"
    RETRYING = "Retrying"


@dataclass(frozen=True)
class ShardView:
    """One shard as its pods show it. `attempts` counts pods that the API server still knows."""

    index: int
    state: ShardState
    pod: str = ""
    node: str = ""
    attempts: int = 0


def shard_views(pods: Iterable[Mapping[str, Any]], *, shards: int) -> list[ShardView]:
    """One view a shard, in order; shards without a pod are waiting."""
    by_index: dict[int, list[Mapping[str, Any]]] = {}
    for pod in pods:
        index = pod_index(pod)
        if index is not None and index < shards:
            by_index.setdefault(index, []).append(pod)
    return [_view(index, by_index.get(index, [])) for index in range(shards)]


def pod_index(pod: Mapping[str, Any]) -> int | None:
    """The shard that a pod runs; None for the pods that collect or erase."""
    metadata = pod.get("metadata", {})
    text = (metadata.get("labels") or {}).get(INDEX_LABEL) or (metadata.get("annotations") or {}).get(INDEX_LABEL)
    return int(text) if text and str(text).isdecimal() else None


def _view(index: int, pods: list[Mapping[str, Any]]) -> ShardView:
    if not pods:
        return ShardView(index=index, state=ShardState.WAITING)
    newest = max(pods, key=lambda pod: (_phase(pod) == "Succeeded", str(pod["metadata"].get("creationTimestamp", ""))))
    return ShardView(
        index=index,
        state=_state(newest),
        pod=str(newest["metadata"].get("name", "")),
        node=str(newest.get("spec", {}).get("nodeName", "")),
        attempts=len(pods),
    )


def _phase(pod: Mapping[str, Any]) -> str:
    return str(pod.get("status", {}).get("phase", ""))


def _state(pod: Mapping[str, Any]) -> ShardState:
    phase = _phase(pod)
    if phase == "Succeeded":
        return ShardState.DONE
    if phase == "Failed" or "deletionTimestamp" in pod["metadata"]:
        return ShardState.RETRYING
    if phase == "Running":
        return ShardState.RUNNING
    return ShardState.STARTING if pod.get("spec", {}).get("nodeName") else ShardState.WAITING
