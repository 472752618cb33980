"""The one exception of scenario documents: a stable code, the path of the field, and a message that ends in a remedy.

Callers show the three parts apart (a condition's reason and message, a line of the shell), hence no formatted text.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ScenarioError(ValueError):
    """A scenario document, or an override of one, that cannot be run.

    `code` is one of SCENARIO_MALFORMED, SCENARIO_TOO_LARGE, SCENARIO_TOO_DEEP, SCENARIO_ALIAS, SCENARIO_DUPLICATE_KEY,
    SCENARIO_UNKNOWN_FIELD, SCENARIO_MISSING_FIELD, SCENARIO_WRONG_TYPE, SCENARIO_OUT_OF_RANGE, SCENARIO_INVALID,
    SCENARIO_UNKNOWN_PARAMETER and SCENARIO_UNKNOWN_BUILTIN; `path` is the field's dotted path, "" for the document.
    """

    def __init__(self, code: str, path: str, message: str) -> None:
        super().__init__(f"{code}: {path}: {message}" if path else f"{code}: {message}")
        self.code = code
        self.path = path
        self.message = message


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint "; did you mean 'x'?" with the known name that is most like `name`, or "" if none is."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {matches[0]!r}?" if matches else ""
