"""Statements in camt.053 of ISO 20022 (BankToCustomerStatement), versions 02 to 13.

A file comes from outside, so it is read as an attack would be: one pass with limits, no document type, no entities, no
other namespace, and nothing that two readers could read differently (CDATA, comments or instructions inside a value, an
element twice). One child of a statement is in memory at a time.

Source: ISO 20022, message definition report "Bank-to-Customer Cash Management", with the schemas of the versions.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from parpour_treasury.statements.model import (
    ENTRIES_MAX,
    REFERENCE_MAX,
    TEXT_MAX,
    BankStatement,
    Entry,
    check_series,
    check_size,
    decoded,
    parse_date,
    parse_minor,
    refuse,
)

VERSIONS = tuple(f"{number:02}" for number in range(2, 14))
"""Versions of the message that are read."""

DEPTH_MAX = 24
"""Elements within each other; the schemas need about fifteen."""

ELEMENTS_MAX = 2_000_000
"""Elements of a file."""

ELEMENTS_OF_ENTRY_MAX = 200_000
"""Elements of one entry, which is in memory as a whole."""

NAME_MAX = 60
"""Characters of an element's name; the longest of the schemas has fewer. Paths in refusals stay short."""

HEADER_MAX = 1000
"""Elements of a statement beside its entries."""

STATEMENTS_MAX = 1000
"""Statements of a file."""

_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.(?P<version>[0-9]{2})")
_CHUNK = 65536
_COUNTED = "BOOK"
_LEFT_OUT = ("PDNG", "INFO", "FUTR")
_NOT_PROVIDED = "NOTPROVIDED"
"""What ISO 20022 has payers write where they gave no identification."""


@dataclass(slots=True, eq=False)
class _Node:
    tag: str
    parent: _Node | None
    place: int
    """Its place among the elements of its name, from 1."""
    currency: str = ""
    text: list[str] = field(default_factory=list)
    length: int = 0
    children: list[_Node] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    cut: bool = False
    """Whether a comment or an instruction stands in it."""

    @property
    def value(self) -> str:
        return "".join(self.text).strip(" \t\r\n")

    @property
    def path(self) -> str:
        one: _Node | None = self
        names = []
        while one is not None:
            names.append(one.tag if one.place == 1 else f"{one.tag}[{one.place}]")
            one = one.parent
        return "/".join(reversed(names))


