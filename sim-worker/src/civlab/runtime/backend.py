"""Where arrays live and kernels run: a CPU with threads, or a CUDA device.

Both run the same sources and give the same bits. A backend knows nothing of models: it allocates, copies, and launches
named kernels on a world record with a tick and a count.
"""

from __future__ import annotations

import ctypes
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np

from civlab.errors import CivlabError
from civlab.runtime.building import PACKAGE, levels, library

BLOCK = 256
"""Threads of a CUDA block."""
Over = Literal["tile", "member"]
"""What a kernel runs on; on a GPU a tile is a block, a member a thread."""
AT_ONCE: dict[Over, int] = {"tile": 4, "member": 64}
"""Tiles or members that a thread of a CPU takes at a time."""


class Backend(ABC):
    """A place to hold arrays and run kernels; make one with `Backend.cpu()` or `Backend.cuda()`."""

    name: str
    xp: ModuleType
    """NumPy or CuPy: the namespace of this backend's arrays."""

    @staticmethod
    def cpu(threads: int | None = None, *, level: str | None = None) -> Backend:
        """The CPU with so many threads (default: the processors this process may use).

        `level` forces a library ("v2", "v3", "plain"); by default the best that the processor runs. Raises CivlabError
        BACKEND_LIBRARY_MISSING if the package was installed without its libraries.
        """
        count = len(os.sched_getaffinity(0)) if threads is None else threads
        if count < 1:
            raise CivlabError("BACKEND_THREADS", "threads", "give at least one thread")
        return CpuBackend(load(str(library(level or best_level()))), count)

    @staticmethod
    def cuda(device: int = 0) -> Backend:
        """A CUDA device through CuPy; raises CivlabError BACKEND_CUDA_UNAVAILABLE with the remedy if there is none."""
        try:
            import cupy
        except ImportError:
            message = "CuPy is not installed; install civlab[cuda12] or civlab[cuda13], or ask for the CPU"
            raise CivlabError("BACKEND_CUDA_UNAVAILABLE", "backend", message) from None
        if not cupy.cuda.is_available():
            message = "no CUDA device or driver is visible here; ask for the CPU, or run where a GPU is"
            raise CivlabError("BACKEND_CUDA_UNAVAILABLE", "backend", message)
        return CudaBackend(cupy, device)

    @abstractmethod
    def zeros(self, count: int, dtype: np.dtype[Any]) -> Any:
        """A new array of zeros on the device, one-dimensional."""

    @abstractmethod
    def upload(self, array: np.ndarray) -> Any:
        """A copy of a host array on the device."""

    @abstractmethod
    def download(self, array: Any) -> np.ndarray:
        """A host array with the values of a device array; on the CPU the array itself."""

    @abstractmethod
    def overwrite(self, array: Any, values: np.ndarray) -> None:
        """Sets a device array to what `download` gave, changed or not."""

    @abstractmethod
    def address(self, array: Any) -> int:
        """The device address of an array's first element."""

    @abstractmethod
    def launch(self, kernels: Sequence[str], world: np.ndarray, tick: int, count: int, *, over: Over) -> None:
        """Runs kernels for `count` tiles or members on a world record of one element.

        Each tile goes through all of them in turn; where one ends for all tiles before the next begins is the backend's
        choice.
        """

    @abstractmethod
    def finish(self) -> None:
        """Waits until everything launched has ended."""

    @abstractmethod
    def clock(self) -> float:
        """Seconds of work done so far: CPU time of all threads, or elapsed time of a device."""


@cache
def load(path: str) -> ctypes.CDLL:
    """The compiled library; raises CivlabError BACKEND_LIBRARY_MISSING."""
    if not Path(path).exists():
        message = "the compiled kernels are missing; reinstall civlab (pip builds them with a C compiler)"
        raise CivlabError("BACKEND_LIBRARY_MISSING", path, message)
    return ctypes.CDLL(path)


@cache
def best_level() -> str:
    """The best level among those built that this processor runs."""
    built = levels()
    if built == ("plain",):
        return "plain"
    return "v3" if load(str(library("v2"))).civlab_level() >= 3 else "v2"


