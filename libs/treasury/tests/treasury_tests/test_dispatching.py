"""The payment worker and restore mode: a database that has forgotten payments sends none, and later nothing twice."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from parpour_controlplane.database import Database, open_database
from parpour_controlplane.testing import Place
from parpour_treasury.batcher import Batcher
from parpour_treasury.commands import Leg, Post
from parpour_treasury.ledger import Ledger
from parpour_treasury.payments.worker import PaymentWorker
from parpour_treasury.providers.doubles.serving import serve
from parpour_treasury.providers.doubles.stripe import StripeDouble
from parpour_treasury.providers.egress import Egress
from parpour_treasury.providers.port import Provider
from parpour_treasury.providers.stripe import Rail, StripeProvider
from parpour_treasury.reconciliation.restore import ProviderPayment, Restore, Review
from parpour_treasury.reconciliation.tokens import Token, TokenFile
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.governing import Governance
from parpour_treasury.spending.register import Register
from parpour_treasury.spending.rules import Tier
from parpour_treasury.spending.states import State
from parpour_treasury.spending.testing import AGENT, RULES, Venture, new_venture, open_venture

from .backups import backup_of
from .bank import Bank
from .provider_worlds import KEY
from .test_paying import FREELY, Killed, kill_at, make_due, one_venture

pytestmark = pytest.mark.anyio

APPROVED = RULES.model_copy(update={"tiers": (Tier(currency="USD", above=1_000, quorum=1),), "windows": ()})
"""From 10 dollars on, somebody approves."""


@dataclass
class Site:
    """A venture in one of several databases, and what pays from there; the provider is the same for all."""

    place: Place
    venture: Venture
    payments: Database
    account: Provider
    tokens: TokenFile
    ahead: timedelta = timedelta(0)

    def provider(self, tenant: UUID, name: str) -> Provider | None:
        return self.account if (tenant, name) == (self.venture.tenant, "stripe") else None

    def names(self, tenant: UUID) -> list[str]:
        return ["stripe"] if tenant == self.venture.tenant else []

    async def pay(self) -> None:
        """Three turns of a worker, hours apart."""
        worker = PaymentWorker(
            self.payments, self.place.payment, self, self.tokens, clock=lambda: datetime.now(UTC) + self.ahead
        )
        for _ in range(3):
            self.ahead += timedelta(hours=1)
            await make_due(self.place, datetime.now(UTC) + self.ahead)
            await worker.turn()

    async def reviewed(self) -> Review:
        """The provider's list, compared with the books."""
        context = self.venture.context()
        listed = [
            ProviderPayment(one.answer.reference, one.amount, one.currency, one.created_at, one.spend_id)
            async for one in self.account.payments_since(datetime.now(UTC) - timedelta(days=30))
        ]
        restore = Restore(self.venture.books.database)
        return await restore.review(context, provider="stripe", as_of=datetime.now(UTC), payments=listed)


