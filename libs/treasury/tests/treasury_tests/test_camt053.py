"""The reader of camt.053: messages of others, our own back again, and whatever an attacker sends."""

from __future__ import annotations

import fcntl
import json
import re
import subprocess
import sys
import time
import tracemalloc
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parpour_treasury.refusals import TreasuryError
from parpour_treasury.statements import camt053, model
from parpour_treasury.statements.camt053 import read_camt053
from parpour_treasury.statements.model import Entry

from .camt_files import DAY, chained, statement, statements, written

pytestmark = pytest.mark.unit
FILES = Path(__file__).parent.parent / "camt"
ENTRY = Entry(-250, DAY, DAY, "R1", "E1", "T1", "Zoë & Söhne", "rent", "PMNT/ICDT/ESCT")
GOOD = written(statement(ENTRY))


def refused(data: bytes) -> TreasuryError:
    with pytest.raises(TreasuryError) as caught:
        read_camt053(data)
    assert caught.value.code.startswith("STATEMENT_")
    return caught.value


def changed(old: str, new: str, *, of: bytes = GOOD) -> bytes:
    assert old.encode() in of, old
    return of.replace(old.encode(), new.encode(), 1)


def test_the_sample_message_of_iso_20022_is_read_and_adds_up() -> None:
    """business-sample.xml: 500,000.00 + 105,678.50 - 200,000.00 + 30,000.00 = 435,678.50 SEK, by ISO's own figures."""
    (one,) = read_camt053((FILES / "business-sample.xml").read_bytes())
    assert (one.statement, one.account, one.currency) == ("AAAASESS-FP-STAT001", "50000000054910000003", "SEK")
    assert (one.opening, one.closing, one.opened_on, one.closed_on) == (
        50_000_000,
        43_567_850,
        date(2010, 10, 15),
        date(2010, 10, 18),
    )
    assert [entry.amount for entry in one.entries] == [10_567_850, -20_000_000, 3_000_000]
    assert one.entries[0].end_to_end == "MUELL/FINP/RA12345"
    assert one.entries[0].counterparty == "MUELLER"


def test_two_statements_of_another_project_follow_each_other() -> None:
    first, second = read_camt053((FILES / "two-statements.xml").read_bytes())
    assert (first.opening, first.closing, second.opening, second.closing) == (1815, 2700, 2700, 2000)
    assert [entry.amount for entry in (*first.entries, *second.entries)] == [885, -700]


def test_a_file_of_another_project_that_does_not_add_up_is_refused() -> None:
    """does-not-add-up.xml: 18.150 + 8.850 is not 27.050."""
    assert refused((FILES / "does-not-add-up.xml").read_bytes()).code == "STATEMENT_UNBALANCED"


@pytest.mark.parametrize("version", camt053.VERSIONS)
def test_every_version_is_read(version: str) -> None:
    assert read_camt053(written(statement(ENTRY), version=version)) == (statement(ENTRY),)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["02", "06", "08", "13"]).flatmap(lambda v: st.tuples(st.just(v), statements(version=v))))
def test_what_was_written_is_read(drawn: tuple[str, model.BankStatement]) -> None:
    version, one = drawn
    assert read_camt053(written(one, version=version)) == (one,)


def test_a_batch_is_its_transactions_and_they_come_to_the_booking() -> None:
    parts = [Entry(amount, DAY, None, f"R{amount}", f"E{amount}", batch=1, code="544") for amount in (-100, -150, 20)]
    batch = written(statement(*parts))
    (one,) = read_camt053(batch)
    assert [(entry.amount, entry.end_to_end, entry.batch) for entry in one.entries] == [
        (-100, "E-100", 1),
        (-150, "E-150", 1),
        (20, "E20", 1),
    ]
    error = refused(changed('<Amt Ccy="EUR">1.50<', '<Amt Ccy="EUR">1.51<', of=batch))
    assert (error.code, error.field) == ("STATEMENT_BATCH_UNBALANCED", "Document/BkToCstmrStmt/Stmt/Ntry")
    assert (
        refused(changed('<Amt Ccy="EUR">1.50<', '<Amt Ccy="EUR">0.00<', of=batch)).code == "STATEMENT_BATCH_UNBALANCED"
    )


