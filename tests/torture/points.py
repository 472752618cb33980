"""Where the code itself says that a process can die: points that it names, and what it asks of the database.

Read from the sources, so that a new one is missed by the tests until they walk it.
"""

from __future__ import annotations

import ast
import inspect
import re
from types import ModuleType

from parpour_controlplane.relaying import relay
from parpour_controlplane.sealing import sealer
from parpour_treasury.payments import dispatching, worker

_ASKED = re.compile(r"select\s.*?(?:treasury|controlplane)\.(\w+)\(", re.IGNORECASE | re.DOTALL)

SOURCES: dict[str, tuple[ModuleType, ...]] = {
    "pay": (worker, dispatching),
    "seal": (sealer,),
    "relay": (relay,),
}
"""Modules of each worker."""


def points_of(component: str) -> set[str]:
    """Names of the effects that the sources of a worker have; of other components nothing is read."""
    found: set[str] = set()
    for module in SOURCES.get(component, ()):
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_at_point":
                found |= {str(one.value) for one in node.args if isinstance(one, ast.Constant)}
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                asked = _ASKED.match(node.value)
                found |= {asked[1]} if asked else set()
    return found
