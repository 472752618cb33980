"""civlab: a deterministic simulator of societies, from Python and from the shell.

The verbs of the command line are here under the same names. They are looked up when first used, so that a program
which only reads results does not load the kernels.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_VERBS = {
    "CivlabError": "civlab.errors",
    "Results": "civlab.results.reader",
    "calibrate": "civlab.analysis.keeping",
    "diff": "civlab.api",
    "explain": "civlab.api",
    "load": "civlab.api",
    "open": "civlab.api",
    "open_results": "civlab.api",
    "query": "civlab.api",
    "resume": "civlab.api",
    "run": "civlab.api",
    "sensitivity": "civlab.analysis.sensitivity",
    "verify": "civlab.api",
    "write_report": "civlab.api",
}

__all__ = ["__version__", *_VERBS]


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        return getattr(import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'civlab' has no attribute {name!r}")