@pytest.mark.parametrize("status", ["PDNG", "INFO", "FUTR"])
def test_what_is_not_booked_is_not_counted(status: str) -> None:
    before = statement(ENTRY)
    pending = re.search(rb"<Ntry>.*?</Ntry>", GOOD)
    assert pending is not None
    more = pending[0].replace(b"BOOK", status.encode())
    (one,) = read_camt053(GOOD.replace(b"</Stmt>", more + b"</Stmt>"))
    assert (one.entries, one.left_out) == (before.entries, 1)


def test_a_reversal_goes_in_the_direction_that_the_bank_says() -> None:
    """RvslInd of ISO 20022: a credit that reverses was a debit before; CdtDbtInd is that of the entry itself."""
    back = Entry(250, DAY, DAY, "R2", "E1", reversal=True, code="544")
    (one,) = read_camt053(written(statement(ENTRY, back)))
    assert [(entry.amount, entry.reversal) for entry in one.entries] == [(-250, False), (250, True)]


STMT = "Document/BkToCstmrStmt/Stmt"
YEN = GOOD.replace(b"EUR", b"JPY").replace(b">10.00<", b">10<").replace(b">7.50<", b">7<")
PAGE = "<MsgPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></MsgPgntn>"
OUTSIDE = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document'
BAD: dict[str, tuple[bytes, str, str]] = {
    "sum": (changed(">7.50<", ">7.51<"), "STATEMENT_UNBALANCED", "closing"),
    "cents of a cent": (changed(">2.50<", ">2.501<"), "STATEMENT_AMOUNT_TOO_PRECISE", f"{STMT}/Ntry/Amt"),
    "comma": (changed(">2.50<", ">2,50<"), "STATEMENT_AMOUNT_MALFORMED", f"{STMT}/Ntry/Amt"),
    "exponent": (changed(">2.50<", ">25e-1<"), "STATEMENT_AMOUNT_MALFORMED", f"{STMT}/Ntry/Amt"),
    "not a number": (changed(">2.50<", ">NaN<"), "STATEMENT_AMOUNT_MALFORMED", f"{STMT}/Ntry/Amt"),
    "other digits": (changed(">2.50<", ">٢.٥٠<"), "STATEMENT_AMOUNT_MALFORMED", f"{STMT}/Ntry/Amt"),
    "sign": (changed(">2.50<", ">-2.50<"), "STATEMENT_AMOUNT_MALFORMED", f"{STMT}/Ntry/Amt"),
    "minus zero": (changed(">2.50<", ">-0<"), "STATEMENT_AMOUNT_MALFORMED", f"{STMT}/Ntry/Amt"),
    "huge": (changed(">2.50<", f">{2**62}<"), "STATEMENT_AMOUNT_OUT_OF_RANGE", f"{STMT}/Ntry/Amt"),
    "yen with cents": (
        changed(
            ">2.50<", ">2.5<", of=GOOD.replace(b"EUR", b"JPY").replace(b">10.00<", b">10<").replace(b">7.50<", b">7<")
        ),
        "STATEMENT_AMOUNT_TOO_PRECISE",
        f"{STMT}/Ntry/Amt",
    ),
    "currency of the entry": (
        changed('Ccy="EUR">2.50<', 'Ccy="USD">2.50<'),
        "STATEMENT_CURRENCY_MISMATCH",
        f"{STMT}/Ntry/Amt",
    ),
    "no such currency": (GOOD.replace(b"EUR", b"EUX"), "STATEMENT_CURRENCY_MISMATCH", f"{STMT}/Ntry/Amt"),
    "direction": (changed("DBIT", "UP"), "STATEMENT_VALUE_MALFORMED", f"{STMT}/Ntry/CdtDbtInd"),
    "reversal": (changed("<RvslInd>false", "<RvslInd>no"), "STATEMENT_VALUE_MALFORMED", f"{STMT}/Ntry/RvslInd"),
    "status": (changed("BOOK", "DONE"), "STATEMENT_STATUS_UNKNOWN", f"{STMT}/Ntry/Sts"),
    "day": (
        changed("<BookgDt><Dt>2026-03-02", "<BookgDt><Dt>2026-02-30"),
        "STATEMENT_VALUE_MALFORMED",
        f"{STMT}/Ntry/BookgDt/Dt",
    ),
    "sequence": (changed("<ElctrncSeqNb>1", "<ElctrncSeqNb>one"), "STATEMENT_VALUE_MALFORMED", f"{STMT}/ElctrncSeqNb"),
    "id": (changed("<Id>S1", f"<Id>{'S' * 201}"), "STATEMENT_VALUE_MALFORMED", f"{STMT}/Id"),
    "id with a new line": (changed("<Id>S1", "<Id>S&#10;1"), "STATEMENT_VALUE_MALFORMED", f"{STMT}/Id"),
    "no opening balance": (changed("OPBD", "OPAV"), "STATEMENT_BALANCE_MISSING", f"{STMT}/Bal"),
    "no closing balance": (changed("CLBD", "CLAV"), "STATEMENT_BALANCE_MISSING", f"{STMT}/Bal"),
    "two opening balances": (changed("CLBD", "OPBD"), "STATEMENT_ELEMENT_REPEATED", f"{STMT}/Bal[2]"),
    "two amounts": (
        changed("<RvslInd>", '<Amt Ccy="EUR">1.00</Amt><RvslInd>'),
        "STATEMENT_ELEMENT_REPEATED",
        f"{STMT}/Ntry/Amt[2]",
    ),
    "no amount": (changed('<Amt Ccy="EUR">2.50</Amt>', ""), "STATEMENT_ELEMENT_MISSING", f"{STMT}/Ntry/Amt"),
    "no statement": (re.sub(rb"<Stmt>.*</Stmt>", b"", GOOD), "STATEMENT_ELEMENT_MISSING", STMT),
    "closes before it opens": (
        changed("<Dt><Dt>2026-03-02", "<Dt><Dt>2026-03-03"),
        "STATEMENT_DATES_REVERSED",
        "closed_on",
    ),
    "twice": (written(statement(ENTRY, ENTRY)), "STATEMENT_REFERENCE_REPEATED", "entries"),
    "gap": (
        written(chained([ENTRY], [])[0], statement(opening=1, number=2)),
        "STATEMENT_NOT_CONTINUOUS",
        "opening",
    ),
    "number left out": (
        written(statement(number=1), statement(number=3)),
        "STATEMENT_NOT_CONTINUOUS",
        "sequence",
    ),
    "page": (
        changed(
            "</CreDtTm></GrpHdr>", "</CreDtTm><MsgPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></MsgPgntn></GrpHdr>"
        ),
        "STATEMENT_INCOMPLETE",
        "Document/BkToCstmrStmt/GrpHdr/MsgPgntn",
    ),
    "version": (changed("001.08", "001.14"), "STATEMENT_FORMAT_UNKNOWN", "Document"),
    "version 01": (changed("001.08", "001.01"), "STATEMENT_FORMAT_UNKNOWN", "Document"),
    "camt.052": (changed("camt.053", "camt.052"), "STATEMENT_FORMAT_UNKNOWN", "Document"),
    "no namespace": (re.sub(rb' xmlns="[^"]*"', b"", GOOD), "STATEMENT_FORMAT_UNKNOWN", "Document"),
    "namespace that begins alike": (changed("001.08", "001.08.evil"), "STATEMENT_FORMAT_UNKNOWN", "Document"),
    "another message within": (
        changed("<BkToCstmrStmt>", "<BkToCstmrDbtCdtNtfctn>").replace(b"</BkToCstmrStmt>", b"</BkToCstmrDbtCdtNtfctn>"),
        "STATEMENT_FORMAT_UNKNOWN",
        "Document/BkToCstmrDbtCdtNtfctn",
    ),
    "amount of another namespace": (
        changed('<Amt Ccy="EUR">2.50</Amt>', '<x:Amt xmlns:x="urn:x" Ccy="EUR">9.00</x:Amt><Amt Ccy="EUR">2.50</Amt>'),
        "STATEMENT_NAMESPACE_MIXED",
        f"{STMT}/Ntry/Amt",
    ),
    "namespace of another version": (
        changed("<Stmt>", '<Stmt xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">'),
        "STATEMENT_NAMESPACE_MIXED",
        STMT,
    ),
    "cdata": (changed(">2.50<", "><![CDATA[2.50]]><"), "STATEMENT_XML_FORBIDDEN", f"{STMT}/Ntry/Amt"),
    "half of it in cdata": (changed(">2.50<", ">2.5<![CDATA[0]]><"), "STATEMENT_XML_FORBIDDEN", f"{STMT}/Ntry/Amt"),
    "comment in an amount": (changed(">2.50<", ">2.<!-- -->50<"), "STATEMENT_XML_FORBIDDEN", f"{STMT}/Ntry/Amt"),
    "element in an amount": (changed(">2.50<", ">2.50<Amt/><"), "STATEMENT_XML_FORBIDDEN", f"{STMT}/Ntry/Amt"),
    "instruction": (changed("<Stmt>", "<?php x?><Stmt>"), "STATEMENT_XML_FORBIDDEN", "Document/BkToCstmrStmt"),
    "document type": (changed("<Document", "<!DOCTYPE Document><Document"), "STATEMENT_XML_FORBIDDEN", ""),
    "entity": (
        changed("<Document", '<!DOCTYPE d [<!ENTITY a "1"><!ENTITY b "&a;&a;">]><Document'),
        "STATEMENT_XML_FORBIDDEN",
        "",
    ),
    "file": (
        changed("<Document", '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document').replace(
            b">2.50<", b">&x;<"
        ),
        "STATEMENT_XML_FORBIDDEN",
        "",
    ),
    "external document type": (
        changed("<Document", '<!DOCTYPE d SYSTEM "https://example.org/d.dtd"><Document'),
        "STATEMENT_XML_FORBIDDEN",
        "",
    ),
    "entity that nobody declared": (changed(">2.50<", ">&x;<"), "STATEMENT_XML_MALFORMED", "line 2, column"),
    "utf-16": (GOOD.decode().replace("UTF-8", "UTF-16").encode("utf-16"), "STATEMENT_ENCODING_UNKNOWN", "byte 0"),
    "says it is utf-16": (changed("UTF-8", "UTF-16"), "STATEMENT_ENCODING_UNKNOWN", ""),
    "says it is utf-7": (changed("UTF-8", "UTF-7"), "STATEMENT_ENCODING_UNKNOWN", ""),
    "latin": (GOOD.decode().encode("latin-1"), "STATEMENT_ENCODING_UNKNOWN", "byte"),
    "overlong utf-8": (GOOD.replace(b"rent", b"\xc0\xafent"), "STATEMENT_ENCODING_UNKNOWN", "byte"),
    "nul": (GOOD.replace(b"rent", b"re\0nt"), "STATEMENT_XML_MALFORMED", "line 2"),
    "truncated": (GOOD[:-20], "STATEMENT_XML_MALFORMED", "line"),
    "two documents": (GOOD + GOOD, "STATEMENT_XML_MALFORMED", "line"),
    "nothing": (b"", "STATEMENT_XML_MALFORMED", "line 1"),
    "deep": (changed("<Stmt>", "<Stmt>" + "<a>" * 10_000), "STATEMENT_TOO_DEEP", f"{STMT}/a/a"),
    "deep in what may be anything": (
        changed("<Stmt>", "<Stmt><SplmtryData>" + "<a>" * 10_000),
        "STATEMENT_TOO_DEEP",
        STMT,
    ),
    "long text": (changed("rent", "r" * 2001), "STATEMENT_TOO_LARGE", f"{STMT}/Ntry/NtryDtls/TxDtls/RmtInf/Ustrd"),
    "huge file": (GOOD + b" " * model.BYTES_MAX, "STATEMENT_TOO_LARGE", ""),
    "long name": (changed("<Stmt>", f"<Stmt><{'a' * 61}>"), "STATEMENT_TOO_LARGE", STMT),
    "many balances": (
        changed("</Acct>", "</Acct>" + "<Bal/>" * 1001),
        "STATEMENT_TOO_LARGE",
        f"{STMT}/Bal",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_its_code_and_place(name: str) -> None:
    data, code, field = BAD[name]
    error = refused(data)
    assert error.code == code, error
    assert error.field.startswith(field) if field else error.field == "", error


def test_supplementary_data_may_be_anything_and_says_nothing() -> None:
    """SplmtryData/Envlp is xs:any in the schema: an amount within it is no amount of the statement."""
    anything = '<SplmtryData><Envlp><x xmlns="urn:x"><Amt>9</Amt></x></Envlp></SplmtryData></Ntry>'
    assert read_camt053(changed("</Ntry>", anything)) == (statement(ENTRY),)


def test_zeros_beyond_the_currencys_decimals_are_no_precision() -> None:
    """XML Schema part 2, 3.2.3: trailing zeros are not significant in decimal."""
    assert read_camt053(changed(">2.50<", ">2.50000<")) == (statement(ENTRY),)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_and_never_anything_else(data: st.DataObject) -> None:
    damaged = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        piece = data.draw(
            st.binary(max_size=4)
            | st.sampled_from([b"<", b">", b"<Amt>", b"</Ntry>", b"&#0;", b"<![CDATA[", b"\xff", b"9"])
        )
        damaged[place : place + data.draw(st.integers(0, 30))] = piece
    code = ""
    try:
        for one in read_camt053(bytes(damaged)):
            model.check_statement(one)
    except TreasuryError as error:
        code = error.code
    assert code == "" or code.startswith("STATEMENT_")


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200))
def test_bytes_are_refused(data: bytes) -> None:
    refused(data)