class _Reader:
    """Target of the parser: keeps one child of a statement, and makes it an entry once it is complete."""

    def __init__(self) -> None:
        self.namespace = ""
        self.stack: list[_Node] = []
        self.elements = 0
        self.kept = 0
        self.skipped = 0
        """Depth inside of supplementary data, which may be anything."""
        self.header: list[_Node] = []
        self.entries: list[Entry] = []
        self.left_out = 0
        self.batches = 0
        self.currency = ""
        self.statements: list[BankStatement] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, name = tag.rpartition("}")
        namespace = namespace.lstrip("{")
        self.elements += 1
        if len(name) > NAME_MAX:
            raise refuse("STATEMENT_TOO_LARGE", self._path(), f"a name has up to {NAME_MAX} characters")
        if len(self.stack) + self.skipped >= DEPTH_MAX:
            raise refuse("STATEMENT_TOO_DEEP", self._path(), f"up to {DEPTH_MAX} elements within each other")
        if self.elements > ELEMENTS_MAX:
            raise refuse("STATEMENT_TOO_LARGE", self._path(), f"up to {ELEMENTS_MAX} elements")
        if self.skipped or (self.stack and name == "SplmtryData" and namespace == self.namespace):
            self.skipped += 1
            return
        if not self.stack:
            self._begin(namespace, name)
        elif namespace != self.namespace:
            raise refuse("STATEMENT_NAMESPACE_MIXED", f"{self._path()}/{name}")
        if len(self.stack) == 1 and name != "BkToCstmrStmt":
            raise refuse("STATEMENT_FORMAT_UNKNOWN", f"{self._path()}/{name}", "no BkToCstmrStmt")
        parent = self.stack[-1] if self.stack else None
        place = 1
        if parent is not None:
            place = parent.counts.get(name, 0) + 1
            parent.counts[name] = place
        node = _Node(name, parent, place, attributes.get("Ccy", ""))
        if parent is not None and (len(self.stack) > 3 or parent.tag == "GrpHdr"):
            # Children of statements and of the message's header are kept whole; what is around them is not.
            parent.children.append(node)
            self.kept += 1
            if self.kept > ELEMENTS_OF_ENTRY_MAX:
                raise refuse(
                    "STATEMENT_TOO_LARGE", self._path(), f"up to {ELEMENTS_OF_ENTRY_MAX} elements of one entry"
                )
        self.stack.append(node)
        if self._in_statement(2):
            if place > STATEMENTS_MAX:
                raise refuse("STATEMENT_TOO_LARGE", self._path(), f"up to {STATEMENTS_MAX} statements")
            self.header, self.entries, self.left_out, self.batches, self.currency = [], [], 0, 0, ""

    def data(self, text: str) -> None:
        if self.skipped or not self.stack:
            return
        node = self.stack[-1]
        node.length += len(text)
        if node.length > TEXT_MAX and (text.strip() or node.value):
            raise refuse("STATEMENT_TOO_LARGE", node.path, f"up to {TEXT_MAX} characters")
        if node.length <= TEXT_MAX:
            node.text.append(text)

    def end(self, _tag: str) -> None:
        if self.skipped:
            self.skipped -= 1
            return
        node = self.stack[-1]
        if node.value and (node.counts or node.cut):
            # What one reader takes for a value, another may take for a part of it.
            raise refuse("STATEMENT_XML_FORBIDDEN", node.path, "a value with something in it")
        if self._in_statement(3):
            if node.tag == "Ntry":
                self._book(node)
            else:
                if len(self.header) >= HEADER_MAX:
                    raise refuse("STATEMENT_TOO_LARGE", node.path, f"up to {HEADER_MAX} elements beside the entries")
                self.header.append(node)
            self.kept = 0
        elif self._in_statement(2):
            self._finish(node)
        elif node.tag == "GrpHdr":
            _refuse_page(_optional(node, "MsgPgntn"))
            self.kept = 0
        self.stack.pop()

    def comment(self, _text: str) -> None:
        if self.stack and not self.skipped:
            self.stack[-1].cut = True

    def pi(self, _target: str, _data: str | None = None) -> None:
        raise refuse("STATEMENT_XML_FORBIDDEN", self._path(), "a processing instruction")

    def close(self) -> tuple[BankStatement, ...]:
        if not self.statements:
            raise refuse("STATEMENT_ELEMENT_MISSING", "Document/BkToCstmrStmt/Stmt")
        return tuple(self.statements)

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        """Refuse a file that says it is in another encoding than the one in which it was checked and is read."""
        if encoding is not None and encoding.lower() not in ("utf-8", "us-ascii"):
            raise refuse("STATEMENT_ENCODING_UNKNOWN", "", "UTF-8 is read")

    def cdata(self) -> None:
        raise refuse("STATEMENT_XML_FORBIDDEN", self._path(), "a CDATA section")

    def _begin(self, namespace: str, name: str) -> None:
        match = _NAMESPACE.fullmatch(namespace)
        if match is None or name != "Document":
            raise refuse("STATEMENT_FORMAT_UNKNOWN", name, "no Document of camt.053.001")
        if match["version"] not in VERSIONS:
            raise refuse("STATEMENT_FORMAT_UNKNOWN", name, f"version {match['version']} of camt.053.001")
        self.namespace = namespace

    def _in_statement(self, depth: int) -> bool:
        return len(self.stack) == depth + 1 and self.stack[2].tag == "Stmt"

    def _path(self) -> str:
        return self.stack[-1].path if self.stack else ""

    def _book(self, node: _Node) -> None:
        """Take an entry, once the account's currency is known: the schemas put it first."""
        if not self.currency:
            self.currency = _currency_of(self.header, node)
        status = _status(node)
        booked = list(_entries(node, self.currency, self.batches + 1)) if status == _COUNTED else []
        if not booked:
            self.left_out += 1
        elif len(booked) > 1:
            self.batches += 1
        self.entries += booked
        if len(self.entries) > ENTRIES_MAX:
            raise refuse("STATEMENT_TOO_LARGE", node.path, f"up to {ENTRIES_MAX} entries")

    def _finish(self, node: _Node) -> None:
        node.children = self.header
        currency = self.currency or _currency_of(self.header, node)
        opening, opened_on = _balance(node, ("OPBD", "PRCD"), currency)
        closing, closed_on = _balance(node, ("CLBD",), currency)
        _refuse_page(_optional(node, "StmtPgntn"))
        account = _one(_one(node, "Acct"), "Id")
        other = _optional(account, "Othr")
        self.statements.append(
            BankStatement(
                statement=_reference(node, "Id", required=True),
                account=_reference(account, "IBAN") or _reference(other or account, "Id", required=True),
                currency=currency,
                opening=opening,
                opened_on=opened_on,
                closing=closing,
                closed_on=closed_on,
                entries=tuple(self.entries),
                sequence=_sequence(node),
                left_out=self.left_out,
            )
        )


