"""Decisions in words: for people why, with every limit; for software the codes alone.

An agent that learns what is left can spend just that. So no number of the rules or of the venture's state is told to
one, neither here nor in the answers.
"""

from __future__ import annotations

from dataclasses import dataclass

from parpour_treasury.refusals import REFUSALS
from parpour_treasury.spending.deciding import Decision, Reason, Verdict
from parpour_treasury.spending.facts import Facts, Member


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a decision is and why."""

    verdict: Verdict
    codes: tuple[str, ...]
    reasons: tuple[Reason, ...]
    """With limits; none for software."""
    lines: tuple[str, ...]
    """For people; none for software."""
    quorum: int | None
    """How many people have to approve; not told to software."""


def may_see_limits(member: Member | None) -> bool:
    """Whether an account is a person's who is trusted in the venture at all."""
    return member is not None and not member.revoked and member.actor.startswith("user:")


def explain(decision: Decision, facts: Facts) -> Explanation:
    """A decision as the account that asked may know it."""
    if not may_see_limits(facts.member):
        return Explanation(decision.verdict, decision.codes, (), (), None)
    lines = [_line(one) for one in decision.reasons]
    if decision.allowed_by:
        lines.append(f"rule {decision.allowed_by} allows it")
    if decision.quorum:
        lines.append(f"with {decision.sum_of_payee} for this payee, {decision.quorum} have to approve")
    return Explanation(decision.verdict, decision.codes, decision.reasons, tuple(lines), decision.quorum)


def _line(reason: Reason) -> str:
    text = f"{reason.code}: {REFUSALS[reason.code]}"
    if reason.subject:
        text += f" ({reason.subject})"
    if reason.limit is not None:
        text += f", at most {reason.limit}"
    if reason.used is not None:
        text += f", {reason.used} of it taken"
    return text
