"""Every kernel compiles for CUDA without a GPU, and its PTX holds only correctly rounded arithmetic."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from civlab.models import model_of
from civlab.runtime.backend import CUDA_OPTIONS, flat_source, kernel_source
from civlab.runtime.building import PACKAGE
from parpour_contracts.scenario import MODELS

pytestmark = pytest.mark.kernel

SOURCES = sorted(PACKAGE.glob("models/*/kernels/*.c"))
EXACT_F64 = re.compile(
    r"(add|sub|mul|div|rcp|sqrt)\.rn\.f64|setp\.\w+\.f64|(ld|st)(\.\w+)*\.f64|mov\.f64|neg\.f64|abs\.f64|selp\.f64"
    r"|(min|max)\.f64|cvt\.rn\.f64\.[su]\d+|cvt\.rzi\.[su]\d+\.f64"
)


PROBES = [Path(__file__).parent / name for name in ("segments.c", "probe.c")]
"""What the tests call the headers through: together they use every function of every header."""
ARCHITECTURES = ("80", pytest.param("90", marks=pytest.mark.long))
"""Each compiles all kernels for half a minute; that of the newer one differs from the older one's in its name alone."""
ALL_FUNCTIONS = ("--device-as-default-execution-space", "-rdc=true")
"""Plain functions are compiled as a device's too, and kept though no kernel calls them."""


def ptx_of(source: Path, architecture: str, *options: str) -> str:
    """The PTX that NVRTC makes of a kernel's file."""
    import cupy  # noqa: F401  (makes the bundled NVRTC library known)
    from cupy_backends.cuda.libs import nvrtc  # type: ignore[import-untyped]

    program = nvrtc.createProgram(flat_source(source), source.name, (), ())
    try:
        nvrtc.compileProgram(program, (*CUDA_OPTIONS, *options, f"-arch=compute_{architecture}"))
    except nvrtc.NVRTCError:
        pytest.fail(nvrtc.getProgramLog(program))
    ptx = nvrtc.getPTX(program)
    return ptx.decode() if isinstance(ptx, bytes) else str(ptx)


def check_arithmetic(ptx: str) -> None:
    """No f32, no contraction, and of f64 only what is correctly rounded."""
    instructions = re.findall(r"^\s+(?:@!?%p\d+\s+)?([a-z]\w*\.[\w.:]+)", ptx, re.MULTILINE)
    assert len(instructions) > 20
    f32 = {name for name in instructions if ".f32" in name}
    assert f32 <= {"rcp.approx.f32"}, "only the reciprocal inside an integer division, whose result is exact"
    if f32:
        assert "__internal_fdividef" not in ptx
    assert not [name for name in instructions if name.startswith(("fma", "mad.f", "mad.rn"))]
    f64 = {name.rstrip(";") for name in instructions if ".f64" in name}
    assert not {name for name in f64 if not EXACT_F64.fullmatch(name)}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(
    "source",
    [pytest.param(source, marks=[pytest.mark.long] if "civilisation" in source.parts else []) for source in SOURCES],
    ids=lambda source: source.stem,
)
def test_the_ptx_has_no_f32_no_contraction_and_only_exact_f64(source: Path, architecture: str) -> None:
    ptx = ptx_of(source, architecture)
    assert f"{source.parent.parent.name}_{source.stem}" in ptx
    check_arithmetic(ptx)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("source", PROBES, ids=lambda source: source.stem)
def test_every_function_of_the_headers_compiles_to_exact_arithmetic(source: Path, architecture: str) -> None:
    ptx = ptx_of(source, architecture, *ALL_FUNCTIONS)
    assert "probe_" in ptx
    check_arithmetic(ptx)


def test_a_flat_source_holds_every_header_once_and_includes_nothing() -> None:
    for source in SOURCES:
        text = flat_source(source)
        assert "#include" not in text
        assert text.count("#define CIVLAB_H\n") == 1


@pytest.mark.parametrize("name", MODELS)
def test_every_phase_has_its_source(name: str) -> None:
    assert {kernel_source(phase.kernel) for phase in model_of(name).phases} <= set(SOURCES)
