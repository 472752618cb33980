"""Random lives of spends, on the database and on the model: the same answers, the same money, no contradiction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from typing import TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from parpour_controlplane.database import open_database
from parpour_controlplane.testing import Place
from parpour_treasury.auditing.comparing import compare
from parpour_treasury.auditing.telling import tell
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.asks import SpendOutcome
from parpour_treasury.spending.changes import EnvelopeBody, ReleaseBody
from parpour_treasury.spending.rules import Allow, Reserve, RuleBook, Tier, Window
from parpour_treasury.spending.testing import PaymentWorker, Venture, new_venture, payment_worker
from parpour_treasury.testing import snapshot

from .spending_model import CAPS, FUNDS, KEPT, MOST, OUTCOMES, PEOPLE, PER_ACTION, TAKING, TIERS, ModelVenture

RULES = RuleBook(
    allow=(Allow(name="agents", currency="USD", per_action=PER_ACTION, roles=("agent",)),),
    tiers=tuple(Tier(currency="USD", above=above, quorum=quorum) for above, quorum in TIERS),
    windows=(Window(name="all", scope="venture", currency="USD", seconds=86_400, most_count=MOST),),
    reserves=(Reserve(name="kept", account="assets:bank:usd", amount=KEPT),),
)
PLACES = st.integers(0, 11)
AMOUNTS = st.integers(1, 40) | st.integers(1, 62)
SELDOM = st.sampled_from([True, True, True, False])
"""Whether a stop is released at once."""
PAYEES = st.sampled_from(["shop", "firm", "platform"])
T = TypeVar("T")


async def modelled_venture(make: Callable[..., Awaitable[Venture]]) -> tuple[Venture, dict[str, UUID]]:
    """A venture with the envelopes of the model."""
    venture = await make(rules=RULES, funds=FUNDS, cap=CAPS["budget"])
    other = uuid4()
    for envelope, code in ((venture.ads, "ads"), (other, "other")):
        await venture.change(
            EnvelopeBody(envelope=envelope, parent=venture.budget, code=code, currency="USD", cap=CAPS[code])
        )
    return venture, {"ads": venture.ads, "other": other}


class SpendingMachine(RuleBasedStateMachine):
    """One venture."""

    runner: asyncio.Runner
    ventures: Iterator[tuple[Venture, dict[str, UUID], PaymentWorker]]

    @initialize()
    def open(self) -> None:
        self.venture, self.envelopes, self.worker = next(self.ventures)
        self.model = ModelVenture()
        self.spends: list[UUID] = []
        # So that short lives see something, too.
        self.request([("ads", "shop", 30), ("ads", "firm", 20), ("other", "platform", 25), ("ads", "shop", 15)])
        self.claim()
        self.advance(1, "sent")

    def do(self, asked: Awaitable[T]) -> T:
        async def wait() -> T:
            return await asked

        return self.runner.run(wait())

    def about(self, place: int, *states: str) -> tuple[int, UUID] | None:
        """One of the spends, mostly of those in these states."""
        found = [number for number, one in enumerate(self.model.spends) if one.state in states]
        if place % 4 == 0 or not found:
            found = list(range(len(self.spends)))
        if not found:
            return None
        number = found[place % len(found)]
        return number, self.spends[number]

    @rule(asks=st.lists(st.tuples(st.sampled_from(["ads", "other"]), PAYEES, AMOUNTS), min_size=1, max_size=4))
    def request(self, asks: list[tuple[str, str, int]]) -> None:
        """Several at once: they share a batch, and are decided in their order."""
        venture = self.venture

        async def together() -> list[SpendOutcome]:
            return await asyncio.gather(
                *(
                    venture.request(amount, envelope=self.envelopes[envelope], payee=getattr(venture, payee))
                    for envelope, payee, amount in asks
                )
            )

        outcomes = self.do(together())
        for outcome, (envelope, payee, amount) in zip(outcomes, asks, strict=True):
            assert outcome.state == self.model.request(envelope, payee, amount), outcome
            assert outcome.spend is not None
            self.spends.append(outcome.spend)

    @rule(place=PLACES, actor=st.sampled_from(sorted(PEOPLE)))
    def approve(self, place: int, actor: str) -> None:
        if found := self.about(place, "awaiting_approval"):
            number, spend = found
            assert self.do(self.venture.approve(spend, actor)).accepted == self.model.approve(number, actor)

    @rule(place=PLACES)
    def reject(self, place: int) -> None:
        if found := self.about(place, "awaiting_approval"):
            number, spend = found
            assert self.do(self.venture.reject(spend, "user:cat")).accepted == self.model.reject(number)

    @rule(place=PLACES)
    def cancel(self, place: int) -> None:
        if found := self.about(place, "reserved"):
            number, spend = found
            assert self.do(self.venture.cancel(spend)).accepted == self.model.cancel(number)

    @rule(place=PLACES, amount=st.integers(0, 62))
    def settle(self, place: int, amount: int) -> None:
        if found := self.about(place, "reserved"):
            number, spend = found
            assert self.do(self.venture.settle(spend, amount)).accepted == self.model.settle(number, amount)

    @rule(place=PLACES, amount=st.integers(1, 30))
    def renew(self, place: int, amount: int) -> None:
        if found := self.about(place, "reserved"):
            number, spend = found
            assert self.do(self.venture.renew(spend, amount)).accepted == self.model.renew(number, amount)

    @rule()
    def claim(self) -> None:
        claimed = {one["spend"] for one in self.do(self.worker.claim())}
        assert claimed == {str(self.spends[place]) for place in self.model.claim()}

    @rule(place=PLACES, step=st.sampled_from(sorted({step for _, step in OUTCOMES})))
    def advance(self, place: int, step: str) -> None:
        found = self.about(place, *TAKING)
        if found is None:
            return
        number, spend = found
        code = None
        try:
            self.do(self.worker.advance(spend, step, reference=str(uuid4())))
        except TreasuryError as error:
            code = error.code
        assert code == (None if self.model.advance(number, step) else "TREASURY_SPEND_STATE")

    @rule(thaw=SELDOM)
    def freeze(self, thaw: bool) -> None:
        self.do(self.venture.governance.freeze(self.venture.context(), reason="x"))
        self.model.frozen = not thaw
        if thaw:
            self.do(self.venture.change(ReleaseBody(what="freeze")))

    @rule(payee=st.sampled_from(["shop", "firm"]), release=SELDOM)
    def hold_payee(self, payee: str, release: bool) -> None:
        id_ = getattr(self.venture, payee)
        if release:
            self.do(self.venture.change(ReleaseBody(what="payee", payee=id_)))
            self.model.held.discard(payee)
        else:
            self.do(self.venture.governance.hold_payee(self.venture.context(), id_, reason="x"))
            self.model.held.add(payee)

    @invariant()
    def it_stands_as_in_the_model(self) -> None:
        self.do(self._compare())

    async def _compare(self) -> None:
        venture, model = self.venture, self.model
        for one in await venture.register.envelopes(venture.context()):
            assert (one.reserved, one.spent) == (model.reserved(one.code), model.spent(one.code)), one.code
            assert one.reserved + one.spent <= one.cap
        bank = await venture.books.ledger.account(venture.context(), venture.accounts["assets:bank:usd"])
        assert (bank.posted, bank.pending_credit) == (model.bank, model.kept())
        stands = {one.spend_id: one for one in await venture.register.spends(venture.context())}
        ours = [(stands[spend].state.value, stands[spend].amount, stands[spend].settled) for spend in self.spends]
        assert ours == [(one.state, one.amount, one.settled) for one in model.spends]
        assert await venture.faults() == []
        for spend in self.spends[-2:]:
            for made, again in await venture.register.replay(venture.context(), spend):
                assert made == again

    def teardown(self) -> None:
        if hasattr(self, "venture"):
            standing, told = self.do(snapshot(self.venture.books))
            assert compare(standing, tell(told)) == []
            assert self.do(self.venture.untold()) == []


@pytest.mark.long
def test_spends_live_as_in_the_model(place: Place) -> None:
    with asyncio.Runner() as runner:
        manager = open_database(place.dsn(), connections=2)
        database = runner.run(manager.__aenter__())
        workers = []

        def ventures() -> Iterator[tuple[Venture, dict[str, UUID], PaymentWorker]]:
            for _ in count():

                async def made() -> tuple[Venture, dict[str, UUID], PaymentWorker]:
                    async def make(**fields: object) -> Venture:
                        return await new_venture(database, place, **fields)  # type: ignore[arg-type]

                    venture, envelopes = await modelled_venture(make)
                    session = payment_worker(place, venture)
                    workers.append(session)
                    return venture, envelopes, await session.__aenter__()

                yield runner.run(made())

        SpendingMachine.runner, SpendingMachine.ventures = runner, ventures()
        try:
            run_state_machine_as_test(
                SpendingMachine,
                settings=settings(
                    max_examples=max(8, settings().max_examples // 10),
                    stateful_step_count=30,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            for session in workers:
                runner.run(session.__aexit__(None, None, None))
            runner.run(manager.__aexit__(None, None, None))
