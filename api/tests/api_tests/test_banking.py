"""Statements, reconciliation and restore mode over the API, from the file to the two people who decide."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from parpour_api import banking_http
from parpour_api.errors import CATALOGUE
from parpour_controlplane.database import open_database
from parpour_controlplane.testing import Place
from parpour_treasury.reconciliation.evidence import faults
from parpour_treasury.statements.model import BYTES_MAX

from .banking import IBAN, Banking, camt, new_banking, today
from .building import Api

pytestmark = pytest.mark.anyio

UNKNOWN = str(uuid4())


@pytest.fixture
async def bank(api: Api, place: Place) -> AsyncIterator[Banking]:
    async with open_database(place.dsn(), connections=2) as database:
        yield await new_banking(api, database)


async def test_an_account_is_bound_once_and_by_people_of_the_venture(bank: Banking, api: Api) -> None:
    bound = {"identification": IBAN, "account": {"id": bank.account}}
    assert await bank.bind() == {"replayed": False, "bankAccount": bound}
    assert await bank.bind(bank.bob) == {"replayed": True, "bankAccount": bound}
    assert (await bank.bind(iban="another"))["code"] == "RECONCILIATION_BANK_ACCOUNT_EXISTS"
    stranger = api.caller(bank.venture.tenant, sub="stranger", roles=["owner"])
    assert (await bank.bind(stranger))["code"] == "TREASURY_MEMBER_UNKNOWN"
    tool = api.caller(bank.venture.tenant, sub="buyer", actor_kind="agent", roles=["treasurer"])
    assert (await bank.bind(tool))["code"] == "TREASURY_NOT_A_PERSON"
    assert await bank.bind(iban="a\nb") == {"code": "TREASURY_COMMAND_MALFORMED", "field": "identification"}


async def test_a_statement_is_taken_once_and_read_back(bank: Banking) -> None:
    await bank.bind()
    data = camt("0.00", "9925.00", [("10000.00", "R1"), ("-70.00", "R2"), ("-5.00", "R3 <&> ü")])
    taken = {"number": "1", "statement": "S1", "replayed": False}
    assert (await bank.upload(data)).json() == {"account": bank.account, "statements": [taken]}
    assert (await bank.upload(data)).json()["statements"] == [{**taken, "replayed": True}]
    assert (await bank.upload(camt("9925.00", "9926.00", [("1.00", "R4")], number=2))).status_code == 200
    query = """query($account: ID!, $after: String) { bankAccounts { identification } bankAccount(account: $account) {
        since statements(first: 1, after: $after) { nodes { number statement opening { amount } closing { amount minor }
            sha256 format importedBy leftOut entries(last: 2) {
                nodes { position amount { amount } reference match exception } pageInfo { hasPreviousPage } } }
            pageInfo { endCursor hasNextPage } } } }"""
    answer = await bank.dan.ask(query, {"account": bank.account})
    page = answer["bankAccount"]["statements"]
    (one,) = page["nodes"]
    assert answer["bankAccounts"] == [{"identification": IBAN}]
    assert (one["opening"]["amount"], one["closing"], one["importedBy"]) == (
        "0.00",
        {"amount": "9925.00", "minor": "992500"},
        "user:bob",
    )
    entries = [(entry["position"], entry["amount"]["amount"], entry["reference"]) for entry in one["entries"]["nodes"]]
    assert entries == [(2, "-70.00", "R2"), (3, "-5.00", "R3 <&> ü")]
    assert one["entries"]["pageInfo"]["hasPreviousPage"]
    following = await bank.dan.ask(query, {"account": bank.account, "after": page["pageInfo"]["endCursor"]})
    assert [two["number"] for two in following["bankAccount"]["statements"]["nodes"]] == ["2"]
    assert not following["bankAccount"]["statements"]["pageInfo"]["hasNextPage"]


CSV = "Date (UTC),Amount,Status,Reference,Description,Bank Description\r\n{},{},Sent,R1,Shop,x\r\n"


async def test_a_csv_file_needs_what_it_does_not_say(bank: Banking) -> None:
    await bank.bind()
    day = f"{today():%m-%d-%Y}"
    frame: dict[str, Any] = {
        "media": "text/csv",
        "format": "mercury",
        "statement": "M1",
        "opening": "0",
        "openedOn": str(today()),
        "closing": "10000.00",
        "closedOn": str(today()),
    }
    data = CSV.format(day, "10000.00").encode()
    assert (await bank.upload(data, **{**frame, "closing": "1"})).json()["code"] == "STATEMENT_UNBALANCED"
    lacking = {name: value for name, value in frame.items() if name != "opening"}
    assert (await bank.upload(data, **lacking)).json()["code"] == "API_REQUEST_MALFORMED"
    wrong = (await bank.upload(data, **{**frame, "closing": "1.001"})).json()
    assert (wrong["code"], wrong["path"]) == ("STATEMENT_AMOUNT_TOO_PRECISE", "closing")
    broken = (await bank.upload(CSV.format(day, "1,0").encode(), **frame)).json()
    assert (broken["code"], broken["path"]) == ("STATEMENT_CSV_MALFORMED", "row 2")
    assert (await bank.upload(data, **frame)).status_code == 200


HOSTILE: dict[str, tuple[bytes, str, int, str]] = {
    "an entity": (
        camt("0", "0", [], head='<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'),
        "STATEMENT_XML_FORBIDDEN",
        422,
        "",
    ),
    "no XML": (b"\x00\x01", "STATEMENT_XML_MALFORMED", 422, "line 1"),
    "nothing": (b"", "STATEMENT_XML_MALFORMED", 422, "line 1"),
    "another encoding": ("<ü>".encode("utf-16"), "STATEMENT_ENCODING_UNKNOWN", 422, "byte 0"),
    "it does not add up": (camt("0.00", "1.00", [("2.00", "R")]), "STATEMENT_UNBALANCED", 422, "closing"),
    "part of a cent": (
        camt("0.00", "1.00", [("1.001", "R")]),
        "STATEMENT_AMOUNT_TOO_PRECISE",
        422,
        "Document/BkToCstmrStmt/Stmt/Ntry/Amt",
    ),
    "another account": (camt("0", "0", [], iban="X1"), "STATEMENT_OF_ANOTHER_ACCOUNT", 409, ""),
    "deep": (b"<a>" * 100_000, "STATEMENT_FORMAT_UNKNOWN", 422, "a"),
    "another document": (b"<a/>", "STATEMENT_FORMAT_UNKNOWN", 422, "a"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_file_that_is_none_is_refused_with_its_place_and_leaves_nothing(bank: Banking, name: str) -> None:
    await bank.bind()
    data, code, status, path = HOSTILE[name]
    response = await bank.upload(data)
    problem = response.json()
    assert (problem["code"], response.status_code, CATALOGUE[code].status) == (code, status, status)
    assert problem["path"].startswith(path)
    assert response.headers["content-type"] == "application/problem+json"
    answer = await bank.dan.ask(
        "query($a: ID!) { bankAccount(account: $a) { statement { number } } }", {"a": bank.account}
    )
    assert answer["bankAccount"]["statement"] is None


async def test_a_statement_that_was_changed_or_leaves_a_gap_is_refused(bank: Banking) -> None:
    await bank.first()
    for data, code in (
        (camt("0.00", "1.00", [("1.00", "R1")]), "STATEMENT_CHANGED"),
        (camt("1.00", "2.00", [("1.00", "R9")], number=2), "STATEMENT_NOT_CONTINUOUS"),
    ):
        response = await bank.upload(data)
        assert (response.status_code, response.json()["code"]) == (409, code)


async def test_who_may_not_or_sends_too_much_is_refused_before_the_file_is_read(
    bank: Banking, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "parpour_api.audit")
    await bank.bind()
    data = camt("0.00", "0.00", [])
    for caller, query, content, code in [
        (bank.dan, {}, data, "API_FORBIDDEN"),
        (bank.bob, {"media": "application/json"}, data, "API_MEDIA_TYPE"),
        (bank.bob, {}, b"x" * (BYTES_MAX + 1), "API_BODY_TOO_LARGE"),
        (bank.bob, {"account": "77"}, data, "RECONCILIATION_BANK_ACCOUNT_UNKNOWN"),
        (bank.bob, {"account": "1'--"}, data, "RECONCILIATION_BANK_ACCOUNT_UNKNOWN"),
        (bank.bob, {"format": "mt940"}, data, "API_REQUEST_MALFORMED"),
    ]:
        response = await bank.upload(content, caller=caller, **query)
        assert (response.json()["code"], response.status_code) == (code, CATALOGUE[code].status)
    monkeypatch.setattr(banking_http._TAKING, "tenants", {bank.venture.tenant})
    assert (await bank.upload(data)).json()["code"] == "API_BUSY", "one at a time of each tenant"
    monkeypatch.setattr(banking_http._TAKING, "tenants", {uuid4() for _ in range(banking_http.AT_ONCE)})
    assert (await bank.upload(data)).json()["code"] == "API_BUSY"
    audited = [one.fields for one in caplog.records if one.name.endswith("audit")]  # type: ignore[attr-defined]
    noted = [one["outcome"] for one in audited if one["field"] == banking_http.UPLOAD]
    assert noted == [
        "API_FORBIDDEN",
        "API_MEDIA_TYPE",
        "RECONCILIATION_BANK_ACCOUNT_UNKNOWN",
        "RECONCILIATION_BANK_ACCOUNT_UNKNOWN",
        "API_BUSY",
        "API_BUSY",
    ]


async def test_the_same_file_from_many_at_once_stands_once(bank: Banking) -> None:
    await bank.bind()
    data = camt("0.00", "9925.00", [("9925.00", "R1")])
    answers = [one.json() for one in await asyncio.gather(*(bank.upload(data) for _ in range(8)))]
    taken = [one["statements"][0]["replayed"] for one in answers if "statements" in one]
    assert [one["code"] for one in answers if "code" in one] == ["API_BUSY"] * (8 - len(taken))
    assert taken.count(False) == 1
    assert (await bank.upload(data)).json()["statements"][0]["replayed"]


async def test_a_day_is_reconciled_by_a_rule_a_person_and_two_people(bank: Banking) -> None:
    await bank.first()
    assert not (await bank.check())["agrees"], "nothing was looked at yet"
    assert await bank.reconcile() == {"matches": 0, "exceptions": 3, "inTransit": 1}
    queue = await bank.queue()
    assert set(queue) == {"10000.00", "-70.00", "-5.00"}
    parts = 'entries: [{statement: "1", position: %d}], movements: [{journal: "1", leg: 1}], evidence: "%s"'
    call = f'confirmMatch(account: "{bank.account}", {parts})'
    match = "... on ConfirmedMatch { match { number rule explanation entries { statement position } } }"
    assert await bank.do(bank.bob, call % (2, "the wrong one"), match) == "RECONCILIATION_MATCH_UNBALANCED"
    made = (await bank.do(bank.bob, call % (1, "the funding"), match))["match"]
    assert (made["number"], made["rule"], made["entries"]) == ("1", "DECISION", [{"statement": "1", "position": 1}])
    assert json.loads(made["explanation"])["evidence"] == "the funding"
    undo = f'undoMatch(account: "{bank.account}", match: "%s", evidence: "the wrong account")'
    undone = "... on UndoneMatch { match { number undoneBy undoneBecause entries { statement position } } }"
    assert await bank.do(bank.bob, undo % "1", undone) == "RECONCILIATION_SECOND_PERSON_REQUIRED"
    assert await bank.do(bank.ann, undo % "x", undone) == "RECONCILIATION_MATCH_UNKNOWN"
    assert await bank.do(bank.ann, undo % "9", undone) == "RECONCILIATION_MATCH_UNKNOWN"
    taken = (await bank.do(bank.ann, undo % "1", undone))["match"]
    assert (taken["undoneBy"], taken["undoneBecause"]) == ("ann", "the wrong account")
    assert taken["entries"] == [{"statement": "1", "position": 1}]
    assert await bank.do(bank.bob, undo % "1", undone) == "RECONCILIATION_MATCH_UNDONE"
    assert (await bank.do(bank.bob, call % (1, "the funding all the same"), match))["match"]["number"] == "2"
    decided = "... on DecidedException { exception { state closedBy evidence } }"
    resolve = f'resolveException(exception: "{queue["-70.00"]}", outcome: WRITTEN_OFF, evidence: "%s")'
    assert await bank.do(bank.ann, resolve % "  ", decided) == "RECONCILIATION_EVIDENCE_MISSING"
    assert (await bank.do(bank.ann, resolve % "known to the bank", decided))["exception"] == {
        "state": "WRITTEN_OFF",
        "closedBy": "ann",
        "evidence": "known to the bank",
    }
    assert await bank.do(bank.ann, resolve % "again", decided) == "RECONCILIATION_EXCEPTION_CLOSED"
    fee, fees = queue["-5.00"], str(bank.venture.accounts["expenses:fees:usd"])
    leg = '{account: "%s", side: %s, amount: "5.00", currency: "USD"}'
    legs = f"[{leg % (fees, 'DEBIT')}, {leg % (bank.account, 'CREDIT')}]"
    said = 'evidence: "the price list", description: "a fee"'
    propose = f'proposeExceptionJournal(exception: "{fee}", outcome: RESOLVED, legs: {legs}, {said})'
    proposed = """... on DecidedException { exception { state
        proposal { description legs { side amount { amount } account { id } } } } }"""
    standing = (await bank.do(bank.bob, propose, proposed))["exception"]
    assert (standing["state"], [one["account"]["id"] for one in standing["proposal"]["legs"]]) == (
        "PROPOSED",
        [fees, bank.account],
    )
    withdrawn = await bank.do(bank.ann, f'withdrawExceptionJournal(exception: "{fee}")', decided)
    assert withdrawn["exception"]["state"] == "OPEN"
    await bank.do(bank.bob, propose, proposed)
    confirm = f'confirmExceptionJournal(exception: "{fee}")'
    closed = "... on ClosedException { exception { state closedBy closingJournal } journal { number description } }"
    assert await bank.do(bank.bob, confirm, closed) == "RECONCILIATION_SECOND_PERSON_REQUIRED"
    done = await bank.do(bank.ann, confirm, closed)
    assert done["exception"]["state"] == "RESOLVED"
    assert done["journal"] == {"number": done["exception"]["closingJournal"], "description": "a fee"}
    assert await bank.do(bank.ann, confirm, closed) == done, "asked again it is answered alike"
    check = await bank.check()
    assert check["agrees"]
    assert check["unexplained"]["amount"] == "0.00"
    assert [(one["item"], one["count"], one["amount"]["amount"]) for one in check["totals"]] == [
        ("decided", 1, "-70.00")
    ]
    assert [one["item"] for one in check["differences"]["nodes"]] == ["decided"]
    query = """query($a: ID!, $x: ID!) { bankAccount(account: $a) { match(number: "2") { rule }
        matches(last: 1) { nodes { number } } exceptions(states: [RESOLVED]) { nodes { id state } } }
        reconciliationException(id: $x) { kind state amount { amount } entry { position } } }"""
    answer = await bank.dan.ask(query, {"a": bank.account, "x": fee})
    assert answer["bankAccount"]["match"]["rule"] == "DECISION"
    assert answer["bankAccount"]["matches"]["nodes"] == [{"number": "3"}]
    assert answer["bankAccount"]["exceptions"]["nodes"] == [{"id": fee, "state": "RESOLVED"}]
    assert answer["reconciliationException"]["amount"]["amount"] == "-5.00"


async def test_the_evidence_of_a_day_is_the_same_bytes_each_time(bank: Banking) -> None:
    await bank.first()
    await bank.reconcile()
    address = f"/v1/evidence/{bank.account}/{today()}"
    one = await bank.api.client.get(address, headers=bank.dan.headers)
    two = await bank.api.client.get(address, headers=bank.ann.headers)
    assert one.status_code == 200
    assert one.headers["content-type"] == "application/zip"
    assert one.content == two.content
    assert faults(one.content) == []
    with zipfile.ZipFile(io.BytesIO(one.content)) as archive:
        assert len(json.loads(archive.read("entries.json"))) == 3
    for path, code in [
        (f"/v1/evidence/77/{today()}", "RECONCILIATION_BANK_ACCOUNT_UNKNOWN"),
        (f"/v1/evidence/x/{today()}", "RECONCILIATION_BANK_ACCOUNT_UNKNOWN"),
        (f"/v1/evidence/{bank.account}/yesterday", "API_REQUEST_MALFORMED"),
        (f"/v1/evidence/{bank.account}/0001-01-01", "API_NOT_FOUND"),
    ]:
        response = await bank.api.client.get(path, headers=bank.dan.headers)
        assert (response.json()["code"], response.status_code) == (code, CATALOGUE[code].status), path
    agent = bank.api.caller(bank.venture.tenant, sub="buyer", actor_kind="agent", roles=["agent"])
    assert (await bank.api.client.get(address, headers=agent.headers)).json()["code"] == "API_FORBIDDEN"


LOCK = "... on ChangedLock { changed lock { locked epoch reason proposedBy providers } }"


async def test_payments_are_locked_by_one_and_unlocked_by_two_after_a_review(bank: Banking) -> None:
    assert (await bank.dan.ask("{ paymentLock { locked } }"))["paymentLock"] is None
    locked = await bank.do(bank.bob, 'lockPayments(reason: "a restore")', LOCK)
    assert (locked["changed"], locked["lock"]["locked"], locked["lock"]["reason"]) == (True, True, "a restore")
    assert not (await bank.do(bank.ann, 'lockPayments(reason: "again")', LOCK))["changed"]
    assert await bank.do(bank.bob, 'proposeUnlock(evidence: "x")', LOCK) == "DISPATCH_NOT_RECONCILED"
    payment = '{reference: "po_1", amount: "%s", currency: "USD", sentAt: "2026-01-01T00:00:00Z"}'
    review = 'reviewProvider(provider: "stripe", asOf: "%s", payments: [%s])'
    told = "... on ReviewedProvider { review unknown }"
    now, early = datetime.now(UTC).isoformat(), (datetime.now(UTC) - timedelta(days=1)).isoformat()
    one = payment % "70.00"
    for call, code in [
        (review % (early, one), "DISPATCH_NOT_RECONCILED"),
        (review % ("2026-01-01T00:00:00", one), "TREASURY_COMMAND_MALFORMED"),
        (review % (now, payment % "0"), "AMOUNT_NOT_POSITIVE"),
        (review % (now, payment % "1.001"), "AMOUNT_TOO_PRECISE"),
        (review % (now, f"{one}, {one}"), "TREASURY_COMMAND_MALFORMED"),
        (review.replace("stripe", "") % (now, one), "TREASURY_COMMAND_MALFORMED"),
    ]:
        assert await bank.do(bank.bob, call, told) == code, call
    assert await bank.do(bank.bob, review % (now, one), told) == {"review": "1", "unknown": 1}
    query = """{ paymentLock { reviews { nodes { provider unknown } }
        found { nodes { reference amount { amount } recordedAt } } } }"""
    lock = (await bank.dan.ask(query))["paymentLock"]
    assert lock["reviews"]["nodes"] == [{"provider": "stripe", "unknown": 1}]
    assert lock["found"]["nodes"] == [{"reference": "po_1", "amount": {"amount": "70.00"}, "recordedAt": None}]
    assert await bank.do(bank.bob, 'proposeUnlock(evidence: "x")', LOCK) == "DISPATCH_NOT_RECONCILED"
    spent = await bank.bob.post(str(bank.venture.accounts["expenses:spending:usd"]), bank.account, "70.00")
    journal = spent["journal"]["number"]
    record = 'recordFoundPayment(provider: "stripe", reference: "%s", journal: "%s", evidence: "the list")'
    assert await bank.do(bank.bob, record % ("po_9", journal), LOCK) == "DISPATCH_PAYMENT_UNKNOWN"
    assert await bank.do(bank.bob, record % ("po_1", "x"), LOCK) == "RECONCILIATION_PROPOSAL_MISMATCH"
    assert await bank.do(bank.bob, record % ("po_1", "1"), LOCK) == "RECONCILIATION_PROPOSAL_MISMATCH"
    assert (await bank.do(bank.bob, record % ("po_1", journal), LOCK))["changed"]
    proposed = await bank.do(bank.bob, 'proposeUnlock(evidence: "all is recorded")', LOCK)
    assert proposed["lock"]["proposedBy"] == "bob"
    assert await bank.do(bank.bob, "confirmUnlock", LOCK) == "RECONCILIATION_SECOND_PERSON_REQUIRED"
    unlocked = await bank.do(bank.ann, "confirmUnlock", LOCK)
    assert (unlocked["lock"]["locked"], unlocked["lock"]["epoch"]) == (False, "2")
    assert await bank.do(bank.ann, "confirmUnlock", LOCK) == "DISPATCH_NOT_LOCKED"


INJECTIONS = ("'; drop table treasury.leg; --", "\x00", "{{7*7}}", "\u202egnp.exe", '\n{"level": "error"}', "ä" * 2001)


@pytest.mark.parametrize("text", INJECTIONS)
async def test_no_text_is_more_than_text(bank: Banking, text: str) -> None:
    await bank.first()
    await bank.reconcile()
    queue = await bank.queue()
    at = '"2026-01-01T00:00:00Z"'
    calls: list[tuple[str, str, dict[str, str]]] = [
        ("$x: ID!", "resolveException(exception: $x, outcome: RESOLVED, evidence: $t)", {"x": queue["-70.00"]}),
        ("", "lockPayments(reason: $t)", {}),
        ("", "proposeUnlock(evidence: $t)", {}),
        ("", "recordFoundPayment(provider: $t, reference: $t, evidence: $t)", {}),
        ("", f"reviewProvider(provider: $t, asOf: {at}, payments: [])", {}),
        (
            "$a: ID!",
            'bindBankAccount(account: $a, identification: $t, since: "2026-01-01")',
            {"a": bank.account},
        ),
    ]
    for declared, call, variables in calls:
        document = f"mutation($t: String!, {declared}) {{ {call} {{ __typename }} }}"
        body = (await bank.ann.send(document, {"t": text, **variables})).json()
        assert "errors" not in body, (document, body)
    read = "query($t: ID!) { bankAccount(account: $t) { since } reconciliationException(id: $t) { id } }"
    assert await bank.ann.ask(read, {"t": text}) == {"bankAccount": None, "reconciliationException": None}
    assert (await bank.check())["unexplained"]["amount"] == "0.00"


async def test_b_sees_nothing_of_a_and_moves_nothing(bank: Banking, api: Api, place: Place) -> None:
    """Every field and operation of banking, with A's ids and with ones that nobody has."""
    await bank.first()
    await bank.reconcile()
    exception = (await bank.queue())["-70.00"]
    await bank.do(bank.bob, 'lockPayments(reason: "secret-of-a")', LOCK)
    ends = "(first: 1) { pageInfo { endCursor } }"
    page = f"query($a: ID!) {{ bankAccount(account: $a) {{ statements{ends} exceptions{ends} }} }}"
    cursors = (await bank.ann.ask(page, {"a": bank.account}))["bankAccount"]
    async with open_database(place.dsn(), connections=2) as database:
        other = await new_banking(api, database)
    at = '"2026-01-01T00:00:00Z"'
    leg = '{account: "%s", side: %s, amount: "1", currency: "USD"}'
    legs = f"[{leg % ('1', 'DEBIT')}, {leg % ('2', 'CREDIT')}]"
    mutations = [
        ('bindBankAccount(account: "%s", identification: "X", since: "2026-01-01")', "77", "78"),
        ('reconcile(account: "%s")', bank.account, "77"),
        (
            'confirmMatch(account: "%s", entries: [{statement: "1", position: 1}], movements: [], evidence: "x")',
            bank.account,
            "77",
        ),
        ('undoMatch(account: "%s", match: "1", evidence: "x")', bank.account, "77"),
        ('resolveException(exception: "%s", outcome: RESOLVED, evidence: "x")', exception, UNKNOWN),
        (
            f'proposeExceptionJournal(exception: "%s", outcome: RESOLVED, legs: {legs}, evidence: "x")',
            exception,
            UNKNOWN,
        ),
        ('withdrawExceptionJournal(exception: "%s")', exception, UNKNOWN),
        ('confirmExceptionJournal(exception: "%s")', exception, UNKNOWN),
        (f'reviewProvider(provider: "%s", asOf: {at}, payments: [])', "stripe", "nobody"),
        ('recordFoundPayment(provider: "stripe", reference: "%s", evidence: "x")', "po_1", "po_2"),
        ('proposeUnlock(evidence: "%s")', "one", "two"),
        ("confirmUnlock # %s\n", "one", "two"),
    ]
    refusal = "{ __typename ... on Refusal { code message field } }"
    ways = [
        ('{ bankAccount(account: "%s") { identification } }', bank.account, "77"),
        ("{ bankAccounts { identification } } # %s", "one", "two"),
        ('{ reconciliationException(id: "%s") { id } }', exception, UNKNOWN),
        ("{ paymentLock { reason } } # %s", "one", "two"),
        *((f"mutation {{ {call} {refusal} }}", of_a, of_nobody) for call, of_a, of_nobody in mutations),
    ]
    attacked = set()
    for document, of_a, of_nobody in ways:
        theirs, nobodys = await other.ann.send(document % of_a), await other.ann.send(document % of_nobody)
        attacked.add(re.findall(r"\w+", document.removeprefix("mutation"))[0])
        answers = []
        for response, named in ((theirs, of_a), (nobodys, of_nobody)):
            body = response.json()
            assert "API_QUERY" not in response.text, document
            answers.append(re.sub(rf"\b{named}\b", "ID", json.dumps([body["data"], body.get("errors")])))
        assert answers[0] == answers[1], document
        assert "secret-of-a" not in theirs.text
        assert IBAN not in theirs.text
    await other.bind()
    for field in ("statements", "exceptions"):
        cursor = cursors[field]["pageInfo"]["endCursor"]
        document = "query($a: ID!, $c: String!) { bankAccount(account: $a) { %s(after: $c) { nodes { __typename } } } }"
        assert await other.ann.codes(document % field, {"a": other.account, "c": cursor}) == ["API_CURSOR_INVALID"]
    upload = await other.upload(camt("0.00", "1.00", [("1.00", "R1")]), account="77")
    assert upload.json()["code"] == "RECONCILIATION_BANK_ACCOUNT_UNKNOWN"
    one = await api.client.get(f"/v1/evidence/{other.account}/{today()}", headers=other.ann.headers)
    with zipfile.ZipFile(io.BytesIO(one.content)) as archive:
        assert json.loads(archive.read("entries.json")) == [], "the same account and day, and nothing of A's"
    assert attacked | {"lockPayments"} == ATTACKED
    assert (await bank.ann.ask("{ paymentLock { locked proposedBy } }"))["paymentLock"] == {
        "locked": True,
        "proposedBy": None,
    }
    assert set(await bank.queue()) == {"10000.00", "-70.00", "-5.00"}


ATTACKED = {
    "bankAccount",
    "bankAccounts",
    "reconciliationException",
    "paymentLock",
    "bindBankAccount",
    "reconcile",
    "confirmMatch",
    "undoMatch",
    "resolveException",
    "proposeExceptionJournal",
    "withdrawExceptionJournal",
    "confirmExceptionJournal",
    "lockPayments",
    "reviewProvider",
    "recordFoundPayment",
    "proposeUnlock",
    "confirmUnlock",
}
"""Root fields of banking, which test_isolation leaves to this module."""
