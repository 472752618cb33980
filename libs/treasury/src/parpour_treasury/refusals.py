"""Every code with which the treasury refuses, and what it tells a person.

The database decides and answers with codes alone; a test holds its SQL to this list.
"""

from __future__ import annotations

REFUSALS: dict[str, str] = {
    "AMOUNT_MALFORMED": "an amount is decimal text, for example 12.50",
    "AMOUNT_NOT_POSITIVE": "an amount is above zero",
    "AMOUNT_OUT_OF_RANGE": "an amount is below 2^63 minor units",
    "AMOUNT_TOO_PRECISE": "the amount has more decimals than its currency",
    "AUDIT_BOOKS_MALFORMED": "books that were handed over cannot be read",
    "CURRENCY_UNKNOWN": "no currency of ISO 4217 with minor units",
    "TREASURY_ACCOUNT_CLOSED": "the account is closed",
    "TREASURY_ACCOUNT_EXISTS": "there is another account under this code",
    "TREASURY_ACCOUNT_IN_USE": "the account has a balance or open holds",
    "TREASURY_ACCOUNT_UNKNOWN": "no such account",
    "TREASURY_APPROVAL_MISMATCH": "the approval is of something else than what stands",
    "TREASURY_APPROVAL_NEEDED": "it lacks approvals",
    "TREASURY_APPROVAL_OWN": "nobody approves what they asked for themselves",
    "TREASURY_APPROVAL_REPEATED": "this person has approved it before",
    "TREASURY_BALANCE_OVERFLOW": "a balance would reach 2^62 minor units",
    "TREASURY_BATCH_MALFORMED": "a batch has commands, each under a key of its own, none on what another touches",
    "TREASURY_CHANGE_CLOSED": "the change was decided before, or not in time",
    "TREASURY_CHANGE_MALFORMED": "a field of the change is outside its range",
    "TREASURY_CHANGE_OWN": "another person confirms what one proposes",
    "TREASURY_CHANGE_STALE": "the rules have changed since this was proposed",
    "TREASURY_CHANGE_UNKNOWN": "no such change",
    "TREASURY_COMMAND_MALFORMED": "a field of the command is outside its range",
    "TREASURY_CURRENCY_MISMATCH": "the account is in another currency",
    "TREASURY_EFFECTIVE_IN_FUTURE": "nothing takes effect after it is recorded",
    "TREASURY_ENVELOPE_CLOSED": "the envelope is not open at this time",
    "TREASURY_ENVELOPE_EXCEEDED": "the envelope has too little room",
    "TREASURY_ENVELOPE_IN_USE": "the envelope cannot be made so: more is taken of it, or its code is used",
    "TREASURY_ENVELOPE_UNKNOWN": "no such envelope",
    "TREASURY_FUNDS_INSUFFICIENT": "the bank account has too little that is free",
    "TREASURY_HOLD_CLOSED": "the hold was settled or voided",
    "TREASURY_HOLD_EXCEEDED": "more is settled than the hold keeps",
    "TREASURY_HOLD_EXISTS": "there is a hold of this id",
    "TREASURY_HOLD_EXPIRED": "the hold has expired",
    "TREASURY_HOLD_OF_SPEND": "the hold belongs to a spend and ends with it",
    "TREASURY_HOLD_UNKNOWN": "no such hold",
    "TREASURY_IDEMPOTENCY_KEY_REUSED": "the key was used for another request",
    "TREASURY_JOURNAL_EMPTY": "a journal moves something",
    "TREASURY_JOURNAL_IS_REVERSAL": "a reversal is not reversed: post anew",
    "TREASURY_JOURNAL_OUT_OF_ORDER": "journal numbers have no gap",
    "TREASURY_JOURNAL_REVERSED": "the journal was reversed before",
    "TREASURY_JOURNAL_UNBALANCED": "the legs do not sum to zero in each currency",
    "TREASURY_JOURNAL_UNKNOWN": "no such journal",
    "TREASURY_KILL_SWITCH": "the kill switch was thrown",
    "TREASURY_LEDGER_UNKNOWN": "the tenant has no books",
    "TREASURY_LIMIT_EXCEEDED": "an account's limit does not allow it",
    "TREASURY_MEMBER_REVOKED": "the account was revoked",
    "TREASURY_MEMBER_UNKNOWN": "no account of this venture",
    "TREASURY_NOT_A_PERSON": "people decide that",
    "TREASURY_OUTCOME_CONFLICT": "the same reference told something else before",
    "TREASURY_OVERLOADED": "too many commands wait for this tenant: ask again later",
    "TREASURY_PAYEE_CHANGED": "the payee is another than the one that was decided about",
    "TREASURY_PAYEE_COOLING": "the payee is new or was changed, and cannot be paid yet",
    "TREASURY_PAYEE_HELD": "spending on the payee is stopped",
    "TREASURY_PAYEE_RETIRED": "the payee was retired",
    "TREASURY_PAYEE_UNKNOWN": "no such payee",
    "TREASURY_PERIOD_LOCKED": "the period is locked",
    "TREASURY_PERIOD_OUT_OF_ORDER": "a period ends after the last one that was locked, and not in the future",
    "TREASURY_RESERVE_PROTECTED": "it would touch a reserve",
    "TREASURY_ROLE_MISSING": "the account has none of the roles that decide that",
    "TREASURY_RULES_CHANGED": "the rules have changed since it was asked",
    "TREASURY_RULES_MALFORMED": "a field of the rules is outside its range",
    "TREASURY_RULES_UNKNOWN": "the venture has no rules: nothing is allowed",
    "TREASURY_SPEND_CAP_EXCEEDED": "it is more than the rule allows at once",
    "TREASURY_SPEND_EXCEEDED": "more was used than is reserved",
    "TREASURY_SPEND_NOT_ALLOWED": "no rule allows it",
    "TREASURY_SPEND_STATE": "the spend is not in a state for that",
    "TREASURY_SPEND_UNKNOWN": "no such spend",
    "TREASURY_STEP_UP_NEEDED": "authenticate again",
    "TREASURY_TWO_PEOPLE_NEEDED": "a venture has an owner, and another owner or treasurer",
    "TREASURY_UNAVAILABLE": "the database did not answer: ask again under the same key",
    "TREASURY_VELOCITY_EXCEEDED": "too many or too much in this time",
    "TREASURY_VENTURE_FROZEN": "the venture is frozen",
}


class TreasuryError(Exception):
    """A refusal: its stable code, the field that it is about, and what to tell a person."""

    def __init__(self, code: str, *, field: str = "", detail: str = "") -> None:
        self.code = code
        """One of `REFUSALS`."""
        self.field = field
        """Path of the field in the request, for example legs[1].amount; empty if it is about the whole."""
        self.detail = detail or REFUSALS[code]
        super().__init__(f"{code}: {field + ': ' if field else ''}{self.detail}")
