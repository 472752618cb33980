"""Leads a Simulation through its life on a cluster in memory: the one builder of the operator's tests."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from parpour_contracts.messages import Termination
from parpour_contracts.simulation import Metric
from parpour_operator.aggregating import ProgressBoard
from parpour_operator.observing import Key
from parpour_operator.reconciling import Outcome, Reconciler
from parpour_operator.settings import Settings
from parpour_operator.testing.memory import DIGEST, Crash, MemoryCluster, stamp
from parpour_operator.testing.money import MemoryTreasury

SCENARIO = """
apiVersion: civlab/v1
model: epidemic
title: A small town
ticks: 100
population: {size: 1000}
disease: {r0: 2.5}
"""


def spec(**changes: Any) -> dict[str, Any]:
    """A Simulation's spec that is accepted, with changes."""
    base: dict[str, Any] = {"scenario": {"inline": SCENARIO}, "ensemble": {"members": 8}, "shards": 4}
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


@dataclass
class Life:
    """A Simulation's life on a cluster in memory: reconcile, let Kubernetes act, again."""

    settings: Settings
    cluster: MemoryCluster = field(default_factory=MemoryCluster)
    treasury: MemoryTreasury | None = None
    crashes: int = 0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process: nothing in memory survives."""
        board = ProgressBoard(clock=self.cluster.clock.seconds, interval=10.0)
        self.reconciler = Reconciler(
            api=self.cluster, settings=self.settings, board=board, now=self.cluster.clock.now, treasury=self.treasury
        )

    def reconcile(self, key: Key) -> Outcome:
        """One reconciliation, repeated by a fresh process if it crashes."""
        while True:
            try:
                return asyncio.run(self.reconciler.reconcile(key))
            except Crash:
                self.crashes += 1
                self.restart()

    def status(self, key: Key) -> dict[str, Any]:
        found = self.cluster.find("Simulation", key.name, namespace=key.namespace)
        assert found is not None
        return dict(found["status"])

    def condition(self, key: Key, kind: str) -> dict[str, Any] | None:
        return next((c for c in self.status(key).get("conditions", ()) if c["type"] == kind), None)

    def run_shards(self, key: Key) -> None:
        """Kubernetes starts the pods."""
        name = f"{key.name}-shards"
        job = self.cluster.objects[("Job", key.namespace, name)]
        shards = job["spec"]["completions"]
        self.cluster.put_pod(name, index=0)
        begun = {} if "startTime" in job.get("status", {}) else {"startTime": stamp(self.cluster.clock.now())}
        self.cluster.set_job(name, active=shards, ready=shards, **begun)

    def finish_shards(self, key: Key) -> None:
        """All pods exit 0."""
        name = f"{key.name}-shards"
        shards = self.cluster.objects[("Job", key.namespace, name)]["spec"]["completions"]
        self.cluster.end_job(name, "Complete", succeeded=shards, completedIndexes=f"0-{shards - 1}")

    def finish_collect(self, key: Key, members: int = 8) -> None:
        """The collecting pod tells the digest."""
        metric = Metric(name="attack_rate", mean="0.8", low="0.7", high="0.9", unit="share")
        said = Termination(code="DONE", digest=DIGEST, members=members, metrics=(metric,))
        self.cluster.put_pod(f"{key.name}-collect", exit_code=0, exit_reason="Completed", said=said)
        self.cluster.end_job(f"{key.name}-collect", "Complete", succeeded=1)

    def complete(self, key: Key) -> dict[str, Any]:
        """Lead it from creation to the end; the final status."""
        acts = (self.run_shards, self.finish_shards, self.finish_collect)
        self.reconcile(key)
        for act in acts:
            self.cluster.clock.advance(5)
            act(key)
            self.reconcile(key)
        return self.status(key)
