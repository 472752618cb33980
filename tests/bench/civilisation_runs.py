"""Whole runs of a million citizens: what results and checkpoints cost, and the command that the documentation shows.

The share of the results is taken within one run, from its last tick on, so that no difference of two long times is
needed; it holds the final digests, all tables and the manifest. Reports and checkpoints are not in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.civilisation_worlds import CITIZENS, SEED, civilisation, world_of
from bench.measure import Figure, Sample, cpu_seconds, figure
from civlab.models.civilisation.compile import compile_civilisation
from civlab.models.civilisation.model import MODEL
from civlab.runs.checkpoints import Checkpoint, RunningBatch, ShardCheckpoints
from civlab.runs.progress import ShardProgress
from civlab.runs.snapshots import decode_snapshot, encode_snapshot
from civlab.runs.spec import RunSpec
from civlab.runs.whole import run_whole
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from civlab.store import open_store
from parpour_contracts.scenario import BUILTIN

TICKS = 520
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "two-nations.yaml"
MIB = 1 << 20


def result_share(threads: int) -> tuple[float, float]:
    """CPU seconds of the results of a run of ten years, and their share of the whole run's in per cent."""
    spec = RunSpec.create(BUILTIN["two-nations"], population=CITIZENS, ticks=TICKS, seed=SEED)
    ended = 0.0

    def watch(progress: ShardProgress) -> None:
        nonlocal ended
        if progress.ticks_done == progress.ticks_total and not ended:
            ended = cpu_seconds()

    with tempfile.TemporaryDirectory() as folder:
        began = cpu_seconds()
        run_whole(spec, open_store(folder, create=True), Backend.cpu(threads), checkpoint_every=0, on_progress=watch)
        spent = cpu_seconds() - ended
    return spent, 100 * spent / (spent + ended - began)


def result_figures(*, rounds: int) -> list[Figure]:
    """What results cost; two runs at most, because one takes a minute."""
    found = [result_share(threads=len(os.sched_getaffinity(0))) for _ in range(min(2, rounds))]
    return [
        figure(f"results of 1 M citizens and {TICKS} ticks", "CPU s", [seconds for seconds, _ in found]),
        figure("… of the whole run", "%", [share for _, share in found], at_most=5),
    ]


def checkpoint_times(world: World, folder: str) -> tuple[float, float, bool, int]:
    """Seconds to write a checkpoint and to go on from it, whether it is the same to the bit, and its bytes."""
    spec = MemberSpec(index=0, stream=0, scenario=compile_civilisation(civilisation()))
    store = open_store(folder, create=True)
    checkpoints = ShardCheckpoints(store, run_hash="bench", shard=0, shards=1)
    began = time.perf_counter()
    facts, arrays = encode_snapshot(world.snapshot())
    checkpoints.save(Checkpoint((), RunningBatch(0, 1, world.tick, facts, arrays)))
    written = time.perf_counter()
    standing = checkpoints.take_up()
    assert standing is not None
    assert standing.running is not None
    snapshot = decode_snapshot(standing.running.facts, standing.running.arrays)
    restored = World.restore(MODEL, [spec], seed=SEED, backend=world.backend, snapshot=snapshot)
    ended = time.perf_counter()
    same = restored.member_digests() == world.member_digests()
    return written - began, ended - written, same, sum(int(array.nbytes) for array in arrays.values())


def checkpoint_figures(*, rounds: int) -> list[Figure]:
    """Time to write a checkpoint of a million citizens and to restore it; elapsed, since it waits for a disk."""
    world = world_of(civilisation(), backend=Backend.cpu())
    world.advance(world.ticks // 2)
    found = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            found.append(checkpoint_times(world, folder))
    return [
        figure("checkpoint of 1 M citizens, written", "s", [times[0] for times in found], at_most=1),
        figure("… read and restored", "s", [times[1] for times in found]),
        figure("… restored to the same bits", "of 1", [float(times[2]) for times in found], at_least=1),
        figure("… its size", "MB", [times[3] / 1e6 for times in found]),
    ]


COMMAND = """
import atexit, os
from civlab.cli import main
atexit.register(lambda: open(os.environ["STATUS"], "w").write(open("/proc/self/status").read()))
main()
"""
"""A process tells its highest resident size itself, since what wait4 tells begins with that of the process that started
it."""


def command_run(folder: str) -> tuple[Sample, float]:
    """`civlab run` on the example as the documentation shows it, and its peak memory in MiB."""
    command = [sys.executable, "-c", COMMAND, "run", str(EXAMPLE)]
    command += ["--population", str(CITIZENS), "--ticks", str(TICKS), "-o", f"{folder}/out"]
    began = time.perf_counter()
    status_file = Path(folder) / "status"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {"STATUS": str(status_file)})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    sample = Sample(usage.ru_utime + usage.ru_stime, time.perf_counter() - began)
    lines = status_file.read_text("ascii").splitlines()
    return sample, next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def command_figures(*, rounds: int) -> list[Figure]:
    """Time and peak memory of the command, checkpoints, results and report included; run once."""
    del rounds
    with tempfile.TemporaryDirectory() as folder:
        sample, peak = command_run(folder)
    name = f"civlab run two-nations --population {CITIZENS} --ticks {TICKS}"
    return [
        figure(name, "s elapsed", [sample.wall]),
        figure("… CPU time, checkpoints and report included", "CPU s", [sample.cpu]),
        figure("… peak memory", "MiB", [peak], at_most=1024),
    ]
