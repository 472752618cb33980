"""Restore mode: a database that has forgotten payments sends none, and a drill with real backups."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parpour_controlplane.chain.checkpoints import SigningKey
from parpour_controlplane.chain.faults import ChainFault
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database, open_database
from parpour_controlplane.events import events_about
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.resuming import Resuming
from parpour_controlplane.sealing.stores import FolderStore
from parpour_controlplane.testing import PAYMENT_KEY, Place, seal
from parpour_treasury.auditing.handing import audit, hand_over
from parpour_treasury.batcher import Batcher
from parpour_treasury.books import Kind
from parpour_treasury.calling import refusal
from parpour_treasury.commands import Hold, Leg, Post
from parpour_treasury.ledger import Ledger
from parpour_treasury.reconciliation.restore import ProviderPayment, Restore
from parpour_treasury.reconciliation.tokens import Token, TokenFile, judge
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.governing import Governance
from parpour_treasury.spending.testing import AGENT, give_people
from parpour_treasury.testing import Books, new_books

from .backups import Backup, backup_of

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection

pytestmark = pytest.mark.anyio


@dataclass
class Site:
    """A database with a tenant's books, and a payment worker that sends from it to a provider."""

    books: Books
    app: Database
    payment: Database
    tokens: TokenFile
    provider: list[ProviderPayment] = field(default_factory=list)
    mint: ContextMint = field(default_factory=lambda: ContextMint(PAYMENT_KEY, clock=time.time))

    @property
    def restore(self) -> Restore:
        return Restore(self.app)

    def context(self, actor: str = "user:ann") -> str:
        return self.books.mint.mint(tenant=self.books.tenant, actor=actor)

    def worker(self) -> str:
        return self.mint.mint(tenant=self.books.tenant, actor="system:payments")

    async def allow(self, spend: UUID) -> None:
        """What the worker does around the commit of an attempt."""
        async with self.tokens.held(self.books.tenant) as held:
            try:
                async with self.payment.pool.acquire() as connection, connection.transaction():
                    held.keep(await count(connection, self.worker(), spend, held.token))
            except TreasuryError as error:
                if error.code != "DISPATCH_PAYMENT_SENT":
                    await Restore(self.payment).lock(self.worker(), reason=error.code, token=held.token)
                raise

    async def send(self, amount: int, *, booked: bool = True, spend: UUID | None = None) -> UUID:
        """Send a payment, and book it unless the answer is lost."""
        spend = spend or uuid4()
        await self.allow(spend)
        reference = f"po_{len(self.provider) + 1}"
        self.provider.append(ProviderPayment(reference, amount, "USD", datetime.now(UTC), spend))
        if booked:
            await self.book(spend, amount)
        return spend

    async def book(self, correlation: UUID, amount: int) -> int:
        legs = [Leg(3, amount, "USD"), Leg(1, -amount, "USD")]
        command = Post(key=f"sent/{correlation}", correlation=correlation, legs=legs)
        outcome = await self.books.batcher.submit(self.books.tenant, "system:payments", command)
        outcome.raise_for_refusal()
        assert outcome.journal is not None
        return outcome.journal


async def count(connection: type_of_connection, context: str, spend: UUID, token: Token | None) -> Token:
    """Count one payment in the transaction of a connection."""
    fields = (None, None, None) if token is None else (token.epoch, token.epoch_id, token.counter)
    query = "select * from treasury.dispatch_allowed($1, 'stripe', $2, $3, $4, $5)"
    try:
        row = await connection.fetchrow(query, context, spend, *fields)
    except asyncpg.PostgresError as error:
        raise refusal(error) from None
    assert row is not None
    return Token(row["epoch"], row["epoch_id"], row["counter"])


@asynccontextmanager
async def at(place: Place, folder: Path, *, like: Site | None = None) -> AsyncIterator[Site]:
    """A new tenant in a database, or the tenant of another site in a copy of its database."""
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(open_database(place.dsn(), connections=3))
        payment = await stack.enter_async_context(open_database(place.dsn("parpour_payment"), connections=2))
        if like is not None:
            ledger = Ledger(app)
            books = replace(like.books, ledger=ledger, batcher=Batcher(ledger, like.books.mint))
            yield Site(books, app, payment, like.tokens, like.provider)
            return
        books = await new_books(app, place.app)
        for code, kind in (("bank", Kind.ASSET), ("funding", Kind.EQUITY), ("in-transit", Kind.ASSET)):
            await books.open(code, kind, minimum=0 if code == "bank" else None)
        await books.post((1, 10_000), (2, -10_000))
        await give_people(books)
        yield Site(books, app, payment, TokenFile(folder))