def read_camt053(data: bytes) -> tuple[BankStatement, ...]:
    """The statements of a file, each checked, and each against the one before it of the same account.

    Raises:
        TreasuryError: a code of STATEMENT_*, with the path of the element.
    """
    check_size(data)
    decoded(data)
    reader = _Reader()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        parser: Any = DefusedXMLParser(
            target=reader, encoding="utf-8", forbid_dtd=True, forbid_entities=True, forbid_external=True
        )
    parser.parser.StartCdataSectionHandler = reader.cdata
    parser.parser.XmlDeclHandler = reader.declaration
    try:
        for start in range(0, len(data), _CHUNK):
            parser.feed(data[start : start + _CHUNK])
        statements: tuple[BankStatement, ...] = parser.close()
    except DefusedXmlException as error:
        raise refuse("STATEMENT_XML_FORBIDDEN", reader._path(), type(error).__name__) from None
    except ParseError as error:
        line, column = error.position
        raise refuse("STATEMENT_XML_MALFORMED", f"line {line}, column {column}") from None
    check_series(statements)
    return statements


def _all(node: _Node, tag: str) -> list[_Node]:
    return [child for child in node.children if child.tag == tag]


def _optional(node: _Node, tag: str) -> _Node | None:
    found = _all(node, tag)
    if len(found) > 1:
        raise refuse("STATEMENT_ELEMENT_REPEATED", found[1].path)
    return found[0] if found else None


def _one(node: _Node, tag: str) -> _Node:
    found = _optional(node, tag)
    if found is None:
        raise refuse("STATEMENT_ELEMENT_MISSING", f"{node.path}/{tag}")
    return found


def _down(node: _Node | None, *tags: str) -> _Node | None:
    for tag in tags:
        node = None if node is None else _optional(node, tag)
    return node


def _value(node: _Node | None, *tags: str) -> str:
    found = _down(node, *tags)
    return "" if found is None else found.value


def _reference(node: _Node, tag: str, *, required: bool = False) -> str:
    found = _one(node, tag) if required else _optional(node, tag)
    value = "" if found is None else found.value
    if found is not None and (len(value) > REFERENCE_MAX or not value.isprintable() or (required and not value)):
        raise refuse("STATEMENT_VALUE_MALFORMED", found.path, f"1 to {REFERENCE_MAX} printable characters")
    return "" if value == _NOT_PROVIDED else value


def _currency_of(header: Iterable[_Node], node: _Node) -> str:
    """The account's currency, or that of its first balance where the bank does not state it."""
    for one in header:
        if one.tag == "Acct" and (stated := _value(one, "Ccy")):
            return stated
    for one in header:
        if one.tag == "Bal":
            return _one(one, "Amt").currency
    raise refuse("STATEMENT_ELEMENT_MISSING", f"{node.path}/Bal")


def _amount(node: _Node, currency: str) -> int:
    """The amount of a node without a sign, which CdtDbtInd alone has."""
    if node.currency != currency:
        raise refuse(
            "STATEMENT_CURRENCY_MISMATCH", node.path, f"{node.currency[:3]!r} where the account is in {currency}"
        )
    amount = parse_minor(node.value, currency, node.path)
    if amount < 0 or node.value.startswith(("+", "-")):
        raise refuse("STATEMENT_AMOUNT_MALFORMED", node.path, "CdtDbtInd says the direction, no sign")
    return amount


def _sign(node: _Node) -> int:
    """1 for a credit of the account, -1 for a debit.

    A reversal (RvslInd) does not turn it: CdtDbtInd says what happens to the account now.
    """
    indicator = _one(node, "CdtDbtInd")
    if indicator.value not in ("CRDT", "DBIT"):
        raise refuse("STATEMENT_VALUE_MALFORMED", indicator.path, "CRDT or DBIT")
    return 1 if indicator.value == "CRDT" else -1


def _day(node: _Node) -> date:
    choice = _optional(node, "Dt") or _one(node, "DtTm")
    return parse_date(choice.value, choice.path)


def _refuse_page(pages: _Node | None) -> None:
    if pages is not None and (
        _value(pages, "LastPgInd") not in ("true", "1") or _value(pages, "PgNb").strip("0") != "1"
    ):
        raise refuse("STATEMENT_INCOMPLETE", pages.path, "one of several pages")


def _balance(node: _Node, codes: tuple[str, ...], currency: str) -> tuple[int, date]:
    """The first of the kinds of balance that the statement has, and its day."""
    for code in codes:
        found = [one for one in _all(node, "Bal") if _value(one, "Tp", "CdOrPrtry", "Cd") == code]
        if len(found) > 1:
            raise refuse("STATEMENT_ELEMENT_REPEATED", found[1].path, f"a second balance {code}")
        if found:
            return _sign(found[0]) * _amount(_one(found[0], "Amt"), currency), _day(_one(found[0], "Dt"))
    raise refuse("STATEMENT_BALANCE_MISSING", f"{node.path}/Bal", " or ".join(codes))


