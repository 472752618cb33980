"""From a reservation to the end of a payment: claims, outcomes, and what could leave money and tables disagreeing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from parpour_controlplane.testing import Place
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.changes import ResolutionBody
from parpour_treasury.spending.states import State
from parpour_treasury.spending.testing import RULES, PaymentWorker, Venture, open_venture, payee_body, payment_worker

if TYPE_CHECKING:
    from asyncpg import Connection, Record

pytestmark = pytest.mark.anyio
ACCOUNTS = (
    "assets:bank",
    "assets:in-transit",
    "assets:returns",
    "expenses:spending",
    "expenses:fees",
    "assets:clearing",
)


async def balances(venture: Venture) -> dict[str, int]:
    """The accounts that are not at zero, without the funding; the bank's first 1,000,000 left out."""
    found = {
        code.partition(":usd")[0]: await venture.books.balance(venture.accounts[code])
        for code in (f"{one}:usd" for one in ACCOUNTS)
    }
    found["assets:bank"] -= 1_000_000
    return {code: balance for code, balance in found.items() if balance}


async def room(venture: Venture) -> tuple[int, int]:
    found = {one.code: one for one in await venture.register.envelopes(venture.context())}
    assert (found["ads"].reserved, found["ads"].spent) == (found["budget"].reserved, found["budget"].spent)
    return found["ads"].reserved, found["ads"].spent


async def claimed(venture: Venture, worker: PaymentWorker, amount: int = 900) -> UUID:
    """A spend that was claimed."""
    asked = await venture.request(amount)
    if asked.state == State.AWAITING_APPROVAL:
        await venture.approve(asked.spend, "user:cat")
    items = await worker.claim()
    assert [one["spend"] for one in items] == [str(asked.spend)]
    return UUID(items[0]["spend"])


async def test_a_payment_goes_its_way(venture: Venture, worker: PaymentWorker) -> None:
    asked = await venture.request(900)
    (item,) = await worker.claim()
    wanted = {"state": "submitting", "provider": "stripe", "currency": "USD", "amount": 900, "purpose": "banners"}
    assert {name: item[name] for name in wanted} == wanted
    assert (item["key"], item["destination"], item["name"]) == (str(asked.spend), {"id": "ba_1"}, "The Shop")
    assert await worker.claim() == []
    spend = UUID(item["spend"])
    assert await balances(venture) == {}
    assert await worker.advance(spend, "sent", provider="po_1") == "sent"
    assert await balances(venture) == {"assets:bank": -900, "assets:in-transit": 900}
    assert await room(venture) == (900, 0)
    assert await worker.advance(spend, "settled", fee=25) == "settled"
    assert await balances(venture) == {"assets:bank": -925, "expenses:spending": 900, "expenses:fees": 25}
    assert await room(venture) == (0, 900)
    stands = await venture.spend(spend)
    assert (stands.settled, stands.provider_reference) == (900, "po_1")


@pytest.mark.parametrize(
    ("steps", "money", "taken"),
    [
        (["failed"], {}, (0, 0)),
        (["unknown"], {}, (900, 0)),
        (["unknown", "failed"], {}, (0, 0)),
        (["unknown", "sent"], {"assets:bank": -900, "assets:in-transit": 900}, (900, 0)),
        (["sent", "failed"], {}, (0, 0)),
        (["sent", "returned"], {}, (0, 0)),
        (["sent", "settled", "returned"], {"assets:bank": -900, "assets:returns": 900}, (0, 0)),
        (["sent", "settled", "failed"], {"assets:bank": -900, "assets:returns": 900}, (0, 0)),
    ],
)
async def test_every_way_a_payment_ends_moves_what_it_should(
    venture: Venture, worker: PaymentWorker, steps: list[str], money: dict[str, int], taken: tuple[int, int]
) -> None:
    spend = await claimed(venture, worker)
    for step in steps:
        await worker.advance(spend, step)
    assert await balances(venture) == money
    assert await room(venture) == taken
    account = await venture.books.ledger.account(venture.context(), venture.accounts["assets:bank:usd"])
    assert account.pending_credit == (900 if steps == ["unknown"] else 0)


