"""camt.053 files for tests, written from statements, and statements to write: whole or hostile."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from xml.sax.saxutils import escape

from hypothesis import strategies as st

from parpour_treasury.currencies import format_amount
from parpour_treasury.statements.model import BankStatement, Entry

DAY = date(2026, 3, 2)


def statement(*entries: Entry, opening: int = 1000, number: int = 1, currency: str = "EUR") -> BankStatement:
    """A statement of the n-th day that adds up."""
    day = DAY + timedelta(days=number - 1)
    closing = opening + sum(one.amount for one in entries)
    return BankStatement(f"S{number}", "DE89370400440532013000", currency, opening, day, closing, day, entries, number)


def chained(*days: list[Entry], opening: int = 0, currency: str = "EUR") -> list[BankStatement]:
    """Statements that follow each other."""
    found: list[BankStatement] = []
    for number, entries in enumerate(days, start=1):
        found.append(statement(*entries, opening=opening, number=number, currency=currency))
        opening = found[-1].closing
    return found


def written(*statements: BankStatement, version: str = "08") -> bytes:
    """A file of these statements, in a version from 02 on."""
    body = "".join(_statement(one, version) for one in statements)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        f"<BkToCstmrStmt><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-03-02T18:00:00Z</CreDtTm></GrpHdr>{body}"
        "</BkToCstmrStmt></Document>"
    ).encode()


def _statement(one: BankStatement, version: str) -> str:
    bookings: dict[int, list[Entry]] = {}
    for place, entry in enumerate(one.entries):
        bookings.setdefault(entry.batch or -1 - place, []).append(entry)
    return (
        f"<Stmt><Id>{_text(one.statement)}</Id>"
        + ("" if one.sequence is None else f"<ElctrncSeqNb>{one.sequence}</ElctrncSeqNb>")
        + "<CreDtTm>2026-03-02T18:00:00Z</CreDtTm>"
        + f"<Acct><Id><IBAN>{one.account}</IBAN></Id><Ccy>{one.currency}</Ccy></Acct>"
        + _balance("OPBD", one.opening, one.opened_on, one.currency)
        + _balance("CLBD", one.closing, one.closed_on, one.currency)
        + "".join(_booking(entries, one.currency, version) for entries in bookings.values())
        + "</Stmt>"
    )


def _balance(code: str, amount: int, day: date, currency: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(amount, currency)}<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _amount(amount: int, currency: str) -> str:
    direction = "DBIT" if amount < 0 else "CRDT"
    text = format_amount(abs(amount), currency)
    return f'<Amt Ccy="{currency}">{text}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'


def _booking(entries: list[Entry], currency: str, version: str) -> str:
    first = entries[0]
    total = sum(one.amount for one in entries)
    status = "BOOK" if version < "07" else "<Cd>BOOK</Cd>"
    return (
        f"<Ntry>{_amount(total, currency)}<RvslInd>{str(first.reversal).lower()}</RvslInd><Sts>{status}</Sts>"
        f"<BookgDt><Dt>{first.booked_on}</Dt></BookgDt>"
        + ("" if first.value_on is None else f"<ValDt><DtTm>{first.value_on}T00:00:00</DtTm></ValDt>")
        + (f"<AcctSvcrRef>{_text(first.reference)}</AcctSvcrRef>" if first.reference else "")
        + f"<BkTxCd>{_code(first.code)}</BkTxCd><NtryDtls>"
        + "".join(_transaction(one, currency, version, total) for one in entries)
        + "</NtryDtls></Ntry>"
    )


def _code(code: str) -> str:
    if code.count("/") == 2:
        domain, family, sub = code.split("/")
        return f"<Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly></Domn>"
    return f"<Prtry><Cd>{_text(code)}</Cd></Prtry>"


def _transaction(one: Entry, currency: str, version: str, total: int) -> str:
    refs = (
        f"<Refs>{_tag('AcctSvcrRef', one.reference)}<EndToEndId>{_text(one.end_to_end) or 'NOTPROVIDED'}</EndToEndId>"
        f"{_tag('TxId', one.transaction)}</Refs>"
    )
    if version == "02":
        if (one.amount > 0) != (total > 0):
            raise ValueError("version 02 has no direction of its own for a part of a batch")
        text = format_amount(abs(one.amount), currency)
        amount = f'<AmtDtls><TxAmt><Amt Ccy="{currency}">{text}</Amt></TxAmt></AmtDtls>'
    else:
        amount = _amount(one.amount, currency)
    party = "Cdtr" if one.amount < 0 else "Dbtr"
    name = _tag("Nm", one.counterparty)
    inner = name if version < "07" else f"<Pty>{name}</Pty>"
    parties = f"<RltdPties><{party}>{inner}</{party}></RltdPties>" if name else ""
    remittance = f"<RmtInf><Ustrd>{_text(one.description)}</Ustrd></RmtInf>" if one.description else ""
    return f"<TxDtls>{refs}{amount}{parties}{remittance}</TxDtls>"


def _tag(name: str, text: str) -> str:
    return f"<{name}>{_text(text)}</{name}>" if text else ""


def _text(text: str) -> str:
    return escape(text)


# Latin text as banks write it, with what XML has to escape.
_TEXTS = st.text("abcXYZ 0159/-?:().,'+&<>\"]é☂", max_size=35).map(lambda text: " ".join(text.split()))
_REFERENCES = st.text("abcXYZ0159-/&<", max_size=20).filter(lambda text: text != "NOTPROVIDED")
_AMOUNTS = st.integers(-(10**12), 10**12).filter(bool)
_DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@st.composite
def statements(draw: st.DrawFn, *, version: str = "08") -> BankStatement:
    """Statements that add up, with single entries and batches."""
    currency = draw(st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
    entries: list[Entry] = []
    for place, size in enumerate(draw(st.lists(st.integers(1, 4), max_size=5)), start=1):
        booked_on, value_on, reversal = draw(_DAYS), draw(st.none() | _DAYS), draw(st.booleans())
        code = draw(st.sampled_from(["PMNT/RCDT/ESCT", "544"]))
        amounts = draw(st.lists(_AMOUNTS, min_size=size, max_size=size).filter(lambda found: sum(found) != 0))
        if version == "02" and size > 1:
            amounts = [abs(one) for one in amounts]
        for amount in amounts:
            entries.append(
                Entry(
                    amount,
                    booked_on,
                    value_on,
                    reference=f"R{place}-{len(entries)}" if size > 1 else f"R{place}",
                    end_to_end=draw(_REFERENCES),
                    transaction=draw(_REFERENCES),
                    counterparty=draw(_TEXTS),
                    description=draw(_TEXTS),
                    code=code,
                    reversal=reversal,
                    batch=place if size > 1 else 0,
                )
            )
    numbers: dict[int, int] = {}
    renumbered = [
        replace(one, batch=numbers.setdefault(one.batch, len(numbers) + 1)) if one.batch else one for one in entries
    ]
    return statement(*renumbered, opening=draw(st.integers(-(10**12), 10**12)), currency=currency)
