"""A bank's statement of one account, and what must hold in it whatever format it came in.

Amounts are signed from the owner's side: what came in is positive. Nothing here mends anything: a statement that does
not add up is refused, because nobody can know which of its lines is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from parpour_treasury.commands import BALANCE_MAX
from parpour_treasury.currencies import EXPONENTS
from parpour_treasury.refusals import TreasuryError

BYTES_MAX = 16 * 2**20
"""Largest file: some fifty thousand entries with all their details."""

ENTRIES_MAX = 50_000
"""Entries of one statement."""

REFERENCE_MAX = 200
"""Characters of an identification or a reference; ISO 20022 has 35."""

TEXT_MAX = 2000
"""Characters of any other text."""

_DECIMAL = re.compile(r"(?P<sign>[+-]?)(?=\.?[0-9])(?P<whole>[0-9]{0,20})(?:\.(?P<fraction>[0-9]{0,20}))?", re.ASCII)
_DATE = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2}|T[0-9:.]{5,20}(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_FIRST, _LAST = date(1900, 1, 1), date(9998, 12, 31)


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement that the bank has booked, or one of several that it booked together."""

    amount: int
    """Minor units, not zero; positive came in."""
    booked_on: date
    value_on: date | None = None
    reference: str = ""
    """The bank's own."""
    end_to_end: str = ""
    """What the payer gave along."""
    transaction: str = ""
    """What the payer's bank gave along."""
    counterparty: str = ""
    description: str = ""
    code: str = ""
    """What kind of movement the bank says it is, for example PMNT/RCDT/ESCT."""
    reversal: bool = False
    """Whether it takes back an earlier one."""
    batch: int = 0
    """Entries that were booked as one bear the same number above zero."""


@dataclass(frozen=True, slots=True)
class BankStatement:
    """One statement."""

    statement: str
    """The bank's identification of it."""
    account: str
    """The bank's identification of the account: IBAN or another."""
    currency: str
    opening: int
    opened_on: date
    closing: int
    closed_on: date
    entries: tuple[Entry, ...]
    sequence: int | None = None
    """Its number among the account's statements, if the bank counts them."""
    left_out: int = 0
    """Lines that moved nothing: pending, for information, or of amount zero."""


def refuse(code: str, path: str, detail: str = "") -> TreasuryError:
    """The refusal of a place in a file."""
    return TreasuryError(code, field=path, detail=detail)


def check_size(data: bytes) -> None:
    """Refuse a file that is too large to be read at once.

    Raises:
        TreasuryError: STATEMENT_TOO_LARGE.
    """
    if len(data) > BYTES_MAX:
        raise refuse("STATEMENT_TOO_LARGE", "", f"{len(data)} bytes, up to {BYTES_MAX}")