@pytest.fixture
async def site(place: Place, tmp_path: Path) -> AsyncIterator[Site]:
    async with at(place, tmp_path) as site:
        yield site


async def refused(asked: Awaitable[object], code: str) -> None:
    with pytest.raises(TreasuryError) as caught:
        await asked
    assert caught.value.code == code


async def test_each_payment_is_counted_and_the_token_follows(site: Site) -> None:
    for counter in (1, 2, 3):
        await site.send(10)
        token = site.tokens.read(site.books.tenant)
        assert token is not None
        assert (token.epoch, token.counter) == (1, counter)


async def test_what_is_rolled_back_is_not_counted(site: Site) -> None:
    async with site.payment.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        token = await count(connection, site.worker(), uuid4(), None)
        await transaction.rollback()
    assert token.counter == 1
    await site.send(10)
    token = site.tokens.read(site.books.tenant) or token
    assert token.counter == 1


async def test_a_worker_that_lost_its_token_sends_nothing(site: Site, tmp_path: Path) -> None:
    await site.send(10)
    path = tmp_path / f"{site.books.tenant}.json"
    text = path.read_text()
    for damaged in (
        "",
        "{}",
        text[:-9],
        text.replace('"counter": 1', '"counter": 1.0'),
        text.replace(": 1", ": -1"),
        "[]",
    ):
        path.write_text(damaged)
        await refused(site.send(10), "DISPATCH_TOKEN_MISSING")
    path.unlink()
    await refused(site.send(10), "DISPATCH_TOKEN_MISSING")
    assert len(site.provider) == 1
    # Two people have compared the provider's list: the worker goes on, and from then on needs its token again.
    await site.restore.review(site.context(), provider="stripe", as_of=datetime.now(UTC), payments=site.provider)
    await site.restore.propose_unlock(site.context(), evidence="Stripe's list")
    await site.restore.confirm_unlock(site.context("user:bob"))
    await site.send(10)
    path.unlink()
    await refused(site.send(10), "DISPATCH_TOKEN_MISSING")


async def test_a_token_of_another_database_of_the_same_epoch_is_refused_until_people_have_looked(
    site: Site, tmp_path: Path
) -> None:
    await site.send(10)
    token = {"epoch": 1, "epochId": str(uuid4()), "counter": 1}
    (tmp_path / f"{site.books.tenant}.json").write_text(json.dumps(token))
    await refused(site.send(10), "DISPATCH_FORKED")
    await refused(site.send(10), "DISPATCH_LOCKED")
    await site.restore.review(site.context(), provider="stripe", as_of=datetime.now(UTC), payments=site.provider)
    await site.restore.propose_unlock(site.context(), evidence="Stripe's list")
    assert await site.restore.confirm_unlock(site.context("user:bob")) == 2
    await site.send(10)


async def test_people_lock_and_two_of_them_unlock_with_evidence(site: Site) -> None:
    await site.send(10)
    restore = site.restore
    await refused(restore.propose_unlock(site.context(), evidence="x"), "DISPATCH_NOT_LOCKED")
    await refused(restore.confirm_unlock(site.context()), "DISPATCH_NOT_LOCKED")
    now = datetime.now(UTC)
    review = {"provider": "stripe", "payments": site.provider}
    await refused(restore.review(site.context(), as_of=now, **review), "DISPATCH_NOT_LOCKED")  # type: ignore[arg-type]
    assert await restore.lock(site.context(), reason="the primary was lost")
    assert not await restore.lock(site.context(), reason="again")
    await refused(site.send(10), "DISPATCH_LOCKED")
    await refused(restore.propose_unlock(site.context(), evidence="x"), "DISPATCH_NOT_RECONCILED")
    for when in (now, datetime.now(UTC) + timedelta(hours=1)):
        await refused(restore.review(site.context(), as_of=when, **review), "DISPATCH_NOT_RECONCILED")  # type: ignore[arg-type]
    await restore.review(site.context(), provider="mercury", as_of=datetime.now(UTC), payments=[])
    # Stripe was sent to, so its list counts.
    await refused(restore.propose_unlock(site.context(), evidence="x"), "DISPATCH_NOT_RECONCILED")
    found = await restore.review(site.context(), as_of=datetime.now(UTC), **review)  # type: ignore[arg-type]
    assert found.unknown == 0
    await refused(restore.propose_unlock(site.context(AGENT), evidence="x"), "TREASURY_NOT_A_PERSON")
    await refused(restore.propose_unlock(site.context(), evidence=" "), "RECONCILIATION_EVIDENCE_MISSING")
    await refused(restore.confirm_unlock(site.context("user:bob")), "RECONCILIATION_SECOND_PERSON_REQUIRED")
    await restore.propose_unlock(site.context("user:eve"), evidence="Stripe's list")
    await Governance(site.books.database).revoke(site.context(), "user:eve", reason="it was not eve")
    await refused(restore.confirm_unlock(site.context("user:bob")), "TREASURY_MEMBER_REVOKED")
    await restore.propose_unlock(site.context(), evidence="Stripe's list")
    await refused(restore.confirm_unlock(site.context()), "RECONCILIATION_SECOND_PERSON_REQUIRED")
    assert await restore.confirm_unlock(site.context("user:bob")) == 2
    await site.send(10)
    async with site.app.transaction(site.context()) as connection:
        events = [one.type.rpartition(".")[2] for one in await events_about(connection, "dispatch")]
    assert events == ["locked", "reviewed", "reviewed", "proposed", "proposed", "unlocked"]


