"""Ventures and reservations over a real database: bound for good, reserved once, never charged more than reserved."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_api.identity.principal import OPERATOR
from parpour_api.internal.pricing import PriceList, Terms, price
from parpour_api.internal.testing.opening import PRICES
from parpour_api.internal.ventures import PLATFORM
from parpour_contracts.funding import SECONDS_LIMIT, ReservationRequest
from parpour_controlplane.testing import Place
from parpour_treasury.spending.asks import Approve
from parpour_treasury.spending.changes import EnvelopeBody, RulesBody, change_digest
from parpour_treasury.spending.rules import Tier

from .conftest import Internal, request

pytestmark = pytest.mark.anyio


async def books(internal: Internal, venture: Any) -> dict[str, int]:
    context = internal.ventures.context(UUID(venture["uid"]))
    return {one.code: one.posted for one in await internal.ledger.accounts(context) if one.posted}


async def budget(internal: Internal, venture: Any) -> tuple[int, int, int]:
    found = await internal.ventures.budget(UUID(venture["uid"]))
    return found.cap, found.reserved, found.spent


async def sound(internal: Internal, venture: Any) -> None:
    context = internal.ventures.context(UUID(venture["uid"]))
    assert await internal.ledger.faults(context) == []
    assert await internal.register.faults(context) == []


async def test_a_binding_makes_the_tenant_and_answers_the_same_again(internal: Internal) -> None:
    venture = await internal.bind()
    assert venture["answer"] == {
        "tenant": venture["uid"],
        "budget": {"amount": "100.00", "currency": "USD"},
        "frozen": False,
    }
    again = {name: value for name, value in venture.items() if name != "answer"}
    assert (await internal.bind(**again))["answer"] == venture["answer"]
    members = await internal.register.members(internal.ventures.context(UUID(venture["uid"])))
    assert {one.actor for one in members} == {"user:ann", "user:bob", OPERATOR}


async def test_a_namespace_has_one_venture_and_a_venture_one_namespace(internal: Internal) -> None:
    one, two = await internal.bind(), await internal.bind()
    taken = await internal.bind(namespaceUid=one["namespaceUid"], status=409)
    assert taken["answer"]["code"] == "FUNDING_NAMESPACE_CONFLICT"
    moved = await internal.bind(uid=two["uid"], status=409)
    assert moved["answer"]["code"] == "FUNDING_VENTURE_CONFLICT"


async def test_two_ventures_that_want_one_namespace_at_once_do_not_both_get_it(internal: Internal) -> None:
    namespace = str(uuid4())

    async def attempt() -> int:
        body = (await internal.bind()) | {"uid": str(uuid4()), "namespaceUid": namespace}
        body.pop("answer")
        headers = {"Authorization": f"Bearer {internal.token}"}
        return (await internal.client.post("/internal/v1/ventures", json=body, headers=headers)).status_code

    assert sorted(await asyncio.gather(*(attempt() for _ in range(4)))) == [200, 409, 409, 409]


async def test_a_venture_of_one_person_is_refused(internal: Internal) -> None:
    refused = await internal.bind(owners=[{"subject": "ann", "person": "ann"}], status=409)
    assert refused["answer"]["code"] == "TREASURY_TWO_PEOPLE_NEEDED"
    twice = [{"subject": "ann", "person": "ann"}, {"subject": "ann2", "person": "ann"}]
    assert (await internal.bind(owners=twice, status=409))["answer"]["code"] == "TREASURY_TWO_PEOPLE_NEEDED"


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [("1.005", "USD", "AMOUNT_TOO_PRECISE"), ("5.50", "JPY", "AMOUNT_TOO_PRECISE"), ("5", "XXX", "CURRENCY_UNKNOWN")],
)
async def test_a_budget_that_is_no_amount_is_refused(internal: Internal, amount: str, currency: str, code: str) -> None:
    refused = await internal.bind(budget={"amount": amount, "currency": currency}, status=409)
    assert refused["answer"]["code"] == code


async def test_another_budget_waits_for_two_people_and_counts_once_they_agreed(internal: Internal) -> None:
    venture = await internal.bind()
    asked = {name: value for name, value in venture.items() if name != "answer"}
    asked["budget"] = {"amount": "300.00", "currency": "USD"}
    answer = (await internal.bind(**asked))["answer"]
    assert answer["pending"]["code"] == "FUNDING_BUDGET_CHANGE_PENDING"
    assert answer["budget"]["amount"] == "100.00"
    standing = await internal.ventures.budget(UUID(venture["uid"]))
    body = EnvelopeBody(envelope=standing.envelope_id, code=standing.code, currency="USD", cap=30_000)
    change = uuid4()
    governance = internal.ventures._governance
    await governance.propose(internal.ventures.context(UUID(venture["uid"]), "user:ann"), change, body)
    await governance.confirm(
        internal.ventures.context(UUID(venture["uid"]), "user:bob"),
        change,
        digest=change_digest(change, body),
        authenticated_at=datetime.now(UTC),
    )
    answer = (await internal.bind(**asked))["answer"]
    assert (answer["budget"]["amount"], answer.get("pending")) == ("300.00", None)


async def test_a_run_is_reserved_and_settled_by_what_it_used(internal: Internal) -> None:
    venture = await internal.bind()
    reserved = await internal.reserve(venture)
    # 4 workers for 3630 s at 1/100 cent, and 630 s of a tenth of a core: ⌈145.2⌉ + ⌈0.63⌉ cents
    assert (reserved["state"], reserved["reserved"], reserved["renewable"]) == ("reserved", "1.47", True)
    assert reserved["ratePerWorkerSecond"] == {"numerator": 1, "denominator": 100}
    assert reserved["priceList"] == PRICES.identity
    assert await budget(internal, venture) == (10_000, 147, 0)
    used = {"workerSeconds": 4000, "closingSeconds": 12, "measured": True, "reason": "Complete"}
    settled = await internal.end(reserved, "settle", used)
    assert (settled["state"], settled["charged"]) == ("settled", "0.41")
    assert await budget(internal, venture) == (10_000, 0, 41)
    assert await books(internal, venture) == {"expenses:compute:usd": 41, "liabilities:platform:usd": -41}
    assert await internal.end(reserved, "settle", {**used, "workerSeconds": 9}) == settled
    await internal.end(reserved, "cancel", status=409)
    await sound(internal, venture)


async def test_the_same_key_reserves_once_from_a_hundred_clients_too(internal: Internal) -> None:
    venture = await internal.bind()
    uid = str(uuid4())
    answers = await asyncio.gather(*(internal.reserve(venture, uid=uid) for _ in range(100)))
    assert len({answer["reservation"] for answer in answers}) == 1
    assert {answer["state"] for answer in answers} == {"reserved"}
    assert await budget(internal, venture) == (10_000, 147, 0)
    await sound(internal, venture)


async def test_a_key_serves_one_request(internal: Internal) -> None:
    venture = await internal.bind()
    reserved = await internal.reserve(venture)
    other = await internal.reserve(venture, uid=reserved["uid"], workers=5, status=409)
    assert other["code"] == "FUNDING_RESERVATION_DIFFERS"
    assert (await internal.reserve(venture, uid=reserved["uid"], seconds=60))["reserved"] == "1.47"


async def test_more_than_the_venture_has_is_refused_without_a_number_and_asked_again_under_the_same_key(
    internal: Internal,
) -> None:
    venture = await internal.bind("2.00")
    first = await internal.reserve(venture)
    uid = str(uuid4())
    refused = await internal.reserve(venture, uid=uid)
    assert refused["state"] == "refused"
    assert refused["fault"]["code"] == "TREASURY_ENVELOPE_EXCEEDED"
    assert not any(letter.isdigit() for letter in refused["fault"]["message"])
    assert (await internal.reserve(venture, uid=uid))["state"] == "refused"
    await internal.end(first, "cancel")
    assert (await internal.reserve(venture, uid=uid))["state"] == "reserved"
    assert await budget(internal, venture) == (200, 147, 0)
    await sound(internal, venture)


async def test_what_never_becomes_a_spend_says_why(internal: Internal) -> None:
    venture = await internal.bind()
    small = await internal.reserve(venture, budget={"amount": "0.01", "currency": "USD"})
    assert small["fault"]["code"] == "FUNDING_BUDGET_TOO_SMALL"
    least = next(word for word in small["fault"]["message"].split() if word.startswith("0."))
    assert (await internal.reserve(venture, budget={"amount": least, "currency": "USD"}))["state"] == "reserved"
    other = await internal.reserve(venture, budget={"amount": "5.00", "currency": "EUR"})
    assert other["fault"]["code"] == "FUNDING_CURRENCY_MISMATCH"
    euros = await internal.bind(budget={"amount": "50.00", "currency": "EUR"})
    unpriced = await internal.reserve(euros, budget={"amount": "5.00", "currency": "EUR"})
    assert unpriced["fault"]["code"] == "FUNDING_CURRENCY_UNPRICED"
    assert (await internal.reserve(venture, namespaceUid=str(uuid4()), status=409))[
        "code"
    ] == "FUNDING_NAMESPACE_UNBOUND"
    precise = await internal.reserve(venture, budget={"amount": "1.005", "currency": "USD"}, status=409)
    assert precise["code"] == "AMOUNT_TOO_PRECISE"


async def test_a_renewal_covers_more_up_to_the_budget_and_may_be_sent_twice(internal: Internal) -> None:
    venture = await internal.bind()
    reserved = await internal.reserve(venture, budget={"amount": "2.00", "currency": "USD"})
    renewed = await internal.end(reserved, "renew", {"seconds": 4000})
    assert renewed["deadlineSeconds"] >= 4000
    assert await internal.end(reserved, "renew", {"seconds": 4000}) == renewed
    full = await internal.end(reserved, "renew", {"seconds": 100_000})
    assert (full["reserved"], full["renewable"], full.get("fault")) == ("2.00", False, None)
    assert await budget(internal, venture) == (10_000, 200, 0)
    await internal.end(reserved, "settle", {"workerSeconds": 10**9, "measured": False})
    assert await budget(internal, venture) == (10_000, 0, 200)
    await sound(internal, venture)


async def test_a_refused_renewal_leaves_what_was_reserved(internal: Internal) -> None:
    venture = await internal.bind("2.00")
    reserved = await internal.reserve(venture)
    refused = await internal.end(reserved, "renew", {"seconds": 100_000})
    assert (refused["state"], refused["reserved"]) == ("reserved", "1.47")
    assert refused["fault"]["code"] in ("TREASURY_ENVELOPE_EXCEEDED", "TREASURY_SPEND_CAP_EXCEEDED")
    await sound(internal, venture)


async def test_a_frozen_venture_reserves_nothing_and_settles_what_runs(internal: Internal) -> None:
    venture = await internal.bind()
    running = await internal.reserve(venture)
    answer = await internal.call("POST", f"/ventures/{venture['uid']}/freeze", {"reason": "it is being deleted"})
    assert answer["frozen"] is True
    again = await internal.call("POST", f"/ventures/{venture['uid']}/freeze", {"reason": "it is being deleted"})
    assert again == answer
    refused = await internal.reserve(venture)
    assert refused["fault"]["code"] == "TREASURY_KILL_SWITCH"
    assert (await internal.end(running, "renew", {"seconds": 9000}))["fault"]["code"] == "TREASURY_KILL_SWITCH"
    assert (await internal.end(running, "settle", {"workerSeconds": 100, "measured": True}))["charged"] == "0.01"
    unknown = await internal.call("POST", f"/ventures/{uuid4()}/freeze", {"reason": "no such"}, status=404)
    assert unknown["code"] == "FUNDING_VENTURE_UNKNOWN"


async def test_nothing_used_is_settled_with_nothing(internal: Internal) -> None:
    venture = await internal.bind()
    reserved = await internal.reserve(venture)
    settled = await internal.end(reserved, "settle", {"workerSeconds": 0, "measured": True})
    assert (settled["state"], settled["charged"]) == ("settled", "0.00")
    assert await books(internal, venture) == {}


async def test_what_is_closed_stays_closed(internal: Internal) -> None:
    venture = await internal.bind()
    reserved = await internal.reserve(venture)
    cancelled = await internal.end(reserved, "cancel")
    assert cancelled["state"] == "cancelled"
    assert await internal.end(reserved, "cancel") == cancelled
    used = {"workerSeconds": 5, "measured": True}
    assert (await internal.end(reserved, "settle", used, status=409))["code"] == "FUNDING_RESERVATION_CLOSED"
    assert (await internal.end(reserved, "renew", {"seconds": 5}, status=409))["code"] == "FUNDING_RESERVATION_CLOSED"
    unknown = {**reserved, "reservation": str(uuid4())}
    assert (await internal.end(unknown, "settle", used, status=404))["code"] == "FUNDING_RESERVATION_UNKNOWN"


async def test_a_reservation_is_found_by_its_venture_alone(internal: Internal) -> None:
    one, two = await internal.bind(), await internal.bind()
    reserved = await internal.reserve(one)
    await internal.end({**reserved, "venture": two["uid"]}, "cancel", status=404)
    state = await internal.call("GET", "/funding", namespaceUid=two["namespaceUid"], uid=reserved["uid"])
    assert state == {"venture": two["uid"], "reservations": []}
    assert await internal.call("GET", "/funding", namespaceUid=str(uuid4()), uid=reserved["uid"]) == {
        "reservations": []
    }


async def test_a_crash_before_the_spend_was_noted_is_mended_by_whoever_looks(internal: Internal) -> None:
    venture = await internal.bind()
    tenant = UUID(venture["uid"])
    wanted = ReservationRequest.model_validate(request(venture))
    reservation = uuid4()
    terms = price(wanted, PRICES)
    await internal.reservations._open(tenant, reservation, wanted, b"x" * 32, terms)
    state = await internal.call("GET", "/funding", namespaceUid=venture["namespaceUid"], uid=str(wanted.uid))
    (found,) = state["reservations"]
    assert (found["reservation"], found["state"]) == (str(reservation), "reserved")
    await internal.end(found, "cancel")
    assert await budget(internal, venture) == (10_000, 0, 0)


async def test_what_was_reported_before_a_crash_is_settled_whatever_is_asked_next(internal: Internal) -> None:
    venture = await internal.bind()
    reserved = await internal.reserve(venture)
    used = '{"workerSeconds": 1000, "measured": true}'
    context = internal.ventures.context(UUID(venture["uid"]), OPERATOR)
    reported = (context, UUID(reserved["reservation"]), 1, used)
    await internal.reservations._call("select treasury.report_usage($1, $2, $3, $4)", *reported)
    closed = await internal.end(reserved, "cancel")
    assert (closed["state"], closed["charged"]) == ("settled", "0.10")
    assert await budget(internal, venture) == (10_000, 0, 10)


async def test_what_needs_approval_waits_for_it_and_can_be_taken_back(internal: Internal) -> None:
    venture = await internal.bind()
    tenant = UUID(venture["uid"])
    version, rules = await internal.register.rules(internal.ventures.context(tenant))
    strict = rules.model_copy(update={"tiers": (Tier(currency="USD", above=0, quorum=1),)})
    body, change = RulesBody(version=version + 1, rules=strict), uuid4()
    governance = internal.ventures._governance
    await governance.propose(internal.ventures.context(tenant, "user:ann"), change, body)
    digest = change_digest(change, body)
    bob = internal.ventures.context(tenant, "user:bob")
    await governance.confirm(bob, change, digest=digest, authenticated_at=datetime.now(UTC))
    waiting = await internal.reserve(venture)
    assert waiting["state"] == "awaiting"
    assert (await internal.reserve(venture, uid=waiting["uid"]))["state"] == "awaiting"
    assert await budget(internal, venture) == (10_000, 0, 0)
    spend = (await internal.register.spends(internal.ventures.context(tenant)))[0]
    ask = Approve(key="approval", spend=spend.spend_id, digest=spend.digest, authenticated_at=datetime.now(UTC))
    assert (await internal.reservations._authority.submit(tenant, "user:ann", ask)).accepted
    assert (await internal.reserve(venture, uid=waiting["uid"]))["state"] == "reserved"
    other = await internal.reserve(venture)
    assert (await internal.end(other, "cancel"))["state"] == "cancelled"


async def test_open_reservations_are_listed_page_by_page_over_all_ventures(
    internal: Internal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parpour_api.internal.reservations.PAGE", 2)
    ventures = [await internal.bind() for _ in range(3)]
    open_ = [await internal.reserve(venture) for venture in ventures for _ in range(3)]
    closed = open_.pop()
    await internal.end(closed, "settle", {"workerSeconds": 5, "measured": True})
    found: list[str] = []
    query: dict[str, Any] = {}
    while True:
        page = await internal.call("GET", "/reservations", state="open", **query)
        found += [item["reservation"] for item in page["items"]]
        if "next" not in page:
            break
        query = {"after": page["next"]}
    assert len(found) == len(set(found))
    assert {one["reservation"] for one in open_} <= set(found)
    assert closed["reservation"] not in found


async def test_only_the_platform_learns_of_other_ventures(internal: Internal, place: Place) -> None:
    venture = await internal.bind()
    context = internal.ventures.context(UUID(venture["uid"]))
    session = await asyncpg.connect(place.dsn())
    for call in ("treasury.venture_of($1, $2)", "treasury.ventures($1, $2, 5)"):
        with pytest.raises(asyncpg.PostgresError, match="CONTEXT_REFUSED"):
            await session.fetch(f"select {call}", context, UUID(venture["namespaceUid"]))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await session.fetch("select * from treasury.namespace")
    await session.close()
    await internal.bind(uid=str(PLATFORM), status=400)


numbers = st.integers(0, 10**6)
rates = st.fractions(min_value=0, max_value=1000, max_denominator=3600)


@given(rates, rates, st.integers(1, 5000), st.integers(0, 600), st.integers(0, 700), st.integers(0, 10**9), numbers)
def test_what_a_deadline_allows_never_costs_more_than_what_was_reserved(
    rate: Fraction, closing_rate: Fraction, workers: int, grace: int, closing: int, amount: int, over: int
) -> None:
    terms = Terms("p", "USD", 10**12, workers, grace, rate, closing_rate, closing, 0)
    deadline = terms.deadline(amount)
    if deadline > 0:
        most = terms.charge(worker_seconds=workers * (deadline + grace), closing_seconds=closing)
        assert most <= amount or deadline == SECONDS_LIMIT == terms.deadline(most)
    if 0 < deadline < SECONDS_LIMIT:
        assert terms.cost(deadline) <= amount
    seconds = over % SECONDS_LIMIT
    assert terms.deadline(terms.cost(seconds)) >= seconds
    assert Terms.from_json(terms.to_json()) == terms


def test_prices_are_exact_fractions_of_minor_units() -> None:
    prices = PriceList.model_validate(
        {
            "version": "a",
            "prices": {"JPY": {"cpuHour": "5", "memoryGibHour": "0.1", "gpuHour": "300"}},
        }
    )
    asked = request(
        {"namespace": "a", "namespaceUid": str(uuid4())},
        budget={"amount": "1000", "currency": "JPY"},
        perWorker={"cpuMillis": 500, "memoryMib": 1536, "gpus": 2},
    )
    terms = price(ReservationRequest.model_validate(asked), prices)
    assert terms.rate == Fraction("602.65") / 3600
    assert prices.identity != PRICES.identity
