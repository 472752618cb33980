"""Backends say what is missing, and the team of threads survives concurrency and forks."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from civlab.errors import CivlabError
from civlab.models.epidemic.compile import compile_scenario
from civlab.models.epidemic.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend, best_level, load
from civlab.runtime.building import build, levels, library
from civlab.runtime.chain import run_digest
from civlab.runtime.world import World
from parpour_contracts.scenario import BUILTIN, override, parse_scenario

pytestmark = pytest.mark.kernel


def digest_of(seed: int, threads: int = 2) -> bytes:
    """The digest of a small run with a team of threads."""
    scenario = override(parse_scenario(BUILTIN["epidemic"]), {"population.size": "30000", "ticks": "15"})
    members = [MemberSpec(index, index, compile_scenario(scenario)) for index in range(3)]
    world = World.create(MODEL, members, seed=seed, backend=Backend.cpu(threads))
    world.advance(15)
    return run_digest(world.member_digests())


def into(queue: multiprocessing.Queue[bytes]) -> None:
    """Runs in a forked child."""
    queue.put(digest_of(1))


def test_runs_at_the_same_time_share_the_team_without_mixing() -> None:
    expected = {seed: digest_of(seed, threads=1) for seed in (1, 2, 3)}
    with ThreadPoolExecutor(3) as pool:
        found = dict(zip(expected, pool.map(digest_of, expected), strict=True))
    assert found == expected


def test_a_forked_child_gathers_a_team_of_its_own() -> None:
    expected = digest_of(1)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=into, args=(queue,))
    child.start()
    assert queue.get(timeout=120) == expected
    child.join(30)
    assert child.exitcode == 0


def test_threads_beyond_the_processors_and_none_at_all() -> None:
    assert digest_of(4, threads=9) == digest_of(4, threads=1)
    with pytest.raises(CivlabError) as refused:
        Backend.cpu(0)
    assert refused.value.code == "BACKEND_THREADS"


def test_a_missing_library_and_a_missing_gpu_come_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(CivlabError) as refused:
        load(str(tmp_path / "libcivlab-none.so"))
    assert (refused.value.code, "reinstall" in refused.value.message) == ("BACKEND_LIBRARY_MISSING", True)
    try:
        Backend.cuda()
    except CivlabError as error:
        unavailable = error
    else:
        return
    assert unavailable.code == "BACKEND_CUDA_UNAVAILABLE"
    assert "CPU" in unavailable.message


def test_the_best_level_is_one_that_was_built() -> None:
    assert best_level() in levels()
    assert all(library(level).exists() for level in levels())


@pytest.mark.long
def test_a_missing_compiler_is_named_with_the_package_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(RuntimeError, match="install gcc"):
        build(levels()[0], tmp_path / "x.so")
    monkeypatch.delenv("CC")
    with pytest.raises(RuntimeError, match="failed to build"):
        build(levels()[0], tmp_path / "x.so", defines=["u32=!"])
