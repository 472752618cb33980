"""Statements in CSV, by a declared mapping of columns.

A CSV file says neither whose account it is nor between which balances, so whoever brings it says that (`Frame`), and
the statement must add up to it. Nothing is guessed: not the decimal mark, not the order of day and month, not what a
sign means.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from parpour_treasury.currencies import format_amount
from parpour_treasury.statements.model import (
    ENTRIES_MAX,
    REFERENCE_MAX,
    TEXT_MAX,
    BankStatement,
    Entry,
    check_size,
    check_statement,
    decoded,
    parse_minor,
    refuse,
)

_FORMAT = re.compile(r"(%[YmdHMS]|[-/. :T])+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With what a spreadsheet takes a cell's text for a formula (OWASP, CSV injection)."""


class Sign(StrEnum):
    """What says the direction of an amount."""

    POSITIVE_IN = "positive-in"
    POSITIVE_OUT = "positive-out"
    INDICATOR = "indicator"
    """A column of its own; amounts have no sign."""
    TWO_COLUMNS = "two-columns"
    """One column for what came in and one for what went out; amounts have no sign."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which column of the file says what; an empty name says nothing."""

    booked_on: str
    amount: str = ""
    amount_out: str = ""
    """What went out, under TWO_COLUMNS."""
    indicator: str = ""
    fee: str = ""
    """What the provider kept of the amount: it becomes an entry of its own."""
    net: str = ""
    """Amount less fee, where the file says it too."""
    value_on: str = ""
    currency: str = ""
    status: str = ""
    reference: str = ""
    end_to_end: str = ""
    transaction: str = ""
    counterparty: str = ""
    description: str = ""
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a bank writes its files."""

    name: str
    columns: Columns
    dates: tuple[str, ...]
    """Formats of days in digits, for example %Y-%m-%d; one of them fits each row."""
    sign: Sign = Sign.POSITIVE_IN
    delimiter: str = ","
    decimal_mark: str = "."
    group_mark: str = ""
    indicators: Mapping[str, int] = field(default_factory=dict)
    """1 or -1 for each text of the indicator's column."""
    counted: frozenset[str] = frozenset()
    """Statuses of what was booked."""
    left_out: frozenset[str] = frozenset()
    """Statuses of what was not."""

    def __post_init__(self) -> None:
        if not self.dates or not all(_FORMAT.fullmatch(one) for one in self.dates):
            raise ValueError(f"formats of days have digits and marks between them: {self.dates}")
        if self.decimal_mark not in (".", ",") or self.group_mark == self.decimal_mark:
            raise ValueError("the decimal mark is a point or a comma, and groups have another")


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What a CSV file does not say."""

    statement: str
    account: str
    currency: str
    opening: int
    opened_on: date
    closing: int
    closed_on: date
    sequence: int | None = None


MERCURY = Layout(
    name="mercury",
    columns=Columns(
        booked_on="Date (UTC)",
        amount="Amount",
        status="Status",
        reference="Reference",
        counterparty="Description",
        description="Bank Description",
    ),
    dates=("%m-%d-%Y",),
    counted=frozenset({"Sent"}),
    left_out=frozenset({"Pending", "Failed", "Cancelled", "Blocked"}),
)
"""Mercury's export of transactions: its amounts are signed and its dates have the month first."""

STRIPE = Layout(
    name="stripe",
    columns=Columns(
        booked_on="Created (UTC)",
        amount="Amount",
        fee="Fee",
        net="Net",
        value_on="Available On (UTC)",
        currency="Currency",
        reference="id",
        transaction="Source",
        description="Description",
        code="Type",
    ),
    dates=("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"),
    group_mark=",",
)
"""Stripe's export of the balance's history: each row moves Net, which is Amount less Fee."""

LAYOUTS = {one.name: one for one in (MERCURY, STRIPE)}


def read_csv(data: bytes, layout: Layout, frame: Frame) -> BankStatement:
    """The statement of a file.

    Raises:
        TreasuryError: a code of STATEMENT_*, with the row (the heading is row 1) and the column.
    """
    check_size(data)
    rows = csv.reader(io.StringIO(decoded(data), newline=""), delimiter=layout.delimiter, strict=True)
    entries: list[Entry] = []
    left_out = 0
    try:
        heading = [name.strip() for name in next(rows, [])]
        _check_heading(heading, layout)
        for number, cells in enumerate(rows, start=2):
            if not any(cells):
                continue
            if len(cells) != len(heading):
                raise refuse(
                    "STATEMENT_CSV_MALFORMED", f"row {number}", f"{len(cells)} cells under {len(heading)} names"
                )
            found = _row(_Row(dict(zip(heading, cells, strict=True)), f"row {number}"), layout, frame.currency)
            left_out += not found
            entries += found
            if len(entries) > ENTRIES_MAX:
                raise refuse("STATEMENT_TOO_LARGE", f"row {number}", f"up to {ENTRIES_MAX} entries")
    except csv.Error as error:
        raise refuse("STATEMENT_CSV_MALFORMED", f"line {rows.line_num}", str(error)[:200]) from None
    statement = BankStatement(
        frame.statement,
        frame.account,
        frame.currency,
        frame.opening,
        frame.opened_on,
        frame.closing,
        frame.closed_on,
        tuple(entries),
        frame.sequence,
        left_out,
    )
    check_statement(statement)
    return statement


def _check_heading(heading: Sequence[str], layout: Layout) -> None:
    for field_name in Columns.__dataclass_fields__:
        name = getattr(layout.columns, field_name)
        if name and heading.count(name) != 1:
            raise refuse("STATEMENT_COLUMN_MISSING", name, "the heading has it once")


