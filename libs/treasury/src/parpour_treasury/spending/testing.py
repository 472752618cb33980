"""Ventures for tests and benchmarks: a tenant with people, an agent, rules, envelopes and payees, with short verbs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from parpour_controlplane.database import Database, open_database
from parpour_controlplane.testing import Place
from parpour_treasury.auditing.dossier import dossier_lines, read_dossier
from parpour_treasury.auditing.events import TAIL_EVENTS, read_tail, tail_line
from parpour_treasury.auditing.findings import Finding
from parpour_treasury.auditing.governed import ToldGoverned, compare_governed
from parpour_treasury.auditing.spends import ToldSpends, compare_spends
from parpour_treasury.books import standard_accounts
from parpour_treasury.calling import refusals
from parpour_treasury.spending.asks import (
    Approve,
    Ask,
    Cancel,
    Reject,
    Renew,
    RequestSpend,
    SettleSpend,
    SpendOutcome,
    account_digest,
)
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.changes import Body, EnvelopeBody, MemberBody, PayeeBody, RulesBody, change_digest
from parpour_treasury.spending.governing import Governance
from parpour_treasury.spending.register import Register, Spend
from parpour_treasury.spending.rules import Allow, Reserve, RuleBook, Tier, Window
from parpour_treasury.testing import Books, new_books

AGENT = "agent:buyer"
MEMBERS = (
    MemberBody(actor="user:ann", person="ann", roles=("owner",)),
    MemberBody(actor="user:bob", person="bob", roles=("treasurer", "approver")),
    MemberBody(actor="user:cat", person="cat", roles=("approver",)),
    MemberBody(actor="user:cat-phone", person="cat", roles=("approver",)),
    MemberBody(actor="user:dan", person="dan", roles=("auditor",)),
    MemberBody(actor=AGENT, person="bob", roles=("agent",)),
    MemberBody(actor="agent:other", roles=("agent",)),
)
"""Two accounts of cat's; the agent is bob's to answer for."""

RULES = RuleBook(
    allow=(
        Allow(name="agents", currency="USD", per_action=5_000, roles=("agent",)),
        Allow(name="people", currency="USD", per_action=50_000, roles=("owner", "treasurer", "approver")),
    ),
    tiers=(Tier(currency="USD", above=1_000, quorum=1), Tier(currency="USD", above=10_000, quorum=2)),
    windows=(
        Window(name="hour", scope="agent", currency="USD", seconds=3600, most_count=1000, most_total=1_000_000),
        Window(name="day", scope="payee", currency="USD", seconds=86_400, most_total=60_000),
    ),
    reserves=(Reserve(name="payroll", account="assets:bank:usd", amount=10_000),),
)


@dataclass
class Venture:
    """A tenant that spends."""

    books: Books
    authority: Authority
    governance: Governance
    register: Register
    accounts: dict[str, int] = field(default_factory=dict)
    budget: UUID = field(default_factory=uuid4)
    ads: UUID = field(default_factory=uuid4)
    """An envelope within the budget."""
    shop: UUID = field(default_factory=uuid4)
    """A payee whom Stripe pays."""
    firm: UUID = field(default_factory=uuid4)
    """A payee whom Mercury pays."""
    platform: UUID = field(default_factory=uuid4)
    """The internal payee."""

    @property
    def tenant(self) -> UUID:
        """Whose it is."""
        return self.books.tenant

    def context(self, actor: str = "user:ann") -> str:
        """A fresh context of somebody of the venture."""
        return self.books.mint.mint(tenant=self.tenant, actor=actor)

    async def fund(self, amount: int, currency: str = "USD") -> None:
        """Put money on the bank account."""
        tail = currency.lower()
        outcome = await self.books.post(
            (self.accounts[f"assets:bank:{tail}"], amount), (self.accounts[f"equity:funding:{tail}"], -amount)
        )
        outcome.raise_for_refusal()

    async def submit(self, actor: str, ask: Ask) -> SpendOutcome:
        """Ask something."""
        return await self.authority.submit(self.tenant, actor, ask)

    def asking(self, amount: int, **fields: Any) -> RequestSpend:
        """A request, of the shop and the ads envelope where nothing else is said."""
        values: dict[str, Any] = {
            "key": self.books.key(),
            "envelope": self.ads,
            "payee": self.shop,
            "currency": "USD",
            "purpose": "banners",
            **fields,
        }
        return RequestSpend(amount=amount, **values)

    async def request(self, amount: int, *, actor: str = AGENT, **fields: Any) -> SpendOutcome:
        """Ask to spend."""
        return await self.submit(actor, self.asking(amount, **fields))

    async def approve(
        self, spend: UUID | None, actor: str, *, digest: bytes | None = None, age: float = 0.0
    ) -> SpendOutcome:
        """Approve what stands, or a digest, having authenticated `age` seconds ago."""
        if spend is None:
            raise AssertionError("nothing was asked")
        digest = digest or (await self.spend(spend)).digest
        at = datetime.now(UTC) - timedelta(seconds=age)
        return await self.submit(actor, Approve(key=self.books.key(), spend=spend, digest=digest, authenticated_at=at))

    async def reject(self, spend: UUID, actor: str) -> SpendOutcome:
        """Reject a request."""
        return await self.submit(actor, Reject(key=self.books.key(), spend=spend, authenticated_at=datetime.now(UTC)))

    async def cancel(self, spend: UUID, actor: str = AGENT) -> SpendOutcome:
        """Take a spend back."""
        return await self.submit(actor, Cancel(key=self.books.key(), spend=spend))

    async def settle(self, spend: UUID, amount: int, actor: str = AGENT) -> SpendOutcome:
        """Settle an internal spend."""
        return await self.submit(actor, SettleSpend(key=self.books.key(), spend=spend, amount=amount))

    async def renew(self, spend: UUID, amount: int, actor: str = AGENT) -> SpendOutcome:
        """Raise the reservation of an internal spend."""
        return await self.submit(actor, Renew(key=self.books.key(), spend=spend, amount=amount))

    async def spend(self, spend: UUID | None) -> Spend:
        """A spend as it stands."""
        if spend is None:
            raise AssertionError("nothing was asked")
        return await self.register.spend(self.context(), spend)

    async def change(self, body: Body, *, by: str = "user:bob", confirmed_by: str = "user:ann") -> UUID:
        """Propose a change and confirm it."""
        change = uuid4()
        await self.governance.propose(self.context(by), change, body)
        await self.governance.confirm(
            self.context(confirmed_by),
            change,
            digest=change_digest(change, body),
            authenticated_at=datetime.now(UTC),
        )
        return change

    async def change_rules(self, rules: RuleBook) -> None:
        """Put other rules into force."""
        version, _ = await self.register.rules(self.context())
        await self.change(RulesBody(version=version + 1, rules=rules))

    async def faults(self) -> list[tuple[str, str]]:
        """Whatever contradicts itself, in the books and beside them."""
        return [*await self.books.ledger.faults(self.context()), *await self.register.faults(self.context())]

    async def untold(self) -> list[Finding]:
        """Whatever an auditor would find in which what is kept and the events differ."""
        async with self.books.database.transaction(self.context()) as connection:
            dossier = read_dossier([line async for line in dossier_lines(connection)])
            lines = [tail_line(dict(row)) for row in await connection.fetch(TAIL_EVENTS, 0)]
        governed, events = ToldGoverned(), list(read_tail(lines, "events"))
        for event in events:
            governed.take(event)
        return [
            *compare_spends(dossier, ToldSpends.of(events), self.tenant),
            *compare_governed(dossier, governed),
        ]


def payee_body(payee: UUID, *, name: str = "The Shop", provider: str = "stripe", account: str = "1") -> PayeeBody:
    """A payee whose account has a number."""
    return PayeeBody.model_validate(
        {
            "payee": payee,
            "name": name,
            "category": "compute" if provider == "internal" else "ads",
            "provider": provider,
            "destination": {"id": f"ba_{account}"},
            "account": account_digest([("number", account)]).hex(),
        }
    )


async def new_venture(
    database: Database,
    place: Place,
    *,
    books: Books | None = None,
    rules: RuleBook = RULES,
    funds: int = 1_000_000,
    cap: int = 500_000,
) -> Venture:
    """A venture that was not there before, or the one of these books, with money in US dollars."""
    books = books or await new_books(database, place.app)
    venture = Venture(books, Authority(database, place.app), Governance(database), Register(database))
    for account in standard_accounts("USD"):
        venture.accounts[account.code] = await books.ledger.open_account(books.context, account)
    await venture.governance.bootstrap(
        books.mint.mint(tenant=books.tenant, actor="system:operator"),
        members=MEMBERS,
        rules=rules,
        envelopes=(
            EnvelopeBody(envelope=venture.budget, code="budget", currency="USD", cap=cap),
            EnvelopeBody(envelope=venture.ads, parent=venture.budget, code="ads", currency="USD", cap=cap),
        ),
        payees=(
            payee_body(venture.shop),
            payee_body(venture.firm, name="The Firm", provider="mercury", account="2"),
            payee_body(venture.platform, name="The Platform", provider="internal", account="0"),
        ),
    )
    if funds:
        await venture.fund(funds)
    return venture


async def give_people(books: Books) -> None:
    """Give books the members of a venture, who decide what people decide, and a second treasurer."""
    members = (*MEMBERS, MemberBody(actor="user:eve", person="eve", roles=("treasurer",)))
    context = books.mint.mint(tenant=books.tenant, actor="system:operator")
    await Governance(books.database).bootstrap(context, members=members, rules=RULES, envelopes=(), payees=())


@asynccontextmanager
async def open_venture(place: Place, *, connections: int = 4, **fields: Any) -> AsyncIterator[Venture]:
    """A new venture in a test's database."""
    async with open_database(place.dsn(), connections=connections) as database:
        yield await new_venture(database, place, **fields)


