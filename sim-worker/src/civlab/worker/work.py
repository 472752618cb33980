"""The three things a pod does: run a shard, collect the run, erase the run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from civlab.errors import CivlabError
from civlab.runs import RunSpec, collect, run_shard
from civlab.runs.devices import choose_backend
from civlab.store import open_store
from civlab.worker.ending import Ending, done, stopped
from civlab.worker.reporting import Reporter
from civlab.worker.surroundings import Surroundings
from parpour_contracts.exitcodes import ExitCode
from parpour_contracts.messages import ProgressV1, Termination
from parpour_contracts.run import RunDocument
from parpour_contracts.simulation import Metric

log = logging.getLogger(__name__)


def run_one_shard(
    document: RunDocument,
    *,
    shard: int,
    surroundings: Surroundings,
    publish: Callable[[ProgressV1], None],
    stop: Callable[[], bool],
    now: Callable[[], datetime],
    monotonic: Callable[[], float],
) -> Ending:
    """Run one shard to its end or to the wish to stop.

    Two pods may work on one shard for a while (a node that was thought lost comes back). They write equal bytes, and
    whichever is later finds the other's manifest.

    Raises:
        CivlabError, ScenarioError: as `RunSpec.from_document`, `choose_backend` and `run_shard` do; NODE_MEMORY_SHORT
            where nothing but the node's free memory is too small for one member.
    """
    spec = RunSpec.from_document(document)
    store = open_store(document.store, create=True)
    backend = choose_backend(document.backend.lower(), threads=surroundings.threads)
    log.info(
        "shard %d of %d: members %s, %d ticks, %s on %d threads",
        shard,
        spec.shards,
        _span(spec.shard_range(shard)),
        spec.ticks,
        backend.name,
        surroundings.threads,
    )
    report = Reporter(run=document.run.uid, publish=publish, stopping=stop, now=now, monotonic=monotonic)
    try:
        outcome = run_shard(
            spec,
            shard,
            store,
            backend,
            checkpoint_every=document.checkpoint_every_ticks,
            memory=surroundings.memory,
            on_progress=report,
            stop=stop,
        )
    except CivlabError as fault:
        if fault.code == "RUN_MEMORY_TOO_SMALL" and surroundings.memory is None:
            raise _node_is_full(fault) from None
        raise
    if outcome.done:
        report.finish(outcome, shards=spec.shards)
        return done(f"shard {shard} of {spec.shards} is done, its manifest stands")
    left = outcome.ticks_total - outcome.ticks_done
    return stopped(f"stopped with {left} of {outcome.ticks_total} ticks left; the next pod resumes from the checkpoint")


def _node_is_full(fault: CivlabError) -> CivlabError:
    """Without a limit it is the node's memory that is short, and another attempt may meet another node or moment."""
    return CivlabError(
        "NODE_MEMORY_SHORT",
        "spec.resources.requests.memory",
        f"is unset, and this node is too full: {fault.message}; set it, and pods go where there is room",
    )


def _span(members: range) -> str:
    return f"{members.start} to {members.stop - 1}"


def collect_run(document: RunDocument) -> Ending:
    """Verify all shards, write the run's manifest, and carry its digest and figures in the termination message.

    Raises:
        CivlabError: as `collect` does; RUN_NOT_COMPLETE while a shard's manifest is missing.
    """
    manifest = collect(RunSpec.from_document(document), open_store(document.store, create=True))
    log.info("digest %s, %d members", manifest.digest, manifest.members)
    figures = tuple(
        Metric(name=item.name, mean=item.mean, low=item.low, high=item.high, unit=item.unit)
        for item in manifest.metrics
    )
    return Ending(
        exit_code=ExitCode.DONE,
        termination=Termination(code="DONE", digest=manifest.digest, members=manifest.members, metrics=figures),
    )


def erase_run(document: RunDocument) -> Ending:
    """Delete every object below the run's prefix. What is gone already is no fault.

    Raises:
        CivlabError: STORE_ADDRESS_WRONG for a prefix that is not this run's alone, and nothing is deleted then; or
            when the store refuses or does not answer.
    """
    if not document.store.rstrip("/").endswith(f"/{document.run.uid}"):
        raise CivlabError(
            "STORE_ADDRESS_WRONG",
            document.store,
            f"does not end in the run's own name {document.run.uid}; what may belong to others is not erased",
        )
    store = open_store(document.store, create=True)
    paths = store.list("")
    store.delete(paths)
    return done(f"erased {len(paths)} objects below {store.url}")
