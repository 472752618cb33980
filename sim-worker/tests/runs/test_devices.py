"""Which device is chosen, and what is said when it is not there."""

from __future__ import annotations

import pytest

from civlab.errors import CivlabError
from civlab.runs.devices import choose_backend

pytestmark = pytest.mark.kernel


def test_the_cpu_is_taken_when_it_is_asked_for() -> None:
    assert choose_backend("cpu", threads=2).name == "cpu"


def test_auto_takes_a_gpu_exactly_where_asking_for_one_would_succeed() -> None:
    try:
        expected = choose_backend("cuda").name
    except CivlabError as fault:
        assert fault.code == "BACKEND_CUDA_UNAVAILABLE"  # noqa: PT017
        assert "CPU" in fault.message  # noqa: PT017
        expected = "cpu"
    assert choose_backend("auto").name == expected


@pytest.mark.parametrize(("name", "threads", "code"), [("tpu", None, "BACKEND_UNKNOWN"), ("cpu", 0, "BACKEND_THREADS")])
def test_nonsense_is_refused(name: str, threads: int | None, code: str) -> None:
    with pytest.raises(CivlabError) as caught:
        choose_backend(name, threads=threads)
    assert caught.value.code == code