class CpuBackend(Backend):
    """Kernels from the compiled library, arrays by NumPy."""

    def __init__(self, compiled: ctypes.CDLL, threads: int) -> None:
        self.name = "cpu"
        self.xp = np
        self.threads = threads
        self.compiled = compiled
        self.bodies: dict[tuple[str, ...], ctypes.Array[ctypes.c_void_p]] = {}
        """Addresses of the kernels of each launch so far."""

    def zeros(self, count: int, dtype: np.dtype[Any]) -> Any:
        return np.zeros(count, dtype)

    def upload(self, array: np.ndarray) -> Any:
        return np.ascontiguousarray(array).copy()

    def download(self, array: Any) -> np.ndarray:
        return np.asarray(array)

    def overwrite(self, array: Any, values: np.ndarray) -> None:
        if values is not array:
            array[...] = values

    def address(self, array: Any) -> int:
        return int(array.ctypes.data)

    def launch(self, kernels: Sequence[str], world: np.ndarray, tick: int, count: int, *, over: Over) -> None:
        assert over in ("tile", "member")
        names = tuple(kernels)
        if names not in self.bodies:
            addresses = [ctypes.cast(getattr(self.compiled, f"{name}_one"), ctypes.c_void_p) for name in names]
            self.bodies[names] = (ctypes.c_void_p * len(names))(*addresses)
        self.compiled.civlab_team_run(
            self.bodies[names],
            ctypes.c_int(len(names)),
            ctypes.c_void_p(world.ctypes.data),
            ctypes.c_uint32(tick),
            ctypes.c_uint32(count),
            ctypes.c_uint32(AT_ONCE[over]),
            ctypes.c_int(self.threads),
        )

    def finish(self) -> None:
        """Nothing to wait for: a launch returns when it has ended."""

    def clock(self) -> float:
        return time.process_time()


CUDA_OPTIONS = ("-fmad=false", "--device-int128", "--std=c++17", "-prec-div=true", "-prec-sqrt=true")
"""No contraction, correctly rounded division and square root: what the CPU's compiler is told too."""


def kernel_source(kernel: str) -> Path:
    """The file of a kernel `model_name`: models/<model>/kernels/<name>.c."""
    model, name = kernel.split("_", 1)
    return PACKAGE / "models" / model / "kernels" / f"{name}.c"


INCLUDE = re.compile(r'^#include "([^"]+)"$', re.MULTILINE)


def flat_source(source: Path) -> str:
    """A kernel's source with its headers written out, each once.

    CuPy keeps compiled kernels by the text it is given, so a changed header must change that text.
    """
    seen: set[str] = set()

    def written_out(path: Path) -> str:
        def header(match: re.Match[str]) -> str:
            name = match.group(1)
            if name in seen:
                return ""
            seen.add(name)
            beside = path.parent / name
            return written_out(beside if beside.exists() else PACKAGE / "kernels" / name)

        return INCLUDE.sub(header, path.read_text("utf-8"))

    return written_out(source)


class CudaBackend(Backend):
    """The same sources compiled by NVRTC, arrays by CuPy, on one device and its default stream."""

    def __init__(self, cupy: Any, device: int) -> None:
        self.name = "cuda"
        self.xp = cupy
        self.device = cupy.cuda.Device(device)
        self.device.use()
        self.kernels: dict[str, Any] = {}

    def zeros(self, count: int, dtype: np.dtype[Any]) -> Any:
        if dtype.fields is not None:
            return self.xp.zeros(count * dtype.itemsize, np.uint8)
        return self.xp.zeros(count, dtype)

    def upload(self, array: np.ndarray) -> Any:
        plain = np.ascontiguousarray(array)
        return self.xp.asarray(plain.view(np.uint8) if plain.dtype.fields is not None else plain)

    def download(self, array: Any) -> np.ndarray:
        return np.asarray(self.xp.asnumpy(array))

    def overwrite(self, array: Any, values: np.ndarray) -> None:
        array.set(np.ascontiguousarray(values))

    def address(self, array: Any) -> int:
        return int(array.data.ptr)

    def launch(self, kernels: Sequence[str], world: np.ndarray, tick: int, count: int, *, over: Over) -> None:
        grid = count if over == "tile" else -(-count // BLOCK)
        for kernel in kernels:
            if kernel not in self.kernels:
                source = kernel_source(kernel)
                module = self.xp.RawModule(code=flat_source(source), options=CUDA_OPTIONS)
                self.kernels[kernel] = module.get_function(kernel)
            self.kernels[kernel]((grid,), (BLOCK,), (world, np.uint32(tick), np.uint32(count)))

    def finish(self) -> None:
        self.device.synchronize()

    def clock(self) -> float:
        return time.perf_counter()
