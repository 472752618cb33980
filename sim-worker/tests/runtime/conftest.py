"""Fixtures of the runtime tests: the probe, plain functions compiled from the kernels' headers."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import pytest

from civlab.runtime.building import FLAGS, PACKAGE, levels

from .segments import SOURCE


def compile_segments(target: Path, *defines: str) -> ctypes.CDLL:
    """The kernels of segments.c and the team of threads as a library, at the first level of this architecture."""
    level = levels()[0]
    march = [] if level == "plain" else [f"-march=x86-64-{level}"]
    kernels = PACKAGE / "kernels"
    command = ["cc", *FLAGS, *march, *defines, f"-I{kernels}", str(SOURCE), str(kernels / "team.c"), "-o", str(target)]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(target))


@pytest.fixture(scope="session", params=["one lane", "five lanes"])
def kernels(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The segments' kernels: as a CPU runs them, and with several lanes a tile as on a GPU."""
    defines = ["-DCIVLAB_LANES=5u"] if request.param == "five lanes" else []
    return compile_segments(tmp_path_factory.mktemp("segments") / "segments.so", *defines)


@pytest.fixture(scope="session", params=levels())
def probe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The headers' functions, compiled as the kernels are, at each level of this architecture."""
    target = tmp_path_factory.mktemp("probe") / f"probe-{request.param}.so"
    march = [] if request.param == "plain" else [f"-march=x86-64-{request.param}"]
    source = Path(__file__).parent / "probe.c"
    command = ["cc", *FLAGS, *march, f"-I{PACKAGE / 'kernels'}", str(source), "-o", str(target)]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(str(target))
    for name in ("probe_q63_times", "probe_product_floor", "probe_product_half_even"):
        getattr(library, name).restype = ctypes.c_uint64
    for name in ("probe_divide_product", "probe_logit"):
        getattr(library, name).restype = ctypes.c_uint64
    library.probe_q32_times.restype = ctypes.c_int64
    for name in ("probe_q31_times", "probe_table_value", "probe_quantile"):
        getattr(library, name).restype = ctypes.c_uint32
    return library
