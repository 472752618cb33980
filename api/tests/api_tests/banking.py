"""Banks for tests: a venture whose bank account has statements, files of statements, and short verbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from xml.sax.saxutils import escape

import httpx

from parpour_controlplane.database import Database
from parpour_treasury.spending.testing import Venture, new_venture

from .building import Api, Caller

IBAN = "DE89370400440532013000"


def today() -> date:
    """The day on which the venture was funded."""
    return datetime.now(UTC).date()


def _amount(amount: str) -> str:
    direction = "DBIT" if amount.startswith("-") else "CRDT"
    return f'<Amt Ccy="USD">{amount.lstrip("-")}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'


def _balance(code: str, amount: str) -> str:
    day = f"<Dt><Dt>{today()}</Dt></Dt>"
    return f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(amount)}{day}</Bal>"


def camt(
    opening: str,
    closing: str,
    entries: Sequence[tuple[str, str]],
    *,
    number: int = 1,
    iban: str = IBAN,
    head: str = "",
) -> bytes:
    """A file of camt.053 with one statement; each entry has an amount and the bank's reference."""
    booked = "".join(
        f"<Ntry>{_amount(amount)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{today()}</Dt></BookgDt>"
        f"<AcctSvcrRef>{escape(reference)}</AcctSvcrRef></Ntry>"
        for amount, reference in entries
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-03-02T18:00:00Z</CreDtTm></GrpHdr>"
        f"<Stmt><Id>S{number}</Id><CreDtTm>2026-03-02T18:00:00Z</CreDtTm>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>USD</Ccy></Acct>"
        f"{_balance('OPBD', opening)}{_balance('CLBD', closing)}{booked}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


@dataclass
class Banking:
    """A venture with 10,000.00 dollars in the bank, and the people who keep its books."""

    api: Api
    venture: Venture
    account: str
    ann: Caller
    """An owner."""
    bob: Caller
    """A treasurer."""
    dan: Caller
    """An auditor."""

    async def bind(self, caller: Caller | None = None, *, iban: str = IBAN) -> Any:
        """Bind the account to the bank's."""
        document = """mutation($account: ID!, $iban: String!, $since: Date!) {
            bindBankAccount(account: $account, identification: $iban, since: $since) {
                ... on BoundBankAccount { replayed bankAccount { identification account { id } } }
                ... on Refusal { code field } } }"""
        variables = {"account": self.account, "iban": iban, "since": str(today())}
        return (await (caller or self.ann).ask(document, variables))["bindBankAccount"]

    async def upload(self, data: bytes, *, caller: Caller | None = None, **query: Any) -> httpx.Response:
        """Send a file."""
        media = query.pop("media", "application/xml")
        params = {"account": self.account, "format": "camt.053", **query}
        who = caller or self.bob
        headers = {**who.headers, "content-type": media}
        return await self.api.client.post("/v1/statements", params=params, content=data, headers=headers)

    async def first(self) -> None:
        """Take over a first statement: the funding, a payment that nobody knows, and a fee."""
        await self.bind()
        entries = [("10000.00", "R1"), ("-70.00", "R2"), ("-5.00", "R3")]
        response = await self.upload(camt("0.00", "9925.00", entries))
        assert response.status_code == 200, response.text

    async def reconcile(self) -> Any:
        """Match what is open."""
        document = """mutation($account: ID!) { reconcile(account: $account) {
            ... on Reconciled { matches exceptions inTransit } ... on Refusal { code } } }"""
        return (await self.bob.ask(document, {"account": self.account}))["reconcile"]

    async def queue(self) -> dict[str, str]:
        """Exceptions that wait, by amount."""
        document = """query($account: ID!) { bankAccount(account: $account) {
            exceptions { nodes { id amount { amount } } } } }"""
        nodes = (await self.dan.ask(document, {"account": self.account}))["bankAccount"]["exceptions"]["nodes"]
        return {one["amount"]["amount"]: one["id"] for one in nodes}

    async def check(self) -> Any:
        """Bank and books at the end of the last statement."""
        document = """query($account: ID!) { bankAccount(account: $account) { statement { check {
            bank { amount } ledger { amount } difference { amount } unexplained { amount } agrees
            totals { item count amount { amount } }
            differences { nodes { item subject amount { amount } } } } } } }"""
        return (await self.dan.ask(document, {"account": self.account}))["bankAccount"]["statement"]["check"]

    async def do(self, caller: Caller, call: str, fields: str = "__typename", **variables: Any) -> Any:
        """Carry out a mutation written as a call, with JSON for its variables."""
        name = call.partition("(")[0]
        body = (await caller.ask(f"mutation {{ {call} {{ {fields} ... on Refusal {{ code field }} }} }}", variables))[
            name
        ]
        return body.get("code", body)


async def new_banking(api: Api, database: Database) -> Banking:
    """A venture that was not there before."""
    venture = await new_venture(database, api.place)
    callers = [
        api.caller(venture.tenant, sub=sub, roles=[role])
        for sub, role in (("ann", "owner"), ("bob", "treasurer"), ("dan", "auditor"))
    ]
    return Banking(api, venture, str(venture.accounts["assets:bank:usd"]), *callers)