def test_a_large_file_takes_bounded_time_and_memory() -> None:
    """One entry at a time is kept as a tree: memory grows with the entries that are returned, not with the file."""
    filler = b"<AddtlInf>" + b"x" * 900 + b"</AddtlInf>"
    ntry = re.search(rb"<Ntry>.*?</Ntry>", GOOD)
    assert ntry is not None
    bulky = ntry[0].replace(b"BOOK", b"PDNG").replace(b"</Ntry>", filler * 10 + b"</Ntry>")
    data = GOOD.replace(b"</Stmt>", bulky * 800 + b"</Stmt>")
    assert len(data) > 7_000_000
    tracemalloc.start()
    began = time.process_time()
    (one,) = read_camt053(data)
    taken, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert one.left_out == 800
    # The text is decoded once to check it: as large as the file; trees of all entries would come on top.
    assert peak < 3 * len(data)
    assert taken < 20


@cache
def others() -> Path:
    """Python of the environment that has pycamt and xmlschema, made anew when its lock changes."""
    uv = str(Path(sys.executable).with_name("uv"))
    lock_file = FILES / "requirements.txt"
    environment = Path(sys.prefix) / "camt"
    installed = environment / "installed.txt"
    with (Path(sys.prefix) / ".camt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists() or installed.read_text() != lock_file.read_text():
            subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, environment], check=True)
            sync: list[str | Path] = [uv, "pip", "sync", "--quiet", "--compile-bytecode", "--require-hashes"]
            subprocess.run([*sync, "--python", environment / "bin" / "python", lock_file], check=True)
            installed.write_text(lock_file.read_text())
    return environment / "bin" / "python"


