"""The models: each a folder with its rules (model.md), declarations, compiler, generator and kernels.

They are looked up by the name that a scenario gives (`model:`) and imported when asked for, so that whoever runs one
model does not load the others. A model's folder holds `model.py` with MODEL, `results.py` with RESULTS and `report.py`
with REPORT.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from civlab.results.declaration import ResultSet
from civlab.runtime.model import Model
from parpour_contracts.scenario.registry import MODELS

if TYPE_CHECKING:
    from civlab.report.declaration import Report


def model_of(name: str) -> Model:
    """The model of this name; raises KeyError for one that no scenario can name."""
    found = import_module(f"civlab.models.{known(name)}.model").MODEL
    assert isinstance(found, Model)
    return found


def results_of(name: str) -> ResultSet:
    """The results of the model of this name; raises KeyError for one that no scenario can name."""
    found = import_module(f"civlab.models.{known(name)}.results").RESULTS
    assert isinstance(found, ResultSet)
    return found


def report_of(name: str) -> Report:
    """The report of the model of this name; raises KeyError for one that no scenario can name.

    It loads the drawing library, which nothing else here does.
    """
    found: Report = import_module(f"civlab.models.{known(name)}.report").REPORT
    return found


def known(name: str) -> str:
    """The name; raises KeyError for one that no scenario can name."""
    if name not in MODELS:
        raise KeyError(name)
    return name