@asynccontextmanager
async def at(place: Place, account: Provider, tokens: TokenFile, like: Venture | None = None) -> AsyncIterator[Site]:
    """A new venture in a database, or another one in a copy of its database."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(place.dsn(), connections=3))
        payments = await stack.enter_async_context(open_database(place.dsn("parpour_payment"), connections=3))
        if like is None:
            venture = await new_venture(database, place, rules=APPROVED)
        else:
            ledger = Ledger(database)
            books = replace(like.books, database=database, ledger=ledger, batcher=Batcher(ledger, place.app))
            used = like.books.key()
            while books.key() != used:
                continue
            venture = replace(
                like,
                books=books,
                authority=Authority(database, place.app),
                governance=Governance(database),
                register=Register(database),
            )
        yield Site(place, venture, payments, account, tokens)


async def refused(asked: object, code: str) -> None:
    with pytest.raises(TreasuryError) as caught:
        await asked  # type: ignore[misc]
    assert caught.value.code == code


async def test_a_restored_database_pays_nothing_before_people_have_looked_and_nothing_twice_after(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Pay, back up, pay more, lose the database: what it forgot comes back into the books, each payment once."""
    double = StripeDouble(clock=lambda: datetime.now(UTC), fee=0)
    tokens = TokenFile(tmp_path)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serve(double))
        account = StripeProvider(KEY, rail=Rail.PAYOUT, egress=Egress((), loopback=True), base_url=url)
        stack.push_async_callback(account.close)
        site = await stack.enter_async_context(at(place, account, tokens))
        backup = stack.enter_context(backup_of(place, "pg_dump"))
        paid = (await site.venture.request(100)).spend
        await site.pay()
        reserved = (await site.venture.request(200)).spend
        waiting = (await site.venture.request(3_000)).spend
        backup.take()
        lost = (await site.venture.request(400)).spend
        for one in (waiting, lost):
            await site.venture.approve(one, "user:cat")
        await site.pay()
        sent = [one.amount for one in double.payments()]
        assert sorted(sent) == [100, 200, 400, 3_000]
        copy = await stack.enter_async_context(at(await backup.restored(), account, tokens, like=site.venture))
        venture, restore, copy.ahead = copy.venture, Restore(copy.venture.books.database), site.ahead
        new = (await venture.request(50)).spend
        await venture.approve(new, "user:cat")
        for state in ("in_transit", "paid"):
            double.advance(double.payments()[0].reference, state)
        with caplog.at_level(logging.WARNING):
            await copy.pay()
        said = [one.getMessage() for one in caplog.records if "nothing is sent" in one.getMessage()]
        assert [one.rpartition(" ")[2] for one in said] == ["DISPATCH_ROLLED_BACK", "DISPATCH_LOCKED"]
        assert [one.amount for one in double.payments()] == sent
        # Looking is safe, and goes on.
        states = [(await venture.spend(one)).state for one in (paid, reserved, waiting, new)]
        assert states == [State.SETTLED, State.RESERVED, State.AWAITING_APPROVAL, State.RESERVED]

        assert (await copy.reviewed()).unknown == 3
        found = {one.correlation: one for one in await restore.found(venture.context())}
        assert found.keys() == {reserved, waiting, lost}
        for correlation, payment in found.items():
            bank, transit = venture.accounts["assets:bank:usd"], venture.accounts["assets:in-transit:usd"]
            legs = (Leg(transit, payment.amount, "USD"), Leg(bank, -payment.amount, "USD"))
            command = Post(key=venture.books.key(), correlation=uuid4(), legs=legs, description="found at Stripe")
            outcome = await venture.books.batcher.submit(venture.tenant, "user:ann", command)
            record = {"provider": "stripe", "reference": payment.reference, "evidence": "Stripe's list"}
            right, wrong = (None, outcome.journal) if correlation == reserved else (outcome.journal, None)
            asked = restore.record(venture.context(), journal=wrong, **record)
            await refused(asked, "RECONCILIATION_PROPOSAL_MISMATCH")
            await restore.record(venture.context(), journal=right, **record)
            if right is None and outcome.journal is not None:
                await venture.books.reverse(outcome.journal)
        stands = await venture.spend(waiting)
        assert (stands.state, stands.code) == (State.CANCELLED, "DISPATCH_PAYMENT_SENT")
        await restore.propose_unlock(venture.context(), evidence="Stripe's list")
        await restore.confirm_unlock(venture.context("user:bob"))
        await copy.pay()
        assert [one.amount for one in double.payments()] == [*sent, 50]
        states = [(await venture.spend(one)).state for one in (paid, reserved, new)]
        assert states == [State.SETTLED, State.SENT, State.SENT]
        assert await venture.books.balance(bank) == 1_000_000 - 100 - 200 - 3_000 - 400 - 50
        assert await venture.faults() == []
        # The database that was thought lost comes back, and has forgotten what was paid since.
        await site.venture.request(60)
        await site.pay()
        assert [one.amount for one in double.payments()] == [*sent, 50]