async def test_an_outcome_is_recorded_once(venture: Venture, worker: PaymentWorker) -> None:
    spend = await claimed(venture, worker)
    assert await worker.advance(spend, "sent", reference="e1") == "sent"
    assert await worker.advance(spend, "sent", reference="e1") == "sent"
    for fields in ({"step": "failed"}, {"step": "sent", "fee": 1}, {"step": "sent", "provider": "other"}):
        with pytest.raises(TreasuryError, match="TREASURY_OUTCOME_CONFLICT"):
            await worker.advance(spend, reference="e1", **fields)
    with pytest.raises(TreasuryError, match="TREASURY_SPEND_STATE"):
        await worker.advance(spend, "sent", reference="e2")
    with pytest.raises(TreasuryError, match="TREASURY_SPEND_UNKNOWN"):
        await worker.advance(uuid4(), "sent")
    await worker.advance(spend, "settled", reference="e3")
    assert await worker.advance(spend, "sent", reference="e1") == "settled"
    assert await balances(venture) == {"assets:bank": -900, "expenses:spending": 900}


async def test_a_fee_that_the_bank_lacks_is_owed(place: Place) -> None:
    rules = RULES.model_copy(update={"reserves": ()})
    async with open_venture(place, funds=900, rules=rules) as venture, payment_worker(place, venture) as worker:
        spend = await claimed(venture, worker)
        await worker.advance(spend, "sent", fee=5)
        assert await venture.books.balance(venture.accounts["assets:clearing:usd"]) == -5
        assert await venture.books.balance(venture.accounts["assets:bank:usd"]) == 0
        assert await venture.faults() == []


async def test_a_payee_that_changed_after_the_approval_is_not_paid(venture: Venture, worker: PaymentWorker) -> None:
    """Renamed or redirected by two people who meant well, or by two who did not: it was another that was approved."""
    for number, body in enumerate(
        (payee_body(venture.shop, name="The Shop Ltd"), payee_body(venture.firm, account="8"))
    ):
        payee = (venture.shop, venture.firm)[number]
        asked = await venture.request(2_000, payee=payee)
        assert (await venture.approve(asked.spend, "user:cat")).state == State.RESERVED
        await venture.change(body)
        assert await worker.claim() == []
        spend = await venture.spend(asked.spend)
        assert (spend.state, spend.code) == (State.CANCELLED, "TREASURY_PAYEE_CHANGED")
    assert await room(venture) == (0, 0)


async def test_a_retired_payee_is_not_paid(venture: Venture, worker: PaymentWorker) -> None:
    asked = await venture.request(500)
    await venture.change(payee_body(venture.shop).model_copy(update={"retired": True}))
    assert await worker.claim() == []
    assert (await venture.spend(asked.spend)).code == "TREASURY_PAYEE_RETIRED"


async def test_what_somebody_revoked_has_approved_is_not_sent(venture: Venture, worker: PaymentWorker) -> None:
    asked = await venture.request(2_000)
    await venture.approve(asked.spend, "user:cat")
    await venture.governance.revoke(venture.context(), "user:cat", reason="their phone was stolen")
    assert await worker.claim() == []
    assert (await venture.spend(asked.spend)).code == "TREASURY_APPROVAL_NEEDED"


