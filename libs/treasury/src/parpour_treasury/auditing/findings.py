"""What an audit finds, as values: a stable code and the place."""

from __future__ import annotations

from dataclasses import dataclass

AUDIT_FINDINGS: dict[str, str] = {
    "AUDIT_ACCOUNT_CHANGED": "the books have another account here than was opened",
    "AUDIT_ACCOUNT_MISSING": "an account that was opened is not in the books",
    "AUDIT_ACCOUNT_UNTOLD": "no event tells that this account was opened",
    "AUDIT_APPROVAL_CHANGED": "the approval is not the one that its event has the digest of",
    "AUDIT_APPROVAL_MISSING": "an approval that an event tells of is not in the dossier",
    "AUDIT_APPROVAL_UNTOLD": "no event tells of this approval or rejection",
    "AUDIT_BALANCE_DIFFERS": "the balance is not the sum of what was posted",
    "AUDIT_DECISION_CHANGED": "the decision or its facts are not what its event has the digest of",
    "AUDIT_DECISION_DIFFERS": "the rules do not decide from the recorded facts what was decided",
    "AUDIT_DECISION_MISSING": "a decision about the spend is not in the dossier",
    "AUDIT_DECISION_UNTOLD": "no event has the digest of this decision",
    "AUDIT_ENVELOPE_CHANGED": "the envelope is not as its last change and its spends left it",
    "AUDIT_EVENT_MALFORMED": "an event does not say what its type has to",
    "AUDIT_HOLD_CHANGED": "the hold keeps something else than was placed, settled and freed",
    "AUDIT_HOLD_MISSING": "a hold that was placed is not in the books",
    "AUDIT_HOLD_UNTOLD": "no event tells that this hold was placed",
    "AUDIT_JOURNAL_CHANGED": "the journal has other legs, or another time, than was posted",
    "AUDIT_JOURNAL_GAP": "journal numbers have a gap",
    "AUDIT_JOURNAL_MISSING": "a journal that was posted is not in the books",
    "AUDIT_JOURNAL_REPEATED": "two events tell of one journal",
    "AUDIT_JOURNAL_UNBALANCED": "the journal does not sum to zero",
    "AUDIT_JOURNAL_UNTOLD": "no event tells of this journal",
    "AUDIT_LEG_BALANCE_DIFFERS": "the balance beside a leg is not the sum up to it",
    "AUDIT_MEMBER_CHANGED": "the account is not as its last change left it",
    "AUDIT_OUTCOME_CHANGED": "the outcome or its evidence is not what its event has the digest of",
    "AUDIT_OUTCOME_DIFFERS": "the outcomes of the payment are not the ones that events tell of",
    "AUDIT_PAYEE_CHANGED": "the payee is not as its last change left it",
    "AUDIT_PENDING_DIFFERS": "what the account keeps free is not what its open holds keep",
    "AUDIT_RULES_CHANGED": "the rules are not the ones that came into force",
    "AUDIT_SPEND_CHANGED": "the spend is not as its last event left it, or its digest is of something else",
    "AUDIT_SPEND_MISSING": "a spend that events tell of is not in the dossier",
    "AUDIT_SPEND_UNTOLD": "no event tells of this spend",
    "AUDIT_STOPS_CHANGED": "what is stopped is not what events tell",
}
"""Every code of an audit, and what it tells a person."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction."""

    code: str
    """One of `AUDIT_FINDINGS`."""
    place: str
    """Where, as events name their subjects: journal/17, account/3, hold/…"""
    detail: str
    """Both sides of the contradiction."""

    def __str__(self) -> str:
        return f"{self.code}: {self.place}: {AUDIT_FINDINGS[self.code]}: {self.detail}"