@pytest.mark.parametrize("late", [False, True])
async def test_a_forgotten_request_that_comes_again_under_its_key_is_not_paid_again(
    place: Place, tmp_path: Path, late: bool
) -> None:
    """Its client never got the answer and asks again: before people have looked, or only after they have unlocked."""
    double = StripeDouble(clock=lambda: datetime.now(UTC), fee=0)
    tokens = TokenFile(tmp_path)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serve(double))
        account = StripeProvider(KEY, rail=Rail.PAYOUT, egress=Egress((), loopback=True), base_url=url)
        stack.push_async_callback(account.close)
        site = await stack.enter_async_context(at(place, account, tokens))
        backup = stack.enter_context(backup_of(place, "pg_dump"))
        backup.take()
        ask = site.venture.asking(400)
        spend = (await site.venture.submit(AGENT, ask)).spend
        await site.pay()
        copy = await stack.enter_async_context(at(await backup.restored(), account, tokens, like=site.venture))
        venture, restore, copy.ahead = copy.venture, Restore(copy.venture.books.database), site.ahead
        if not late:
            assert (await venture.submit(AGENT, ask)).spend == spend
            await copy.pay()
        await restore.lock(venture.context(), reason="restored")
        assert (await copy.reviewed()).unknown == 1
        (found,) = await restore.found(venture.context())
        assert found.correlation == spend
        bank, transit = venture.accounts["assets:bank:usd"], venture.accounts["assets:in-transit:usd"]
        journal = (await venture.books.post((transit, 400), (bank, -400))).journal if late else None
        record = {"provider": "stripe", "reference": found.reference, "evidence": "Stripe's list"}
        await restore.record(venture.context(), journal=journal, **record)
        await restore.propose_unlock(venture.context(), evidence="Stripe's list")
        await restore.confirm_unlock(venture.context("user:bob"))
        if late:
            await refused(venture.submit(AGENT, ask), "DISPATCH_PAYMENT_SENT")
        else:
            assert (await venture.submit(AGENT, ask)).replayed
        await copy.pay()
        assert [one.spend_id for one in double.payments()] == [str(spend)]
        assert await venture.books.balance(bank) == 1_000_000 - 400
        assert await venture.faults() == []


