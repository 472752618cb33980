"""Builds the CPU library from the kernels' sources with the machine's C compiler.

The wheel's build hook runs it, and so do tests and benchmarks that need a variant; it imports nothing outside the
standard library, because the hook loads it before anything is installed.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
FLAGS = (
    "-std=c11",
    "-D_GNU_SOURCE",
    "-O3",
    "-ffp-contract=off",
    "-fno-fast-math",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fPIC",
    "-shared",
    "-pthread",
    "-fvisibility=default",
)
"""No contraction and no fast-math: every f64 operation is the correctly rounded one that a GPU does too."""


def sources(package: Path = PACKAGE) -> list[Path]:
    """Every C source of the runtime and the models, in a fixed order."""
    return sorted([*package.glob("kernels/*.c"), *package.glob("models/*/kernels/*.c")])


def levels() -> tuple[str, ...]:
    """The instruction-set levels that are built for this machine's architecture."""
    return ("v2", "v3") if platform.machine() in ("x86_64", "AMD64") else ("plain",)


def library(level: str, package: Path = PACKAGE) -> Path:
    """Where the library of a level lies."""
    return package / "kernels" / "lib" / f"libcivlab-{level}.so"


def build(
    level: str, target: Path, *, package: Path = PACKAGE, defines: Sequence[str] = (), options: Sequence[str] = ()
) -> None:
    """Compiles all sources into one shared library at `target`; `options` of the compiler come after `FLAGS`.

    A model's kernels find its own headers beside them, so each sees its own `struct World`.
    Uses $CC, or cc. Raises RuntimeError with the compiler's message, or with the package to install if there is none.
    """
    compiler = os.environ.get("CC", "cc")
    march = [] if level == "plain" else [f"-march=x86-64-{level}"]
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{os.getpid()}.part")
    command = [
        compiler,
        *FLAGS,
        *options,
        *march,
        *(f"-D{define}" for define in defines),
        f"-I{package / 'kernels'}",
        *(str(source) for source in sources(package)),
        "-o",
        str(unfinished),
    ]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise RuntimeError(f"no C compiler {compiler!r}: install gcc and libc6-dev, or set CC") from None
    if result.returncode != 0:
        raise RuntimeError(f"{compiler} failed to build the kernels:\n{result.stderr[-4000:]}")
    unfinished.replace(target)