async def test_a_providers_list_is_checked(site: Site) -> None:
    await site.restore.lock(site.context(), reason="a drill")
    now = datetime.now(UTC)
    good = ProviderPayment("po", 1, "USD", now)
    for payments, code in (
        ([replace(good, amount=0)], "AMOUNT_NOT_POSITIVE"),
        ([replace(good, amount=2**62)], "TREASURY_BALANCE_OVERFLOW"),
        ([replace(good, currency="EUX")], "CURRENCY_UNKNOWN"),
        ([good, good], "TREASURY_COMMAND_MALFORMED"),
        ([replace(good, reference="")], "TREASURY_COMMAND_MALFORMED"),
        ([replace(good, sent_at=datetime(2026, 3, 1))], "TREASURY_COMMAND_MALFORMED"),
    ):
        await refused(site.restore.review(site.context(), provider="stripe", as_of=now, payments=payments), code)
    assert await site.restore.found(site.context()) == []


@pytest.mark.parametrize(
    "call",
    [
        "dispatch_allowed($1, 'stripe', null, null, null, null)",
        "open_dispatch($1, null, null, null)",
        "begin_attempt($1, null, 0, '{}', null, null, null, null)",
        "due_payments($1, 1, true)",
    ],
)
async def test_only_the_payment_worker_counts_payments(site: Site, call: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await site.app.pool.fetch(f"select treasury.{call}", site.context("system:payments"))


async def test_the_payment_worker_is_no_other_tenant(site: Site) -> None:
    query = "select treasury.dispatch_allowed($1, 'stripe', null, null, null, null)"
    for forged in (
        "",
        site.context("system:payments"),
        site.worker()[1:],
        site.worker().replace(str(site.books.tenant), str(uuid4())),
    ):
        with pytest.raises(asyncpg.PostgresError, match="CONTEXT_"):
            await site.payment.pool.fetch(query, forged)


_TOKENS = [None, *(Token(epoch, UUID(int=one), counter) for epoch, one, counter in product((1, 2), (1, 2), (0, 1, 2)))]


async def test_the_database_judges_as_the_worker_does(place: Place) -> None:
    session = await asyncpg.connect(place.dsn("postgres"))
    query = "select treasury.judge_dispatch($1, $2, $3, $4, $5, $6, $7, $8, $9)"

    def fields(one: Token | None) -> tuple[int | None, UUID | None, int | None]:
        return (None, None, None) if one is None else (one.epoch, one.epoch_id, one.counter)

    outcomes = set()
    for token, database, began, locked in product(_TOKENS, _TOKENS, (0, 1), (False, True)):
        theirs = await session.fetchval(query, database is not None, locked, *fields(database), began, *fields(token))
        assert theirs == judge(token, database, began=began, locked=locked), (token, database, began, locked)
        outcomes.add(theirs)
    await session.close()
    assert len(outcomes) == 5


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            ["send", "send", "crash after commit", "crash before the call", "back up", "restore", "unlock"]
        ),
        max_size=30,
    )
)
def test_no_payment_is_sent_from_a_database_that_has_forgotten_one(actions: list[str]) -> None:
    """A model of worker, database and backups: whatever the order, a database that may send knows every payment."""
    database, began, known, locked, seen = Token(1, UUID(int=0), 0), 0, frozenset[int](), False, 0
    token: Token | None = None
    backup = (database, began, known)
    provider: set[int] = set()
    fresh = 0
    for action in actions:
        if action == "back up":
            backup = (database, began, known)
        elif action == "restore":
            database, began, known = backup
            locked = False
        elif action == "unlock" and locked:
            fresh += 1
            # Found payments were recorded, and the new epoch is above every token's.
            database = Token(max(database.epoch, seen) + 1, UUID(int=fresh), database.counter)
            began, known, locked = database.counter, known | provider, False
        elif action in ("send", "crash after commit", "crash before the call"):
            if judge(token, database, began=began, locked=locked) is not None:
                locked, seen = True, max(seen, token.epoch if token else 0)
                continue
            assert provider <= known
            database = replace(database, counter=database.counter + 1)
            payment = len(provider) + 1
            known |= {payment}
            if action == "crash after commit":
                continue
            token = database
            if action == "send":
                provider.add(payment)


