"""What a pod reads from environment and cgroup."""

from __future__ import annotations

from pathlib import Path

import pytest

from civlab.errors import CivlabError
from civlab.worker.surroundings import memory_limit, read_surroundings
from parpour_contracts.run import WORKER_BASE_MEMORY

pytestmark = pytest.mark.unit

GIB = 1 << 30


def test_a_cgroup_v2_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(f"{GIB}\n")
    assert memory_limit(tmp_path) == GIB


def test_a_cgroup_v1_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text(f"{GIB}\n")
    assert memory_limit(tmp_path) == GIB


@pytest.mark.parametrize("text", ["max\n", "9223372036854771712\n", "", "nonsense"])
def test_no_limit_is_no_limit(tmp_path: Path, text: str) -> None:
    (tmp_path / "memory.max").write_text(text)
    assert memory_limit(tmp_path) is None
    assert read_surroundings({}, cgroup_root=tmp_path).memory is None


def test_worlds_take_a_share_of_the_limit(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(str(GIB))
    assert read_surroundings({}, cgroup_root=tmp_path).memory == GIB - WORKER_BASE_MEMORY


def test_threads_follow_the_pods_variable_before_openmps(tmp_path: Path) -> None:
    both = {"CIVLAB_THREADS": "3", "OMP_NUM_THREADS": "5"}
    assert read_surroundings(both, cgroup_root=tmp_path).threads == 3
    assert read_surroundings({"OMP_NUM_THREADS": "5"}, cgroup_root=tmp_path).threads == 5
    assert read_surroundings({}, cgroup_root=tmp_path).threads >= 1


@pytest.mark.parametrize("name", ["CIVLAB_THREADS", "OMP_NUM_THREADS", "JOB_COMPLETION_INDEX", "CIVLAB_GRACE_SECONDS"])
@pytest.mark.parametrize("text", ["x", "-1", "1.5", "1e3", "99999999999", "²"])
def test_a_wrong_number_names_its_variable(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(CivlabError) as caught:
        read_surroundings({name: text}, cgroup_root=tmp_path)
    assert caught.value.code == "WORKER_SETTING_WRONG"
    assert caught.value.path == name