def _sequence(node: _Node) -> int | None:
    for tag in ("ElctrncSeqNb", "LglSeqNb"):
        found = _optional(node, tag)
        if found is not None:
            if not re.fullmatch(r"[0-9]{1,18}", found.value, re.ASCII):
                raise refuse("STATEMENT_VALUE_MALFORMED", found.path, "a whole number")
            return int(found.value)
    return None


def _status(node: _Node) -> str:
    found = _one(node, "Sts")
    status = _value(found, "Cd") or found.value
    if status != _COUNTED and status not in _LEFT_OUT:
        raise refuse("STATEMENT_STATUS_UNKNOWN", found.path)
    return status


def _entries(node: _Node, currency: str, batch: int) -> Iterator[Entry]:
    """What the bank booked: one entry, or one for each transaction of a batch whose amounts it states."""
    total = _sign(node) * _amount(_one(node, "Amt"), currency)
    reversal = _optional(node, "RvslInd")
    if reversal is not None and reversal.value not in ("true", "false", "1", "0"):
        raise refuse("STATEMENT_VALUE_MALFORMED", reversal.path, "true or false")
    common: dict[str, Any] = {
        "booked_on": _day(_one(node, "BookgDt")),
        "value_on": None if (valued := _optional(node, "ValDt")) is None else _day(valued),
        "reversal": reversal is not None and reversal.value in ("true", "1"),
    }
    parts = [part for details in _all(node, "NtryDtls") for part in _all(details, "TxDtls")]
    amounts = [_amount_of_part(part, node, currency, batch=len(parts) > 1) for part in parts]
    stated = [amount for amount in amounts if amount is not None]
    if len(parts) < 2 or not stated:
        if len(parts) == 1 and stated and stated[0] != total:
            raise refuse("STATEMENT_BATCH_UNBALANCED", node.path, f"its transaction has {stated[0]}, the entry {total}")
        if total:
            yield Entry(amount=total, **common, **_details(node, parts[0] if len(parts) == 1 else None))
        return
    if len(stated) != len(parts) or sum(stated) != total:
        raise refuse(
            "STATEMENT_BATCH_UNBALANCED", node.path, f"transactions come to {sum(stated)}, the entry is {total}"
        )
    for part, amount in zip(parts, stated, strict=True):
        yield Entry(amount=amount, **common, **_details(node, part), batch=batch)


def _amount_of_part(part: _Node, node: _Node, currency: str, *, batch: bool) -> int | None:
    """What a transaction contributes in the account's currency; None where the bank does not say it.

    Zero says nothing: the sample message of ISO 20022 has it in every transaction, because the schema wants an amount.
    """
    direction = part if _optional(part, "CdtDbtInd") is not None else node
    stated = [_optional(part, "Amt")]
    if batch:
        # Alone, it may be what the payer sent, before charges.
        stated.append(_down(part, "AmtDtls", "TxAmt", "Amt"))
    for found in stated:
        if found is not None and found.currency == currency and (amount := _amount(found, currency)):
            return _sign(direction) * amount
    return None


def _details(node: _Node, part: _Node | None) -> dict[str, Any]:
    """References, counterparty and texts: the transaction's, or else the entry's."""
    references = None if part is None else _optional(part, "Refs")
    own = _reference(node, "AcctSvcrRef") or _reference(node, "NtryRef")
    outgoing = _sign(part if part is not None and _optional(part, "CdtDbtInd") is not None else node) < 0
    parties = _down(part, "RltdPties")
    party = _down(parties, "Cdtr" if outgoing else "Dbtr")
    remittance = _down(part, "RmtInf")
    lines = [] if remittance is None else [one.value for one in _all(remittance, "Ustrd")]
    return {
        "reference": (_reference(references, "AcctSvcrRef") if references else "") or own,
        "end_to_end": _reference(references, "EndToEndId") if references else "",
        "transaction": _reference(references, "TxId") if references else "",
        "counterparty": _value(party, "Nm") or _value(party, "Pty", "Nm"),
        "description": " ".join(lines)[:TEXT_MAX] or _value(part, "AddtlTxInf") or _value(node, "AddtlNtryInf"),
        "code": _code(part) or _code(node),
    }


def _code(node: _Node | None) -> str:
    """The bank transaction code: domain, family and subfamily, or the bank's own."""
    domain = _down(node, "BkTxCd", "Domn")
    if domain is not None:
        words = (_value(domain, "Cd"), _value(domain, "Fmly", "Cd"), _value(domain, "Fmly", "SubFmlyCd"))
        return "/".join(words)
    return _value(node, "BkTxCd", "Prtry", "Cd")
