"""The page of conditions, reasons and Events: the words that `kubectl describe` shows and that programs may rely on.

Reasons are the operator's constants, explained for readers in data/reasons.yaml; a test finds those that only one side
knows.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from parpour_contracts import venture
from parpour_contracts.simulation import ConditionType, State
from reference.markdown import cell, code, page, table
from reference.tables import read_rows

OPERATOR = Path(__file__).resolve().parent.parent.parent / "operator" / "src" / "parpour_operator"
DECIDING = (
    "accepting.py",
    "deleting.py",
    "failing.py",
    "paying.py",
    "planning.py",
    "reporting.py",
    "steps.py",
    "ventures/planning.py",
)
LOOKS_LIKE_A_REASON = re.compile(r"([A-Z][a-z]+){2,}")
KINDS = frozenset({"ConfigMap", "FailJob"})
"""Words of Kubernetes that look like a reason."""

CONDITIONS = {
    ConditionType.ACCEPTED: "The spec can be run. While it is False, nothing is started; it is looked at again every "
    "20 seconds, so a ConfigMap that appears or an edit of the spec mends it.",
    ConditionType.RUNNING: "Worker pods run.",
    ConditionType.COMPLETE: "Every member's results were read back and verified; `status.result` holds the digest.",
    ConditionType.FAILED: "The run came to nothing and will not go on.",
    ConditionType.SUSPENDED: "Workers have been stopped and can go on.",
    ConditionType.FUNDED: "Money is kept free for the run, or the run is settled. Absent where nothing is reserved. "
    "While it is False or Unknown before the start, no pod is created; it is looked at again every 20 seconds.",
    ConditionType.ERASED: "The results of a deleted Simulation are erased. Seen only as False, with what hinders it: "
    "once they are, the resource goes.",
}

VENTURE_CONDITIONS = {
    venture.ConditionType.NAMESPACE: "The namespace is there and was made for this Venture.",
    venture.ConditionType.TREASURY: "The tenant is bound to that namespace and may spend.",
    venture.ConditionType.READY: "Both hold: Simulations may be created in the namespace.",
}

DERIVATION = (
    (State.COMPLETE, "`Complete` is True"),
    (State.FAILED, "else `Failed` is True"),
    (State.SUSPENDED, "else `Suspended` is True"),
    (State.RUNNING, "else `Running` is True"),
    (State.PENDING, "else"),
)

CATALOGUE = "reasons.yaml"
ONE_WORD = frozenset(
    {"Accepted", "Complete", "Failed", "Suspended", "Queued", "Resumed", "Started", "Completed"}
    | {"Reserved", "Settled", "Bound", "Frozen", "Ready"}
)
"""Reasons that look like any other word; the search finds only those of two words and more."""


INTRODUCTION = """
A Simulation tells what became of it in conditions. `kubectl wait --for=condition=Complete sim/NAME` waits for one;
`kubectl describe sim NAME` shows them all with the events.
"""

ABOUT_REASONS = """
## Reasons

Reasons are stable: programs may rely on them. Beside those below, a refused scenario, override or design has the reason
of its [error code](error-codes.md) (`SCENARIO_OUT_OF_RANGE` is `ScenarioOutOfRange`), in Accepted=False; what the
treasury refuses has the reason of its code, in Funded=False; and a worker that stopped a run has that of its own, in
Failed=True.
"""

ABOUT_EVENTS = """
## Events

An event is told once the status that changed has been written: `Started`, `Suspended`, `Queued`, `Resumed`,
`Completed`, and as warnings every refusal and failure under its own reason, those of erasing included.
"""


def reasons_in_sources() -> set[str]:
    """The reasons that the operator's deciding modules hold as constants."""
    found = set()
    for name in DECIDING:
        for node in ast.walk(ast.parse((OPERATOR / name).read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return {text for text in found if LOOKS_LIKE_A_REASON.fullmatch(text)} - KINDS


def differing() -> list[str]:
    """Reasons that only one of the operator and the catalogue knows."""
    known = {name for group in read_rows(CATALOGUE, width=3).values() for name in group}
    return sorted(reasons_in_sources() ^ (known - ONE_WORD))


def _reasons(rows: dict[str, tuple[str, ...]]) -> str:
    told = [(code(name), where, cell(meaning), cell(remedy)) for name, (where, meaning, remedy) in rows.items()]
    return table(("Reason", "Where", "Meaning", "Remedy"), told)


def conditions_page() -> str:
    """docs/reference/conditions.md."""
    catalogue = read_rows(CATALOGUE, width=3)
    kinds = [(code(kind), meaning) for kind, meaning in CONDITIONS.items()]
    states = [(code(state), rule) for state, rule in DERIVATION]
    ventures = [(code(kind), meaning) for kind, meaning in VENTURE_CONDITIONS.items()]
    return page(
        "Conditions, reasons and events",
        INTRODUCTION,
        table(("Condition", "Holds when"), kinds),
        "## State\n\n`status.state` is one word for people, derived from the conditions: the first that applies.\n\n"
        + table(("State", "When"), states),
        ABOUT_REASONS.strip() + "\n\n" + _reasons(catalogue["reasons"]),
        ABOUT_EVENTS,
        "## Ventures\n\n" + table(("Condition", "Holds when"), ventures) + "\n\n" + _reasons(catalogue["ventures"]),
        source=f"tools/reference/data/{CATALOGUE}",
    )
