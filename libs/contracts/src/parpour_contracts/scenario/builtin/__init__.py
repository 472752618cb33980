"""The scenarios that ship with the product, as the texts that a user could have written.

They are package data rather than code, so `civlab scenarios` can print them as a starting point.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

from parpour_contracts.scenario.errors import ScenarioError, nearest


def texts() -> Mapping[str, str]:
    """Every builtin's text by its name, in alphabetical order."""
    found = {item.name.removesuffix(".yaml"): item for item in files(__name__).iterdir() if item.name.endswith(".yaml")}
    return MappingProxyType({name: found[name].read_text("utf-8") for name in sorted(found)})


BUILTIN: Mapping[str, str] = texts()


def builtin_scenario(name: str) -> str:
    """The text of a builtin scenario; raises ScenarioError SCENARIO_UNKNOWN_BUILTIN with the nearest name."""
    if name not in BUILTIN:
        raise ScenarioError(
            "SCENARIO_UNKNOWN_BUILTIN",
            "",
            f"no builtin scenario {name!r}{nearest(name, BUILTIN)}; known: {', '.join(BUILTIN)}",
        )
    return BUILTIN[name]
