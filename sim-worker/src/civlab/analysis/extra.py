"""The libraries of the extra `analysis`, imported when an analysis needs them.

They take seconds to load and most runs need none of them.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import numpy as np

from civlab.design.bits import keyed_words
from civlab.errors import CivlabError


def library(module: str) -> ModuleType:
    """A module of SALib or Optuna. Raises CivlabError EXTRA_MISSING where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        name = module.partition(".")[0]
        message = f"{name} is not installed; `pip install 'civlab[analysis]'` adds it"
        raise CivlabError("EXTRA_MISSING", "civlab[analysis]", message) from None


def generator(purpose: str, seed: int) -> np.random.Generator:
    """NumPy's generator for `purpose`, seeded by the run's seed: any seed, 0 too, gives one stream for ever."""
    return np.random.default_rng(keyed_words(f"analysis-{purpose}", seed, 4))
