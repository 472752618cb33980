"""CSV statements by a declared layout, and our own export."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parpour_treasury.currencies import INT64_MAX
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.statements.csvs import (
    LAYOUTS,
    MERCURY,
    STRIPE,
    Columns,
    Frame,
    Layout,
    Sign,
    harmless,
    read_csv,
    write_csv,
)
from parpour_treasury.statements.model import Entry

from .camt_files import DAY, statement

pytestmark = pytest.mark.unit


def frame(opening: int, closing: int, currency: str = "USD") -> Frame:
    return Frame(
        statement="2026-03",
        account="A",
        currency=currency,
        opening=opening,
        opened_on=date(2026, 3, 1),
        closing=closing,
        closed_on=date(2026, 3, 31),
    )


MERCURY_FILE = """\
Date (UTC),Description,Amount,Status,Source Account,Bank Description,Reference,Note,Last Four Digits,Name On Card,\
Mercury Category,Category,GL Code,Timestamp,Original Currency,Check Number,Tags,Cardholder Email,Tracking ID
03-17-2026,Coffee Shop,-4.25,Pending,Mercury Checking xx1,COFFEE,,,,,,,,03-17-2026 16:33:58,USD,,,,
03-16-2026,"Acme, Inc",-1234.50,Sent,Mercury Checking xx1,ACH OUT,INV-7,,,,,,,03-16-2026 10:00:00,USD,,,,
03-15-2026,Client,500,Sent,Mercury Checking xx1,WIRE IN,,,,,,,,03-15-2026 09:00:00,USD,,,,
03-14-2026,Nobody,-9.99,Failed,Mercury Checking xx1,ACH OUT,,,,,,,,03-14-2026 09:00:00,USD,,,,
"""
STRIPE_FILE = """\
id,Type,Source,Amount,Fee,Net,Currency,Created (UTC),Available On (UTC),Description
txn_1,charge,ch_1,"1,120.00",3.78,"1,116.22",usd,2026-03-01 14:03:00,2026-03-03 00:00:00,Course
txn_2,refund,re_1,-20.00,0.00,-20.00,usd,2026-03-02 14:03,2026-03-04 00:00,Refund
txn_3,stripe_fee,,-2.00,0.00,-2.00,usd,2026-03-06 14:03,2026-03-06 00:00,Billing
"""


def test_mercurys_export_is_read() -> None:
    """Columns, statuses and days with the month first are those of exports that people published (2025, 2026)."""
    one = read_csv(MERCURY_FILE.encode("utf-8-sig"), MERCURY, frame(100_000, 26_550))
    assert [(entry.amount, entry.booked_on, entry.counterparty, entry.reference) for entry in one.entries] == [
        (-123_450, date(2026, 3, 16), "Acme, Inc", "INV-7"),
        (50_000, date(2026, 3, 15), "Client", ""),
    ]
    assert one.left_out == 2


def test_stripes_export_is_read_with_its_fees_apart() -> None:
    """Columns are those of the balance history's export; Net is Amount less Fee."""
    one = read_csv(STRIPE_FILE.encode(), STRIPE, frame(0, 109_422))
    assert [(entry.amount, entry.code, entry.reference, entry.transaction) for entry in one.entries] == [
        (112_000, "charge", "txn_1", "ch_1"),
        (-378, "fee", "txn_1", "ch_1"),
        (-2000, "refund", "txn_2", "re_1"),
        (-200, "stripe_fee", "txn_3", ""),
    ]
    assert one.entries[0].value_on == date(2026, 3, 3)


GERMAN = Layout(
    name="german",
    columns=Columns(booked_on="Tag", amount="Betrag", indicator="S/H", description="Text"),
    dates=("%d.%m.%Y",),
    sign=Sign.INDICATOR,
    delimiter=";",
    decimal_mark=",",
    group_mark=".",
    indicators={"S": -1, "H": 1},
)
TWO = Layout(
    name="two",
    columns=Columns(booked_on="d", amount="in", amount_out="out"),
    dates=("%Y-%m-%d",),
    sign=Sign.TWO_COLUMNS,
)


def test_marks_signs_and_days_are_as_the_layout_says() -> None:
    text = "Tag;Betrag;S/H;Text\n03.04.2026;1.234.567,80;S;Miete\n04.04.2026;0,20;H;Zins\n"
    one = read_csv(text.encode(), GERMAN, frame(0, -123_456_760, "EUR"))
    assert [(entry.amount, entry.booked_on) for entry in one.entries] == [
        (-123_456_780, date(2026, 4, 3)),
        (20, date(2026, 4, 4)),
    ]
    two = read_csv(b"d,in,out\n2026-03-01,5.00,\n2026-03-02,,7.00\n", TWO, frame(300, 100))
    assert [entry.amount for entry in two.entries] == [500, -700]
    card = replace(TWO, sign=Sign.POSITIVE_OUT, columns=Columns(booked_on="d", amount="in"))
    (three,) = read_csv(b"d,in\n2026-03-01,5.00\n", card, frame(500, 0)).entries
    assert three.amount == -500


