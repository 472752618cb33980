"""Where the code itself says that a process can die: points that it names, and what it asks of the database.

Read from the sources, so that a new one is missed by the tests until they walk it.
"""

from __future__ import annotations

import ast
import inspect
import re
from types import ModuleType

from parpour_controlplane.relaying import relay
from parpour_controlplane.sealing import resuming, sealer
from parpour_treasury.payments import dispatching, worker

_ASKED = re.compile(r"select\s.*?(?:treasury|controlplane)\.(\w+)\(", re.IGNORECASE | re.DOTALL)

SOURCES: dict[str, tuple[ModuleType, ...]] = {
    "pay": (worker, dispatching),
    "seal": (sealer, resuming),
    "relay": (relay,),
}
"""Modules of each worker."""


def _read(modules: tuple[ModuleType, ...]) -> frozenset[str]:
    found: set[str] = set()
    for module in modules:
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_at_point":
                found |= {str(one.value) for one in node.args if isinstance(one, ast.Constant)}
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                asked = _ASKED.match(node.value)
                found |= {asked[1]} if asked else set()
    return frozenset(found)


POINTS = {component: _read(modules) for component, modules in SOURCES.items()}
"""Names of the effects that the sources of a worker have. Read before anything dies: what a dead process leaves is
collected at any time, telling of it parses sources as well, and Python 3.11 fails where parsing comes into parsing."""


def points_of(component: str) -> frozenset[str]:
    """Names of the effects that the sources of a worker have; of other components nothing is read."""
    return POINTS.get(component, frozenset())