@pytest.mark.long
async def test_what_is_under_way_never_expires(place: Place, venture: Venture, worker: PaymentWorker) -> None:
    asked = await venture.request(900, lifetime_seconds=1)
    left = await venture.request(50, payee=venture.firm, lifetime_seconds=1)
    (item,) = list(await worker.claim(most=1))
    assert item["spend"] == str(asked.spend)
    await asyncio.sleep(1.05)
    assert await venture.books.ledger.sweep(venture.context()) == 1
    assert (await venture.spend(left.spend)).state == State.EXPIRED
    assert (await venture.spend(asked.spend)).state == State.SUBMITTING
    assert await worker.claim() == []
    session = await asyncpg.connect(place.dsn("parpour_sweeper"))
    due = await session.fetch("select hold_id from treasury.hold where tenant_id = $1", venture.tenant)
    waiting = await session.fetch("select spend_id from treasury.spend where tenant_id = $1", venture.tenant)
    assert (due, waiting) == ([], [])
    await session.close()
    assert await worker.advance(UUID(item["spend"]), "sent") == "sent"
    assert (await venture.cancel(UUID(item["spend"]))).codes == ("TREASURY_SPEND_STATE",)


async def test_many_workers_claim_each_spend_once(place: Place, venture: Venture) -> None:
    for _ in range(10):
        await venture.request(90)
    async with payment_worker(place, venture) as one, payment_worker(place, venture) as two:
        found = await asyncio.gather(*(worker.claim(most=3) for worker in (one, two)))
        found += await asyncio.gather(*(worker.claim(most=3) for worker in (one, two)))
    spends = [item["spend"] for items in found for item in items]
    assert len(spends) == len(set(spends)) == 10


async def test_two_people_resolve_what_the_provider_does_not_tell(venture: Venture, worker: PaymentWorker) -> None:
    spend = await claimed(venture, worker)
    body = ResolutionBody(spend=spend, outcome="failed", evidence={"call": "the bank has no such transfer"})
    with pytest.raises(TreasuryError, match="TREASURY_SPEND_STATE"):
        await venture.change(body)
    await worker.advance(spend, "unknown")
    with pytest.raises(TreasuryError, match="TREASURY_CHANGE_OWN"):
        await venture.change(body, by="user:ann", confirmed_by="user:ann")
    await venture.change(body)
    assert (await venture.spend(spend)).state == State.FAILED
    assert await room(venture) == (0, 0)


async def test_a_frozen_venture_still_learns_what_happened(venture: Venture, worker: PaymentWorker) -> None:
    spend = await claimed(venture, worker)
    await venture.governance.freeze(venture.context(), reason="odd")
    assert await worker.advance(spend, "sent") == "sent"


