"""The run document: what the operator hands to worker pods, and all that a run's results depend on.

It is a snapshot (the scenario's text is in it, not a reference), it is canonical JSON, and it is immutable: a worker
that finds another document under the same prefix refuses to go on.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from parpour_contracts.model import Document
from parpour_contracts.simulation import Backend, Ensemble

RUN_FILE = "run.json"
"""Key of the run document in the shard Job's ConfigMap, and its name below the run's prefix in the store."""

WORKER_BASE_MEMORY = 192 * 1024**2
"""Bytes that a worker takes whatever it simulates: interpreter and libraries (about 100 MiB), and a row group of
tables while it is written (at most 70)."""
LEAST_SHARE = 8
"""A worker whose limit hardly holds the program still tries with one part in so many."""


class RunIdentity(Document):
    """Which resource a run belongs to. Not part of what its digest covers."""

    uid: str
    """UID of the Simulation, or any unique token outside a cluster."""
    namespace: str = ""
    """Namespace of the Simulation."""
    name: str = ""
    """Name of the Simulation."""


class RunDocument(Document):
    """One run: scenario, parameters, ensemble, and how it is cut and stored."""

    api_version: Literal["civlab.run/v1"] = "civlab.run/v1"
    """Version of this document."""
    run: RunIdentity
    """Whose run it is."""
    scenario: str
    """The scenario document's text, as it was at the start."""
    parameters: dict[str, str] = {}
    """Overrides: dotted path to decimal text."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    """Seed of every random number."""
    ticks: Annotated[int, Field(ge=1)]
    """Number of ticks."""
    ensemble: Ensemble = Ensemble()
    """Members and design."""
    shards: Annotated[int, Field(ge=1)] = 1
    """How many shards the members are cut into; the results do not depend on it."""
    backend: Backend = Backend.AUTO
    """Device to use; the results do not depend on it."""
    checkpoint_every_ticks: Annotated[int, Field(ge=0)] = 30
    """Ticks between checkpoints; the results do not depend on it."""
    store: str
    """Address of the run's own prefix in the output store."""


def shard_members(*, members: int, shards: int, shard: int) -> range:
    """The members of one shard: contiguous, ordered, sizes that differ by at most one.

    Raises:
        ValueError: if there are more shards than members, or no such shard.
    """
    if not 1 <= shards <= members or not 0 <= shard < shards:
        raise ValueError(f"no shard {shard} of {shards} for {members} members")
    return range(shard * members // shards, (shard + 1) * members // shards)


def worlds_memory(limit: int) -> int:
    """Bytes that worlds and their copies may take of a worker whose memory limit this is."""
    return max(limit - WORKER_BASE_MEMORY, limit // LEAST_SHARE)


def limit_for(worlds: int) -> int:
    """The least memory limit, in bytes, of a worker that is to hold so many bytes of worlds and copies."""
    return min(worlds + WORKER_BASE_MEMORY, worlds * LEAST_SHARE)