@dataclass(frozen=True)
class _Row:
    cells: Mapping[str, str]
    place: str

    def path(self, column: str) -> str:
        return f"{self.place}, {column}"

    def text(self, column: str, longest: int = TEXT_MAX) -> str:
        value = self.cells[column].strip() if column else ""
        if len(value) > longest or "\0" in value or (longest == REFERENCE_MAX and not value.isprintable()):
            raise refuse("STATEMENT_VALUE_MALFORMED", self.path(column), f"up to {longest} characters")
        return value


def _row(row: _Row, layout: Layout, currency: str) -> list[Entry]:
    """What a row moved: nothing, one entry, or one and what the provider kept of it."""
    columns = layout.columns
    if columns.status:
        status = row.text(columns.status)
        if status not in layout.counted | layout.left_out:
            raise refuse("STATEMENT_STATUS_UNKNOWN", row.path(columns.status))
        if status in layout.left_out:
            return []
    if columns.currency and row.text(columns.currency).upper() != currency:
        raise refuse("STATEMENT_CURRENCY_MISMATCH", row.path(columns.currency), f"the account is in {currency}")
    amount = _amount(row, layout, currency)
    fee = _minor(row, columns.fee, layout, currency) if columns.fee else 0
    if columns.net and amount - fee != _minor(row, columns.net, layout, currency):
        raise refuse("STATEMENT_BATCH_UNBALANCED", row.path(columns.net), f"{amount} less {fee} is another amount")
    booked_on = _day(row, columns.booked_on, layout)
    value_on = _day(row, columns.value_on, layout) if columns.value_on and row.text(columns.value_on) else None
    one = Entry(
        amount,
        booked_on,
        value_on,
        reference=row.text(columns.reference, REFERENCE_MAX),
        end_to_end=row.text(columns.end_to_end, REFERENCE_MAX),
        transaction=row.text(columns.transaction, REFERENCE_MAX),
        counterparty=row.text(columns.counterparty),
        description=row.text(columns.description),
        code=row.text(columns.code, REFERENCE_MAX),
    )
    moved = [one] if amount else []
    if fee:
        moved.append(replace(one, amount=-fee, code="fee"))
    return moved


def _minor(row: _Row, column: str, layout: Layout, currency: str) -> int:
    text = row.text(column)
    if layout.group_mark:
        mark = re.escape(layout.group_mark)
        grouped = re.fullmatch(rf"([+-]?[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+)(.*)", text, re.ASCII | re.DOTALL)
        if grouped:
            text = grouped[1].replace(layout.group_mark, "") + grouped[2]
    if layout.decimal_mark != ".":
        if "." in text:
            raise refuse("STATEMENT_AMOUNT_MALFORMED", row.path(column), f"the decimal mark is {layout.decimal_mark}")
        text = text.replace(layout.decimal_mark, ".")
    return parse_minor(text, currency, row.path(column))


def _amount(row: _Row, layout: Layout, currency: str) -> int:
    columns = layout.columns
    if layout.sign in (Sign.POSITIVE_IN, Sign.POSITIVE_OUT):
        amount = _minor(row, columns.amount, layout, currency)
        return amount if layout.sign is Sign.POSITIVE_IN else -amount
    if layout.sign is Sign.INDICATOR:
        direction = layout.indicators.get(row.text(columns.indicator))
        if direction is None:
            raise refuse("STATEMENT_VALUE_MALFORMED", row.path(columns.indicator))
        return direction * _unsigned(row, columns.amount, layout, currency)
    given = [(column, sign) for column, sign in ((columns.amount, 1), (columns.amount_out, -1)) if row.text(column)]
    if len(given) != 1:
        raise refuse("STATEMENT_AMOUNT_MALFORMED", row.path(columns.amount), "one of the two columns")
    column, sign = given[0]
    return sign * _unsigned(row, column, layout, currency)


def _unsigned(row: _Row, column: str, layout: Layout, currency: str) -> int:
    if row.text(column).startswith(("+", "-")):
        raise refuse("STATEMENT_AMOUNT_MALFORMED", row.path(column), "another column says the direction, no sign")
    return _minor(row, column, layout, currency)


def _day(row: _Row, column: str, layout: Layout) -> date:
    text = row.text(column)
    for one in layout.dates:
        try:
            day = datetime.strptime(text, one).date()
        except ValueError:
            continue
        if 1900 <= day.year <= 9998:
            return day
    raise refuse("STATEMENT_VALUE_MALFORMED", row.path(column), " or ".join(layout.dates))


HEADING = ("bookedOn", "valueOn", "amount", "currency", "reference", "endToEnd", "transaction", "counterparty",
    "description", "code", "reversal")  # fmt: skip
"""Columns of our own export."""


def write_csv(statement: BankStatement) -> bytes:
    """A statement's entries for a spreadsheet: no text of a bank's customer can act as a formula there."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(HEADING)
    for entry in statement.entries:
        amount = format_amount(entry.amount, statement.currency)
        texts = (
            entry.reference,
            entry.end_to_end,
            entry.transaction,
            entry.counterparty,
            entry.description,
            entry.code,
        )
        writer.writerow(
            (
                entry.booked_on.isoformat(),
                "" if entry.value_on is None else entry.value_on.isoformat(),
                amount,
                statement.currency,
                *map(harmless, texts),
                "true" if entry.reversal else "false",
            )
        )
    return buffer.getvalue().encode()


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe comes before what would begin one."""
    one_line = " ".join(text.replace("\0", "").split())
    return f"'{one_line}" if one_line.startswith(_FORMULA) else one_line
