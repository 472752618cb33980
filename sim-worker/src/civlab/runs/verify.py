"""Checks a complete run against itself and against the model: every file's hash, and members run again.

Files prove that nothing was changed since; only running again proves that the numbers are what the scenario, the seed
and this version of the model make of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from civlab.errors import CivlabError
from civlab.results.columns import to_arrow
from civlab.results.manifest import RunManifest, ShardManifest
from civlab.results.reader import Results
from civlab.runs.batches import batch_size, free_memory
from civlab.runs.collect import check_file
from civlab.runs.spec import RunSpec
from civlab.runtime.backend import Backend
from civlab.runtime.chain import run_digest
from civlab.runtime.world import World
from civlab.store import Store

MemberWatcher = Callable[[int, int], None]


def uncounted(_done: int, _total: int) -> None:
    """A watcher of members that looks away."""


@dataclass(frozen=True)
class Finding:
    """One thing that does not hold: a stable code, where, and what."""

    code: str
    path: str
    message: str


@dataclass(frozen=True)
class Verification:
    """What was checked and what was found; empty findings mean that everything held.

    Members are run again only where the files hold, since nothing could be told from files that were changed.
    """

    digest: str
    files: int
    members: int
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify_run(
    store: Store,
    backend: Backend,
    *,
    members: int | None = None,
    memory: int | None = None,
    on_member: MemberWatcher = uncounted,
) -> Verification:
    """Check all files, the digests and, by running them again, `members` members spread evenly (default all).

    Raises CivlabError when the run cannot be read at all; what does not hold is in the findings.
    """
    spec, manifest = RunSpec.load(store), RunManifest.load(store)
    total = spec.ensemble.members
    if members is not None and not 0 <= members <= total:
        raise CivlabError("MEMBERS_OUT_OF_RANGE", "--members", f"{members} is not within 0..{total}")
    findings: list[Finding] = []
    for item in manifest.tables:
        try:
            check_file(store, item)
        except CivlabError as fault:
            findings.append(Finding(fault.code, fault.path, fault.message))
    digests = _stated_digests(spec, store, manifest, findings)
    chosen = range(total) if members is None else sorted({index * total // members for index in range(members)})
    if findings:
        return Verification(manifest.digest, len(manifest.tables), 0, tuple(findings))
    findings += _rerun(spec, store, backend, list(chosen), digests, memory, on_member)
    return Verification(manifest.digest, len(manifest.tables), len(chosen), tuple(findings))


def _stated_digests(spec: RunSpec, store: Store, manifest: RunManifest, findings: list[Finding]) -> list[str]:
    digests: list[str] = []
    for shard in range(spec.shards):
        try:
            stated = ShardManifest.find(store, shard)
        except CivlabError as fault:
            findings.append(Finding(fault.code, fault.path, fault.message))
            return digests
        if stated is None:
            findings.append(Finding("RUN_NOT_COMPLETE", ShardManifest.path(shard), "the shard's manifest is missing"))
            return digests
        digests += stated.digests
    if len(digests) != spec.ensemble.members:
        findings.append(
            Finding("RESULT_MISMATCH", "shards", f"{len(digests)} digests for {spec.ensemble.members} members")
        )
    elif run_digest([bytes.fromhex(digest) for digest in digests]).hex() != manifest.digest:
        findings.append(Finding("RESULT_MISMATCH", "manifest.json", "the run's digest is not that of its members"))
    if manifest.run != spec.run_hash:
        findings.append(Finding("RESULT_MISMATCH", "manifest.json", "the manifest belongs to another run"))
    return digests


def _rerun(
    spec: RunSpec,
    store: Store,
    backend: Backend,
    chosen: list[int],
    digests: list[str],
    memory: int | None,
    on_member: MemberWatcher,
) -> list[Finding]:
    findings: list[Finding] = []
    budget = free_memory() if memory is None else memory
    done = 0
    while done < len(chosen):
        batch = chosen[done : done + batch_size(spec, chosen[done:], memory=budget)]
        world = World.create(spec.model, spec.members(batch), seed=spec.seed, backend=backend)
        world.advance(spec.ticks)
        for place, (index, digest) in enumerate(zip(batch, world.member_digests(), strict=True)):
            if digest.hex() != digests[index]:
                series = {name: values[:, place] for name, values in world.metrics(0, spec.ticks).items()}
                findings.append(
                    Finding("DIGEST_MISMATCH", f"member {index}", _first_difference(Results(store), index, series))
                )
        done += len(batch)
        on_member(done, len(chosen))
    return findings


def _first_difference(results: Results, member: int, series: dict[str, np.ndarray]) -> str:
    ticks = results.manifest.ticks
    table = results.arrow("timeseries").slice(member * ticks, ticks)
    found = {name: to_arrow(values, table.schema.field(name).type).to_pylist() for name, values in series.items()}
    for tick in range(ticks):
        for name, values in found.items():
            stored = table.column(name)[tick].as_py()
            if stored != values[tick]:
                return f"runs otherwise from tick {tick} on: {name} is {values[tick]}, stored is {stored}"
    return "has the stored metrics but another digest: an agent's course differs, or this version is another"