def decoded(data: bytes) -> str:
    """The text of a file in UTF-8.

    Raises:
        TreasuryError: STATEMENT_ENCODING_UNKNOWN.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse("STATEMENT_ENCODING_UNKNOWN", f"byte {error.start}") from None


def parse_minor(text: str, currency: str, path: str) -> int:
    """Minor units of decimal text with an optional sign.

    Zeros beyond the currency's decimals are no precision, and on either side of the point digits may be missing (XML
    Schema, decimal: 18.150 and 18.15 are one value, and so are .5 and 0.5).

    Raises:
        TreasuryError: STATEMENT_AMOUNT_MALFORMED, STATEMENT_AMOUNT_TOO_PRECISE, STATEMENT_AMOUNT_OUT_OF_RANGE or
            STATEMENT_CURRENCY_MISMATCH, if there is no such currency.
    """
    exponent = EXPONENTS.get(currency)
    if exponent is None:
        raise refuse("STATEMENT_CURRENCY_MISMATCH", path, f"no currency {currency[:3]!r}")
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise refuse("STATEMENT_AMOUNT_MALFORMED", path)
    fraction = (match["fraction"] or "").rstrip("0")
    if len(fraction) > exponent:
        raise refuse("STATEMENT_AMOUNT_TOO_PRECISE", path, f"{currency} has {exponent} decimals")
    minor = int(f"0{match['whole']}{fraction.ljust(exponent, '0')}")
    if minor > BALANCE_MAX:
        raise refuse("STATEMENT_AMOUNT_OUT_OF_RANGE", path)
    return -minor if match["sign"] == "-" else minor


def parse_date(text: str, path: str) -> date:
    """The day of a date or a time of XML Schema, as the bank wrote it: zones do not move it.

    Raises:
        TreasuryError: STATEMENT_VALUE_MALFORMED.
    """
    match = _DATE.fullmatch(text)
    try:
        day = date.fromisoformat(match["date"]) if match else None
    except ValueError:
        day = None
    if day is None or not _FIRST <= day <= _LAST:
        raise refuse("STATEMENT_VALUE_MALFORMED", path, "a day of the years 1900 to 9998")
    return day


def check_statement(statement: BankStatement) -> None:
    """Refuse a statement that contradicts itself.

    Raises:
        TreasuryError: STATEMENT_UNBALANCED, STATEMENT_REFERENCE_REPEATED, STATEMENT_DATES_REVERSED,
            STATEMENT_CURRENCY_MISMATCH, STATEMENT_VALUE_MALFORMED, STATEMENT_AMOUNT_OUT_OF_RANGE or
            STATEMENT_TOO_LARGE.
    """
    if statement.currency not in EXPONENTS:
        raise refuse("STATEMENT_CURRENCY_MISMATCH", "currency", f"no currency {statement.currency[:3]!r}")
    for field in ("statement", "account"):
        if not 1 <= len(getattr(statement, field)) <= REFERENCE_MAX:
            raise refuse("STATEMENT_VALUE_MALFORMED", field, f"1 to {REFERENCE_MAX} characters")
    if len(statement.entries) > ENTRIES_MAX:
        raise refuse("STATEMENT_TOO_LARGE", "entries", f"up to {ENTRIES_MAX} entries")
    if statement.opened_on > statement.closed_on:
        raise refuse("STATEMENT_DATES_REVERSED", "closed_on")
    running = statement.opening
    for place, entry in enumerate(statement.entries):
        if entry.amount == 0 or abs(entry.amount) > BALANCE_MAX:
            raise refuse("STATEMENT_AMOUNT_OUT_OF_RANGE", f"entries[{place}].amount")
        running += entry.amount
    check_references(statement.entries)
    if running != statement.closing:
        raise refuse(
            "STATEMENT_UNBALANCED",
            "closing",
            f"opening and entries come to {running}, the closing balance is {statement.closing}",
        )
    if max(abs(statement.opening), abs(statement.closing)) > BALANCE_MAX:
        raise refuse("STATEMENT_AMOUNT_OUT_OF_RANGE", "opening")


def check_references(entries: Sequence[Entry]) -> None:
    """Refuse what stands twice: an entry or a batch with the bank's reference, alike in everything that tells it apart.

    The reference alone may stand twice: a fee often bears that of its payment.

    Raises:
        TreasuryError: STATEMENT_REFERENCE_REPEATED.
    """
    bookings: dict[int, list[tuple[str, str, str, int, bool]]] = {}
    for place, one in enumerate(entries):
        identity = (one.reference, one.end_to_end, one.transaction, one.amount, one.reversal)
        bookings.setdefault(one.batch or -1 - place, []).append(identity)
    seen: set[tuple[tuple[str, str, str, int, bool], ...]] = set()
    for booking in map(tuple, bookings.values()):
        if booking in seen and any(identity[0] for identity in booking):
            raise refuse("STATEMENT_REFERENCE_REPEATED", "entries", f"the bank's reference {booking[0][0]!r}")
        seen.add(booking)


def check_follows(earlier: BankStatement, later: BankStatement) -> None:
    """Refuse a statement that does not go on where the one before it ended.

    Raises:
        TreasuryError: STATEMENT_NOT_CONTINUOUS or STATEMENT_CURRENCY_MISMATCH.
    """
    if (earlier.account, earlier.currency) != (later.account, later.currency):
        raise refuse("STATEMENT_CURRENCY_MISMATCH", "account", "another account or currency")
    if later.opening != earlier.closing:
        raise refuse(
            "STATEMENT_NOT_CONTINUOUS",
            "opening",
            f"it opens with {later.opening}, the last closed with {earlier.closing}",
        )
    if later.opened_on < earlier.opened_on or later.closed_on < earlier.closed_on:
        raise refuse("STATEMENT_NOT_CONTINUOUS", "opened_on", "it begins before the last one")
    if earlier.sequence is not None and later.sequence is not None:
        # Many banks begin anew with each year.
        anew = later.sequence == 1 and later.closed_on.year > earlier.closed_on.year
        if later.sequence != earlier.sequence + 1 and not anew:
            raise refuse("STATEMENT_NOT_CONTINUOUS", "sequence", f"{later.sequence} does not follow {earlier.sequence}")


def check_series(statements: Sequence[BankStatement]) -> None:
    """Refuse statements of one file of which one contradicts itself, or its predecessor of the same account.

    Raises:
        TreasuryError: as `check_statement` and `check_follows`.
    """
    last: dict[tuple[str, str], BankStatement] = {}
    for one in statements:
        check_statement(one)
        key = (one.account, one.currency)
        if key in last:
            check_follows(last[key], one)
        last[key] = one
