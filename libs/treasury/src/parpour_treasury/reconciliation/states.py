"""The states of an exception, as a table. treasury.exception_step mirrors it, and a test holds the two together."""

from __future__ import annotations

STEPS: dict[tuple[str, str], str] = {
    ("open", "match"): "matched",
    ("open", "propose"): "proposed",
    ("open", "resolve"): "resolved",
    ("open", "write off"): "written-off",
    ("matched", "undo the match"): "open",
    ("proposed", "withdraw"): "open",
    ("proposed", "confirm as resolved"): "resolved",
    ("proposed", "confirm as written off"): "written-off",
}
"""(state, event) -> state. What is not here is refused."""

STATES = ("open", "proposed", "matched", "resolved", "written-off")
"""Every state; the last two are final, and `matched` is as long as its match stands."""

KINDS: dict[str, str] = {
    "unmatched-entry": "the bank moved something that the books do not have",
    "unmatched-movement": "the books moved something that the bank has not moved for too long",
    "amount-differs": "an entry and a movement have a reference in common, and other amounts",
    "duplicate": "the bank moved again what it moved before",
    "returned": "a payment came back",
    "fee": "the bank or a provider took a fee",
    "ambiguous": "more than one match is possible",
}
"""Why something is an exception."""