@pytest.fixture(params=["pg_dump", pytest.param("pg_basebackup", marks=pytest.mark.long)])
def backup(request: pytest.FixtureRequest, place: Place) -> Iterator[Backup]:
    with backup_of(place, request.param) as backup:
        yield backup


async def test_a_drill_with_a_backup_sends_nothing_twice(
    site: Site, place: Place, backup: Backup, tmp_path: Path
) -> None:
    """Back up, send, lose the database, restore: what the backup does not know is found and recorded."""
    await site.send(100)
    await site.send(200, booked=False)
    await site.book(site.provider[1].correlation or UUID(int=0), 200)
    backup.take()
    lost = [await site.send(300), await site.send(400)]
    unbooked = await site.send(500, booked=False)
    async with at(await backup.restored(), tmp_path, like=site) as restored:
        assert await restored.books.ledger.faults(restored.context()) == []
        assert await restored.books.balance(1) == 9700
        sent = len(site.provider)
        await refused(restored.send(300), "DISPATCH_ROLLED_BACK")
        await refused(restored.send(300), "DISPATCH_LOCKED")
        assert len(site.provider) == sent
        restore = restored.restore
        review = await restore.review(
            restored.context(), provider="stripe", as_of=datetime.now(UTC), payments=site.provider
        )
        assert (review.unknown, [one.amount for one in await restore.found(restored.context())]) == (3, [300, 400, 500])
        await refused(restore.propose_unlock(restored.context(), evidence="x"), "DISPATCH_NOT_RECONCILED")
        for one in await restore.found(restored.context()):
            assert one.correlation in (*lost, unbooked)
            wrong = await restored.books.post((3, 1), (2, -1), key=f"wrong/{one.reference}")
            record = {"provider": "stripe", "reference": one.reference, "evidence": "the provider's list"}
            for other in (wrong.journal, None):
                asked = restore.record(restored.context(), journal=other, **record)
                await refused(asked, "RECONCILIATION_PROPOSAL_MISMATCH")
            journal = await restored.book(one.correlation or UUID(int=0), one.amount)
            await restore.record(restored.context(), journal=journal, **record)
            await restore.record(restored.context(), journal=journal, **record)
        unknown = restore.record(restored.context(), provider="stripe", reference="po_99", journal=None, evidence="x")
        await refused(unknown, "DISPATCH_PAYMENT_UNKNOWN")
        await restore.propose_unlock(restored.context(), evidence="Stripe's list of today")
        assert await restore.confirm_unlock(restored.context("user:bob")) == 2
        for again in (*lost, unbooked):
            await refused(restored.send(1, spend=again), "DISPATCH_PAYMENT_SENT")
        await restored.send(50)
        assert await restored.books.balance(1) == 10_000 - 100 - 200 - 300 - 400 - 500 - 50
        assert [one.amount for one in site.provider] == [100, 200, 300, 400, 500, 50]
    # The database that was lost comes back: it knows nothing of what was sent since.
    await refused(site.send(60), "DISPATCH_ROLLED_BACK")
    assert len(site.provider) == 6


KEY = SigningKey(b"k" * 32)


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def sealer_of(place: Place) -> AsyncIterator[Database]:
    async with open_database(place.dsn("parpour_sealer"), connections=2) as database:
        yield database


