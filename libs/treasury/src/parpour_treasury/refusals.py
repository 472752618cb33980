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
    "DISPATCH_FORKED": "the database and the worker's token have the same epoch by number, and not the same",
    "DISPATCH_LOCKED": "payments are locked until the providers have been reconciled",
    "DISPATCH_NOT_LOCKED": "payments are not locked",
    "DISPATCH_NOT_RECONCILED": "a provider was not reviewed since the lock, or a payment found there is not recorded",
    "DISPATCH_PAYMENT_SENT": "a payment of this spend was found at the provider: it is looked up, and not sent again",
    "DISPATCH_PAYMENT_UNKNOWN": "no such payment was found at the provider",
    "DISPATCH_ROLLED_BACK": "the database is older than the payments that were sent from it",
    "DISPATCH_TOKEN_MISSING": "the worker's token is missing, and payments were sent",
    "RECONCILIATION_BANK_ACCOUNT_EXISTS": "the account, or the bank account, is bound to another one",
    "RECONCILIATION_BANK_ACCOUNT_UNKNOWN": "no bank account is bound to this account",
    "RECONCILIATION_EVIDENCE_MISSING": "a decision states its evidence, up to 2000 characters",
    "RECONCILIATION_EXCEPTION_CLOSED": "the exception is not in a state in which this can be done",
    "RECONCILIATION_EXCEPTION_UNKNOWN": "no such exception",
    "RECONCILIATION_MATCH_UNBALANCED": "the entries of a match do not come to its movements",
    "RECONCILIATION_PERSON_REQUIRED": "a person decides this",
    "RECONCILIATION_PROPOSAL_MISMATCH": "the journal does not move on the bank account what the entry moved",
    "RECONCILIATION_SECOND_PERSON_REQUIRED": "another person confirms than the one who proposed",
    "RECONCILIATION_STALE": "something was matched meanwhile: reconcile again",
    "STATEMENT_AMOUNT_MALFORMED": "an amount is decimal text with a point, its direction said where the format says it",
    "STATEMENT_AMOUNT_OUT_OF_RANGE": "an entry moves something, and no balance reaches 2^62 minor units",
    "STATEMENT_AMOUNT_TOO_PRECISE": "an amount has more decimals than its currency",
    "STATEMENT_BALANCE_MISSING": "a statement has an opening and a closing balance",
    "STATEMENT_BATCH_UNBALANCED": "the parts of a booking do not come to its amount",
    "STATEMENT_CHANGED": "another statement stands under this identification, or this file under another",
    "STATEMENT_COLUMN_MISSING": "the heading lacks a column of the layout, or has it twice",
    "STATEMENT_CSV_MALFORMED": "this is no CSV of the layout",
    "STATEMENT_CURRENCY_MISMATCH": "another currency than the account's, or none of ISO 4217",
    "STATEMENT_DATES_REVERSED": "a statement closes before it opens",
    "STATEMENT_ELEMENT_MISSING": "an element is missing",
    "STATEMENT_ELEMENT_REPEATED": "an element stands twice where one is meant",
    "STATEMENT_ENCODING_UNKNOWN": "the file is not in UTF-8",
    "STATEMENT_FORMAT_UNKNOWN": "no camt.053.001 of a version from 02 to 13",
    "STATEMENT_INCOMPLETE": "the statement goes on in another file",
    "STATEMENT_NAMESPACE_MIXED": "an element of another namespace",
    "STATEMENT_NOT_CONTINUOUS": "the statement does not go on where the one before ended",
    "STATEMENT_OF_ANOTHER_ACCOUNT": "the statement is of another bank account than the one bound to these books",
    "STATEMENT_REFERENCE_REPEATED": "an entry stands twice",
    "STATEMENT_STATUS_UNKNOWN": "a status that says neither booked nor not booked",
    "STATEMENT_TOO_DEEP": "too many elements within each other",
    "STATEMENT_TOO_LARGE": "the file, or a part of it, is too large",
    "STATEMENT_UNBALANCED": "opening balance and entries do not come to the closing balance",
    "STATEMENT_UNKNOWN": "no such statement",
    "STATEMENT_VALUE_MALFORMED": "a value is none of its kind",
    "STATEMENT_XML_FORBIDDEN": "XML that could mean two things, or reach outside: a document type, an entity, CDATA",
    "STATEMENT_XML_MALFORMED": "this is no XML",
    "TREASURY_ACCOUNT_CLOSED": "the account is closed",
    "TREASURY_ACCOUNT_EXISTS": "there is another account under this code",
    "TREASURY_ACCOUNT_IN_USE": "the account has a balance or open holds",
    "TREASURY_ACCOUNT_UNKNOWN": "no such account",
    "TREASURY_BALANCE_OVERFLOW": "a balance would reach 2^62 minor units",
    "TREASURY_BATCH_MALFORMED": "a batch has commands, each under a key of its own, none on what another touches",
    "TREASURY_COMMAND_MALFORMED": "a field of the command is outside its range",
    "TREASURY_CURRENCY_MISMATCH": "the account is in another currency",
    "TREASURY_EFFECTIVE_IN_FUTURE": "nothing takes effect after it is recorded",
    "TREASURY_HOLD_CLOSED": "the hold was settled or voided",
    "TREASURY_HOLD_EXCEEDED": "more is settled than the hold keeps",
    "TREASURY_HOLD_EXISTS": "there is a hold of this id",
    "TREASURY_HOLD_EXPIRED": "the hold has expired",
    "TREASURY_HOLD_UNKNOWN": "no such hold",
    "TREASURY_IDEMPOTENCY_KEY_REUSED": "the key was used for another request",
    "TREASURY_JOURNAL_EMPTY": "a journal moves something",
    "TREASURY_JOURNAL_IS_REVERSAL": "a reversal is not reversed: post anew",
    "TREASURY_JOURNAL_OUT_OF_ORDER": "journal numbers have no gap",
    "TREASURY_JOURNAL_REVERSED": "the journal was reversed before",
    "TREASURY_JOURNAL_UNBALANCED": "the legs do not sum to zero in each currency",
    "TREASURY_JOURNAL_UNKNOWN": "no such journal",
    "TREASURY_LEDGER_UNKNOWN": "the tenant has no books",
    "TREASURY_LIMIT_EXCEEDED": "an account's limit does not allow it",
    "TREASURY_OVERLOADED": "too many commands wait for this tenant: ask again later",
    "TREASURY_PERIOD_LOCKED": "the period is locked",
    "TREASURY_PERIOD_OUT_OF_ORDER": "a period ends after the last one that was locked, and not in the future",
    "TREASURY_UNAVAILABLE": "the database did not answer: ask again under the same key",
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