PYCAMT = """
import json, sys
from pycamt.parser import Camt053Parser
print(json.dumps(Camt053Parser.from_file(sys.argv[1]).get_transactions()))
"""
VALID = """
import sys, xmlschema
xmlschema.XMLSchema(sys.argv[1]).validate(sys.argv[2])
"""


def run(code: str, *arguments: Path) -> str:
    done = subprocess.run([others(), "-c", code, *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def mixed() -> list[model.BankStatement]:
    batch = [
        Entry(amount, DAY, DAY, f"B{amount}", f"E{amount}", f"T{amount}", batch=1, code="544") for amount in (300, 70)
    ]
    return chained([ENTRY, *batch], [Entry(-1, DAY, None, "Q", "F", counterparty="bank", code="PMNT/MCRD/CHRG")])


@pytest.mark.parametrize("name", ["business-sample.xml", "two-statements.xml", "ours"])
def test_another_reader_finds_the_same_entries(tmp_path: Path, name: str) -> None:
    """pycamt reads the same amount, direction, day, reference and name of each transaction."""
    path = FILES / name
    if name == "ours":
        path = tmp_path / name
        path.write_bytes(written(*mixed()))
    theirs = json.loads(run(PYCAMT, path))
    ours = [(one.currency, entry) for one in read_camt053(path.read_bytes()) for entry in one.entries]
    assert len(theirs) == len(ours)
    for their, (currency, entry) in zip(theirs, ours, strict=True):
        assert their["CreditDebitIndicator"] == ("CRDT" if entry.amount > 0 else "DBIT")
        if name != "business-sample.xml":
            # There pycamt takes the zeros and foreign amounts of transactions for those of their entries.
            assert model.parse_minor(their["Amount"], currency, "") == abs(entry.amount)
        assert their["BookingDate"][:10] == str(entry.booked_on)
        assert their.get("EndToEndId", "") in (entry.end_to_end, "NOTPROVIDED")
        assert entry.counterparty in (their.get("CreditorName", ""), their.get("DebtorName", ""))


@pytest.mark.parametrize("version", ["02", "08"])
def test_the_files_that_we_write_for_tests_are_valid_by_iso_20022s_schema(tmp_path: Path, version: str) -> None:
    path = tmp_path / "ours.xml"
    path.write_bytes(written(*mixed(), version=version))
    run(VALID, FILES / f"camt.053.001.{version}.xsd", path)