HEAD = "d,in,out\n"
BAD = {
    "sum": (HEAD + "2026-03-01,5.01,\n", TWO, "STATEMENT_UNBALANCED", "closing"),
    "both columns": (HEAD + "2026-03-01,5.00,5.00\n", TWO, "STATEMENT_AMOUNT_MALFORMED", "row 2, in"),
    "neither column": (HEAD + "2026-03-01,,\n", TWO, "STATEMENT_AMOUNT_MALFORMED", "row 2, in"),
    "sign beside a direction": (HEAD + "2026-03-01,-5.00,\n", TWO, "STATEMENT_AMOUNT_MALFORMED", "row 2, in"),
    "too precise": (HEAD + "2026-03-01,5.001,\n", TWO, "STATEMENT_AMOUNT_TOO_PRECISE", "row 2, in"),
    "float": (HEAD + "2026-03-01,5e2,\n", TWO, "STATEMENT_AMOUNT_MALFORMED", "row 2, in"),
    "huge": (HEAD + f"2026-03-01,{INT64_MAX},\n", TWO, "STATEMENT_AMOUNT_OUT_OF_RANGE", "row 2, in"),
    "decimal comma": (HEAD + '2026-03-01,"5,00",\n', TWO, "STATEMENT_AMOUNT_MALFORMED", "row 2, in"),
    "day first": (HEAD + "01.03.2026,5.00,\n", TWO, "STATEMENT_VALUE_MALFORMED", "row 2, d"),
    "no such day": (HEAD + "2026-02-30,5.00,\n", TWO, "STATEMENT_VALUE_MALFORMED", "row 2, d"),
    "too few cells": (HEAD + "2026-03-01,5.00\n", TWO, "STATEMENT_CSV_MALFORMED", "row 2"),
    "quote without an end": (HEAD + '2026-03-01,"5.00,\n', TWO, "STATEMENT_CSV_MALFORMED", "line 2"),
    "no column": ("d,in\n2026-03-01,5.00\n", TWO, "STATEMENT_COLUMN_MISSING", "out"),
    "column twice": ("d,in,out,in\n", TWO, "STATEMENT_COLUMN_MISSING", "in"),
    "nothing": ("", TWO, "STATEMENT_COLUMN_MISSING", "d"),
    "point where the mark is a comma": (
        "Tag;Betrag;S/H;Text\n03.04.2026;12.50;S;x\n",
        GERMAN,
        "STATEMENT_AMOUNT_MALFORMED",
        "row 2, Betrag",
    ),
    "groups of two": (
        "Tag;Betrag;S/H;Text\n03.04.2026;1.23,00;S;x\n",
        GERMAN,
        "STATEMENT_AMOUNT_MALFORMED",
        "row 2, Betrag",
    ),
    "indicator": ("Tag;Betrag;S/H;Text\n03.04.2026;1,00;X;x\n", GERMAN, "STATEMENT_VALUE_MALFORMED", "row 2, S/H"),
    "net": (
        STRIPE_FILE.replace("-2.00,0.00,-2.00", "-2.00,0.00,-2.01"),
        STRIPE,
        "STATEMENT_BATCH_UNBALANCED",
        "row 4, Net",
    ),
    "currency": (STRIPE_FILE.replace("usd", "eur", 1), STRIPE, "STATEMENT_CURRENCY_MISMATCH", "row 2, Currency"),
    "status": (MERCURY_FILE.replace("Pending", "Maybe"), MERCURY, "STATEMENT_STATUS_UNKNOWN", "row 2, Status"),
    "long reference": (
        MERCURY_FILE.replace("INV-7", "I" * 201),
        MERCURY,
        "STATEMENT_VALUE_MALFORMED",
        "row 3, Reference",
    ),
    "twice": (
        STRIPE_FILE + "txn_2,refund,re_1,-20.00,0.00,-20.00,usd,2026-03-02 14:03,2026-03-04 00:00,Refund\n",
        STRIPE,
        "STATEMENT_REFERENCE_REPEATED",
        "entries",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_its_code_and_place(name: str) -> None:
    text, layout, code, field = BAD[name]
    with pytest.raises(TreasuryError) as caught:
        read_csv(text.encode(), layout, frame(0, 0, "EUR" if layout is GERMAN else "USD"))
    assert (caught.value.code, caught.value.field) == (code, field)


@pytest.mark.parametrize("layout", [*LAYOUTS.values(), GERMAN, TWO], ids=lambda one: one.name)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_comes_is_read_or_refused(layout: Layout, data: st.DataObject) -> None:
    names = [name for name in vars(layout.columns).values() if name]
    cells = st.text(max_size=20) | st.sampled_from(
        ["1.00", "2026-03-01", "03-01-2026", "usd", "Sent", "S", "-1", "\0", '"']
    )
    rows = data.draw(st.lists(st.lists(cells, min_size=len(names), max_size=len(names)), max_size=4))
    lines = [layout.delimiter.join(row) for row in [names, *rows]]
    code = ""
    try:
        read_csv("\n".join(lines).encode(errors="replace"), layout, frame(0, 0))
    except TreasuryError as error:
        code = error.code
    assert code == "" or code.startswith("STATEMENT_")


@pytest.mark.parametrize("bad", [{"dates": ("%B %d",)}, {"dates": ()}, {"decimal_mark": "'"}, {"group_mark": "."}])
def test_a_layout_that_depends_on_the_machine_or_means_two_things_is_none(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"days|mark"):
        replace(TWO, **bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", '=HYPERLINK("https://example.org")', "=cmd|' /C calc'!A0"],
)
def test_no_text_is_a_formula_in_a_spreadsheet(text: str) -> None:
    """The payloads are those that OWASP lists for CSV injection."""
    exported = write_csv(statement(Entry(-1, DAY, counterparty=text, description=text, reference=text))).decode()
    (row,) = list(csv.DictReader(io.StringIO(exported)))
    for cell in (row["counterparty"], row["description"], row["reference"]):
        assert cell.startswith("'")
        assert "\n" not in cell
    assert row["amount"] == "-0.01"


@given(st.text())
def test_a_harmless_text_stays_as_it_is_but_for_space(text: str) -> None:
    exported = harmless(text)
    assert not exported.startswith(("=", "+", "-", "@", "\t", "\r"))
    kept = " ".join(text.replace("\0", "").split())
    assert exported in (kept, f"'{kept}")