async def test_the_service_itself_pays_nothing(place: Place, venture: Venture, worker: PaymentWorker) -> None:
    spend = await claimed(venture, worker)
    session = await asyncpg.connect(place.dsn())
    for call in (
        "treasury.claim($1, '{stripe}', 1)",
        f"treasury.advance($1, '{spend}', 'r', 'sent', null, '{{}}', 0)",
        f"treasury.payment($1, '{spend}')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await session.execute(f"select {call}", venture.context())
    await session.close()


# What the tables refuse even to their owner, as a fault in the functions would ask it.

REFUSED = r"TREASURY_(SPEND_STATE|APPROVAL_(OWN|MISMATCH)|ROLE_MISSING)|IMMUTABLE|violates check constraint"
DEED = "update treasury.spend set step = '{}', state = '{}'{} where tenant_id = $1 and spend_id = $2"


@pytest.fixture
async def owner(place: Place, venture: Venture) -> AsyncIterator[Connection[Record]]:
    session = await asyncpg.connect(place.dsn("postgres"))
    await session.execute("set role parpour_owner")
    await session.execute("select set_config('parpour.tenant', $1, false)", str(venture.tenant))
    yield session
    await session.close()


@pytest.mark.parametrize(
    "deed",
    [
        "update treasury.spend set amount = amount + 1 where tenant_id = $1 and spend_id = $2",
        "update treasury.spend set payee_id = "
        "(select payee_id from treasury.payee where provider = 'mercury' and tenant_id = $1) "
        "where tenant_id = $1 and spend_id = $2",
        "update treasury.spend set digest = sha256('x') where tenant_id = $1 and spend_id = $2",
        "update treasury.spend set purpose = 'else' where tenant_id = $1 and spend_id = $2",
        DEED.format("reserved", "reserved", ""),
        DEED.format("reserved", "reserved", ", decision = 2"),
        DEED.format("submitted", "submitting", ""),
        DEED.format("settled", "settled", ", settled = amount"),
        DEED.format("sent", "sent", ""),
        "delete from treasury.spend where tenant_id = $1 and spend_id = $2",
        "insert into treasury.approval select tenant_id, spend_id, 'bob', 'user:bob', digest, 'approve', now(), now() "
        "from treasury.spend where tenant_id = $1 and spend_id = $2",
        "insert into treasury.approval select tenant_id, spend_id, 'cat', 'user:cat', sha256('x'), 'approve', "
        "now(), now() from treasury.spend where tenant_id = $1 and spend_id = $2",
        "insert into treasury.approval select tenant_id, spend_id, 'eve', 'user:cat', digest, 'approve', now(), now() "
        "from treasury.spend where tenant_id = $1 and spend_id = $2",
        "insert into treasury.approval select tenant_id, spend_id, 'dan', 'user:dan', digest, 'approve', now(), now() "
        "from treasury.spend where tenant_id = $1 and spend_id = $2",
    ],
)
async def test_the_tables_refuse_what_no_function_asks(venture: Venture, owner: Connection[Record], deed: str) -> None:
    asked = await venture.request(2_000)
    with pytest.raises(asyncpg.PostgresError, match=REFUSED):
        await owner.execute(deed, venture.tenant, asked.spend)


async def test_a_reservation_needs_more_than_a_decision(venture: Venture, owner: Connection[Record]) -> None:
    """Somebody writes a decision that reserves: the approvals are lacking, then the hold."""
    asked = await venture.request(2_000)
    forge = (
        "insert into treasury.decision "
        "select tenant_id, spend_id, 2, 'reserve', rules_version, asked, facts, answer, now() "
        "from treasury.decision where tenant_id = $1 and spend_id = $2"
    )
    reserve = DEED.format("reserved", "reserved", ", decision = 2, hold_id = gen_random_uuid(){}")

    async def both(fields: str) -> None:
        async with owner.transaction():
            await owner.execute(forge, venture.tenant, asked.spend)
            await owner.execute(reserve.format(fields), venture.tenant, asked.spend)

    with pytest.raises(asyncpg.PostgresError, match="TREASURY_APPROVAL_NEEDED"):
        await both("")
    with pytest.raises(asyncpg.PostgresError, match="TREASURY_HOLD_OF_SPEND"):
        await both(", quorum = 0")


@pytest.mark.parametrize(
    "deed",
    [
        "update treasury.hold set state = 'voided', closed_at = now() where tenant_id = $1 and hold_id = $2",
        "update treasury.hold set state = 'settled', closed_at = now() where tenant_id = $1 and hold_id = $2",
        "update treasury.spend set state = 'cancelled', step = 'cancelled' where tenant_id = $1 and hold_id = $2",
        "update treasury.spend set state = 'submitting', step = 'submitted' where tenant_id = $1 and hold_id = $2",
    ],
)
async def test_a_hold_and_its_spend_end_together_or_not_at_all(
    venture: Venture, owner: Connection[Record], deed: str
) -> None:
    hold = (await venture.spend((await venture.request(900)).spend)).hold_id

    async def alone() -> None:
        async with owner.transaction():
            await owner.execute(deed, venture.tenant, hold)
            # What the session says it is changes nothing about what the rows are.
            await owner.execute("select set_config('parpour.tenant', $1, true)", str(uuid4()))

    with pytest.raises(asyncpg.PostgresError, match="TREASURY_HOLD_OF_SPEND"):
        await alone()


async def test_an_envelope_is_never_overfull(venture: Venture, owner: Connection[Record]) -> None:
    await venture.request(900)
    for deed, fault in (
        ("update treasury.envelope set cap = 899 where tenant_id = $1", "within_cap"),
        ("update treasury.envelope set reserved = cap + 1 where tenant_id = $1", "within_cap"),
        ("update treasury.envelope set reserved = -1 where tenant_id = $1", "check"),
    ):
        with pytest.raises(asyncpg.CheckViolationError, match=fault):
            await owner.execute(deed, venture.tenant)


async def test_a_payee_is_not_redirected_in_silence(venture: Venture, owner: Connection[Record]) -> None:
    for deed in (
        "update treasury.payee set destination = '{}' where tenant_id = $1 and payee_id = $2",
        "update treasury.payee set name = 'else' where tenant_id = $1 and payee_id = $2",
        "update treasury.payee set name = 'else', fingerprint = sha256('x'), usable_from = '2000-01-01' "
        "where tenant_id = $1 and payee_id = $2",
    ):
        with pytest.raises(asyncpg.PostgresError, match="IMMUTABLE"):
            await owner.execute(deed, venture.tenant, venture.shop)


async def test_a_change_is_not_confirmed_by_its_proposer(venture: Venture, owner: Connection[Record]) -> None:
    forged = (
        "insert into treasury.change "
        "select tenant_id, gen_random_uuid(), 'release', '{}', sha256('x'), 'applied', 'user:ann', 'ann', "
        "now(), now(), 'user:ann', 'ann', now(), now() from treasury.ledger where tenant_id = $1"
    )
    with pytest.raises(asyncpg.CheckViolationError, match="another_person"):
        await owner.execute(forged, venture.tenant)


@pytest.mark.parametrize(
    ("deed", "fault"),
    [
        ("update treasury.envelope set reserved = reserved + 1", "what an envelope has reserved or spent"),
        ("update treasury.envelope set reserved = 0, spent = 900", "what an envelope has reserved or spent"),
        ("update treasury.hold set pinned_at = now()", "a reserved spend has no open hold"),
        ("delete from treasury.approval", "a spend was reserved without its approvals"),
        ("update treasury.spend set amount = 1", "a digest is not that of its spend"),
        ("update treasury.spend set decision = 1", "a spend stands without the decision"),
        ("delete from controlplane.event where type = 'treasury.spend.reserved'", "a spend has not one event"),
        ("update treasury.pace set total = 1 where scope = 'venture'", "the running total of the venture"),
        ("update treasury.spend set state = 'cancelled', step = 'cancelled'", "an open hold belongs to a spend that"),
        (
            "update treasury.spend set state = 'sent', step = 'sent'",
            "what a spend has moved is not what its state says",
        ),
    ],
)
async def test_each_contradiction_has_a_name(place: Place, deed: str, fault: str) -> None:
    async with open_venture(place) as venture:
        asked = await venture.request(2_000)
        await venture.approve(asked.spend, "user:cat")
        assert await venture.faults() == []
        session = await asyncpg.connect(place.dsn("postgres"))
        await session.execute("set session_replication_role = replica")
        joint = " and " if " where " in deed else " where "
        await session.execute(f"{deed}{joint}tenant_id = $1", venture.tenant)
        await session.close()
        assert any(name.startswith(fault) for name, _ in await venture.register.faults(venture.context()))


async def test_the_provider_is_asked_again_with_the_same_key(venture: Venture, worker: PaymentWorker) -> None:
    spend = await claimed(venture, worker)
    seen: dict[str, Any] = await worker.payment(spend)
    assert (seen["key"], seen["state"], seen["amount"]) == (str(spend), "submitting", 900)
    assert datetime.fromisoformat(seen["submittedAt"]) > datetime.now(UTC) - timedelta(seconds=30)
    with pytest.raises(TreasuryError, match="TREASURY_SPEND_UNKNOWN"):
        await worker.payment(uuid4())