async def test_a_drill_with_a_backup_resumes_the_history(
    site: Site, place: Place, backup: Backup, tmp_path: Path
) -> None:
    """What the backup lacks was signed: nothing is sealed until people say so, and no auditor overlooks it."""
    store, tenant = FolderStore(tmp_path / "checkpoints"), site.books.tenant
    await site.send(100)
    assert await seal(place, store) == ""
    _, kept = store.last(tenant)
    await site.send(200)  # In the backup, and sealed and signed only after it was taken.
    backup.take()
    await site.send(300)
    assert await seal(place, store) == ""
    _, newer = store.last(tenant)
    assert kept is not None
    assert newer is not None
    copy = await backup.restored()
    async with at(copy, tmp_path, like=site) as restored, sealer_of(copy) as database:
        await restored.book(uuid4(), 10)
        assert "CHAIN_ROLLED_BACK" in await seal(copy, store)
        resuming = Resuming(database.pool, copy.sealer, SigningKeys((KEY,)), store, clock=now)
        assert await resuming.behind() == [tenant]
        resumed = await resuming.resume(tenant, by="Ann Lee", reason="a drill")
        assert (resumed.first, resumed.last) == (kept.head.size + 1, newer.head.size)
        for amount in range(1, 10):
            await restored.book(uuid4(), amount)
        assert await seal(copy, store) == ""
        await hand_over(restored.app, restored.context, store, tenant, tmp_path / "audit")
    with pytest.raises(ChainFault, match=f"CHAIN_RESUMED.*events {resumed.first} to {resumed.last} were signed"):
        audit(tmp_path / "audit", [KEY.public], kept=kept)
    accepted = [bytes.fromhex(str(resumed.checkpoint))]
    for one in (None, kept, newer):
        found = audit(tmp_path / "audit", [KEY.public], kept=one, accepted=accepted)
        assert (found.findings, found.tail, [loss.by for loss in found.losses]) == ((), 0, ["Ann Lee"])
    types = [event.type for event in found.events if event.position and event.position >= resumed.first]
    assert types.count("controlplane.history.resumed") == 1
    # The database that was lost comes back: it lacks what was signed since, and more than that.
    await site.book(uuid4(), 30)
    assert "CHAIN_ROLLED_BACK" in await seal(place, store)
    async with sealer_of(place) as database:
        resuming = Resuming(database.pool, place.sealer, SigningKeys((KEY,)), store, clock=now)
        with pytest.raises(ChainFault, match="CHAIN_FORKED"):
            await resuming.resume(tenant, by="Ann Lee", reason="a drill")


@pytest.mark.long
async def test_a_database_that_is_restored_twice_comes_out_of_it(
    site: Site, place: Place, backup: Backup, tmp_path: Path
) -> None:
    """The database that was thought lost sends again only in an epoch above that of its copy."""
    await site.send(100)
    backup.take()
    await site.send(200)

    async def unlock(at_: Site) -> int:
        with pytest.raises(TreasuryError, match="DISPATCH_"):
            await at_.send(1)
        await at_.restore.review(at_.context(), provider="stripe", as_of=datetime.now(UTC), payments=site.provider)
        for one in await at_.restore.found(at_.context()):
            journal = await at_.book(one.correlation or UUID(int=0), one.amount)
            await at_.restore.record(
                at_.context(), provider="stripe", reference=one.reference, journal=journal, evidence="a drill"
            )
        await at_.restore.propose_unlock(at_.context(), evidence="a drill")
        return await at_.restore.confirm_unlock(at_.context("user:bob"))

    async with at(await backup.restored(), tmp_path, like=site) as restored:
        assert await unlock(restored) == 2
        await restored.send(300)
    # The first database, which only ever was in epoch 1, has to come above the second one's epoch.
    assert await unlock(site) == 3
    await site.send(400)


async def test_a_payment_whose_hold_the_books_still_have_is_left_to_its_spend(site: Site) -> None:
    """The backup has the reservation and not the sending: the spend's own states bring it, and it is not sent again."""
    spend = uuid4()
    legs = [Leg(3, 70, "USD"), Leg(1, -70, "USD")]
    hold = Hold(key="hold", correlation=spend, hold=uuid4(), legs=legs)
    (await site.books.batcher.submit(site.books.tenant, "agent:a", hold)).raise_for_refusal()
    await site.restore.lock(site.context(), reason="restored")
    now = datetime.now(UTC)
    payment = ProviderPayment("po_1", 70, "USD", now, spend)
    await site.restore.review(site.context(), provider="stripe", as_of=datetime.now(UTC), payments=[payment])
    await site.restore.record(
        site.context(), provider="stripe", reference="po_1", journal=None, evidence="the hold is open"
    )
    await site.restore.propose_unlock(site.context(), evidence="Stripe's list")
    await site.restore.confirm_unlock(site.context("user:bob"))
    await refused(site.send(70, spend=spend), "DISPATCH_PAYMENT_SENT")
    assert site.provider == []
    await site.send(70)