async def test_a_locked_venture_waits_and_the_others_are_paid(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bank = Bank(random.Random(11), trouble=0.0, refusals=0.0)
    async with one_venture(place, bank, tmp_path) as (venture, world):
        other = await new_venture(venture.books.database, place, rules=FREELY)
        world.banks[other.tenant] = Bank(random.Random(12), trouble=0.0, refusals=0.0)
        restore = Restore(venture.books.database)
        await restore.lock(venture.context(), reason="a drill")
        asked = [await one.request(700) for one in (venture, other)]
        worker = world.worker()
        for _ in range(3):
            await worker.turn()
        assert (await venture.spend(asked[0].spend)).state is State.RESERVED
        assert (await other.spend(asked[1].spend)).state is State.SENT
        assert (worker.counts.turns, worker.counts.locked_tenants) == (3, 1)
        await restore.review(venture.context(), provider="stripe", as_of=datetime.now(UTC), payments=[])
        await restore.propose_unlock(venture.context(), evidence="an empty list")
        await restore.confirm_unlock(venture.context("user:bob"))
        for _ in range(2):
            await worker.turn()
        assert (await venture.spend(asked[0].spend)).state is State.SENT
        assert worker.counts.locked_tenants == 0
        said = [one.getMessage() for one in caplog.records if str(venture.tenant) in one.getMessage()]
        assert said == [
            f"tenant {venture.tenant}: nothing is sent: DISPATCH_LOCKED",
            f"tenant {venture.tenant}: payments are sent again",
        ]


@pytest.mark.parametrize("point", ["begun", "counted"])
async def test_what_was_in_doubt_before_the_lock_is_found_out_and_not_sent_again(
    place: Place, tmp_path: Path, point: str
) -> None:
    """The worker was killed around its count; then people lock. Nothing is sent, and after the unlock each once."""
    bank = Bank(random.Random(13), trouble=0.0, refusals=0.0)
    async with one_venture(place, bank, tmp_path) as (venture, world):
        asked = await venture.request(700)
        with pytest.raises(Killed):
            await world.worker(kill_at(point)).turn()
        restore = Restore(venture.books.database)
        await restore.lock(venture.context(), reason="a drill")
        for _ in range(8):
            await world.turn()
        assert bank.paid == []
        assert (await venture.spend(asked.spend)).state is State.SUBMITTING
        await restore.review(venture.context(), provider="stripe", as_of=datetime.now(UTC), payments=[])
        await restore.propose_unlock(venture.context(), evidence="an empty list")
        await restore.confirm_unlock(venture.context("user:bob"))
        for _ in range(4):
            world.now += timedelta(hours=1)
            await world.turn()
        assert len(bank.of(asked.spend or UUID(int=0))) == 1
        assert (await venture.spend(asked.spend)).state is State.SENT


async def test_what_cannot_be_counted_outside_is_not_sent(place: Place, tmp_path: Path) -> None:
    """The tokens' disk is full before the first payment, and then for a while: nobody has to unlock anything after."""
    bank = Bank(random.Random(14), trouble=0.0, refusals=0.0)
    async with one_venture(place, bank, tmp_path) as (venture, world):
        full = tmp_path / f"{venture.tenant}.new"
        for paid in (0, 1):
            asked = await venture.request(700)
            full.mkdir()
            await world.worker().turn()
            assert len(bank.paid) == paid
            assert (await venture.spend(asked.spend)).state is (State.SUBMITTING if paid else State.RESERVED)
            full.rmdir()
            for _ in range(4):
                world.now += timedelta(hours=1)
                await world.turn()
            assert len(bank.of(asked.spend or UUID(int=0))) == 1


async def test_another_amount_than_the_spends_is_recorded_by_a_journal(place: Place) -> None:
    async with open_venture(place, rules=FREELY) as venture:
        asked = await venture.request(700)
        restore = Restore(venture.books.database)
        await restore.lock(venture.context(), reason="restored")
        found = ProviderPayment("po_1", 701, "USD", datetime.now(UTC), asked.spend)
        await restore.review(venture.context(), provider="stripe", as_of=datetime.now(UTC), payments=[found])
        record = {"provider": "stripe", "reference": "po_1", "evidence": "Stripe's list"}
        await refused(restore.record(venture.context(), journal=None, **record), "RECONCILIATION_PROPOSAL_MISMATCH")
        moved = await venture.books.post(
            (venture.accounts["assets:in-transit:usd"], 701), (venture.accounts["assets:bank:usd"], -701)
        )
        await restore.record(venture.context(), journal=moved.journal, **record)
        assert (await venture.spend(asked.spend)).state is State.RESERVED


async def test_a_token_never_goes_back(tmp_path: Path) -> None:
    tokens, tenant, epoch = TokenFile(tmp_path), uuid4(), uuid4()
    wanted = [Token(1, epoch, 3), Token(1, epoch, 2), Token(1, epoch, 3), Token(2, uuid4(), 0), Token(1, epoch, 9)]
    kept = []
    for token in wanted:
        async with tokens.held(tenant) as held:
            held.keep(token)
        kept.append(tokens.read(tenant))
    assert kept == [wanted[0], wanted[0], wanted[0], wanted[3], wanted[3]]


@dataclass
class Counting:
    """Counts that are lost where two hold a token at once."""

    counted: int = 0
    inside: int = 0
    most: int = field(default=0)

    async def count(self, tokens: TokenFile, tenant: UUID, epoch: UUID) -> None:
        async with tokens.held(tenant) as held:
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(0.001)
            held.keep(Token(1, epoch, held.token.counter + 1 if held.token else 1))
            self.inside -= 1


async def test_workers_that_share_a_folder_never_hold_a_token_together(tmp_path: Path) -> None:
    one, two, tenant, epoch = TokenFile(tmp_path), TokenFile(tmp_path), uuid4(), uuid4()
    counting = Counting()
    await asyncio.gather(*(counting.count(tokens, tenant, epoch) for tokens in (one, two) * 10))
    assert one.read(tenant) == Token(1, epoch, 20)
    assert counting.most == 1


async def test_a_folder_that_is_gone_holds_no_token(tmp_path: Path) -> None:
    with pytest.raises(TreasuryError, match="DISPATCH_TOKEN_MISSING"):
        async with TokenFile(tmp_path / "gone").held(uuid4()):
            pass
