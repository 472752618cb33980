"""Which device the kernels run on."""

from __future__ import annotations

import ctypes

from civlab.errors import CivlabError
from civlab.runtime.backend import Backend

BACKENDS = ("auto", "cpu", "cuda")
NO_GPU = "BACKEND_CUDA_UNAVAILABLE"


def choose_backend(name: str = "auto", *, threads: int | None = None) -> Backend:
    """The backend of this name; `auto` is a GPU where one can be used, else the CPU.

    `threads` is for the CPU and defaults to the processors that this process may use. Raises CivlabError
    BACKEND_UNKNOWN, BACKEND_CUDA_UNAVAILABLE or BACKEND_THREADS.
    """
    if name not in BACKENDS:
        raise CivlabError("BACKEND_UNKNOWN", "backend", f"{name!r} is none of {', '.join(BACKENDS)}")
    if name == "cpu" or (name == "auto" and not driver_found()):
        return Backend.cpu(threads)
    try:
        return Backend.cuda()
    except CivlabError as fault:
        if name == "cuda" or fault.code != NO_GPU:
            raise
        return Backend.cpu(threads)


def driver_found() -> bool:
    """Whether NVIDIA's driver library can be loaded: without it, importing CuPy to ask would be a second lost."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True