class PaymentWorker:
    """The steps of the payment worker on one venture, without a provider."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], place: Place, tenant: UUID) -> None:
        self._connection = connection
        self._place = place
        self._tenant = tenant

    @property
    def context(self) -> str:
        """A fresh context."""
        return self._place.payment.mint(tenant=self._tenant, actor="system:payments")

    async def claim(self, *, most: int = 100) -> list[dict[str, Any]]:
        """Claim what may be paid now."""
        text = await self._call("select treasury.claim($1, $2, $3)", ["stripe", "mercury"], most)
        claimed: list[dict[str, Any]] = json.loads(text)
        return claimed

    async def begin(self, spend: UUID) -> str:
        """Note that the first payment of a tenant is about to be sent."""
        query = "select answer from treasury.begin_attempt($1, $2, 0, '{}', clock_timestamp(), null, null, null)"
        answer: str = await self._call(query, spend)
        return answer

    async def advance(
        self,
        spend: UUID,
        step: str,
        *,
        reference: str | None = None,
        fee: int = 0,
        provider: str | None = None,
        evidence: str = "{}",
    ) -> str:
        """Record an outcome; returns the state that it leads to."""
        query = "select treasury.advance($1, $2, $3, $4, $5, $6, $7)"
        state: str = await self._call(query, spend, reference or f"event-{step}", step, provider, evidence, fee)
        return state

    async def payment(self, spend: UUID) -> dict[str, Any]:
        """A spend as the worker sees it."""
        seen: dict[str, Any] = json.loads(await self._call("select treasury.payment($1, $2)", spend))
        return seen

    async def _call(self, query: str, *arguments: Any) -> Any:
        with refusals():
            return await self._connection.fetchval(query, self.context, *arguments)


@asynccontextmanager
async def payment_worker(place: Place, venture: Venture) -> AsyncIterator[PaymentWorker]:
    """A session of the payment worker."""
    connection = await asyncpg.connect(place.dsn("parpour_payment"))
    try:
        yield PaymentWorker(connection, place, venture.tenant)
    finally:
        await connection.close()
