"""The decision against a second one that was written by other means, and the promises that hold for all decisions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parpour_treasury.refusals import REFUSALS, TreasuryError
from parpour_treasury.spending.deciding import Asked, Decision, Verdict, accounts_of, decide
from parpour_treasury.spending.explaining import explain
from parpour_treasury.spending.facts import Envelope, Facts, Member, Payee
from parpour_treasury.spending.rules import Allow, Reserve, RuleBook, Tier, Window, read_rules

pytestmark = pytest.mark.unit

T = TypeVar("T")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHOP, FIRM = UUID(int=1), UUID(int=2)
AMOUNTS = st.integers(0, 60)
CURRENCIES = st.sampled_from(["USD", "EUR"])
TIMES = st.integers(-2, 2).map(lambda hours: NOW + timedelta(hours=hours))
ROLES = ("owner", "treasurer", "approver", "agent", "auditor")
PEOPLE = st.sampled_from(["ann", "bob", "cat"])


def by_name(model: Callable[..., T]) -> Callable[..., T]:
    """A model's constructor without its signature, which Hypothesis would read aliases from."""
    return lambda **fields: model(**fields)


def subset(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=3, unique=True).map(tuple)


def optional(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...] | None]:
    return st.none() | subset(values)


ALLOWS = st.lists(
    st.builds(
        by_name(Allow),
        name=st.just("x"),
        currency=CURRENCIES,
        per_action=AMOUNTS,
        roles=optional(ROLES),
        actors=optional(("user:1", "agent:1")),
        envelopes=optional(("ads", "budget")),
        categories=optional(("ads", "compute")),
        payees=optional((str(SHOP), str(FIRM))),
    ),
    max_size=3,
).map(lambda rules: tuple(rule.model_copy(update={"name": f"r{place}"}) for place, rule in enumerate(rules)))
TIERS = st.lists(
    st.builds(
        by_name(Tier),
        currency=CURRENCIES,
        above=AMOUNTS,
        quorum=st.integers(1, 2),
        roles=st.lists(st.sampled_from(ROLES[:3]), min_size=1, unique=True).map(tuple),
    ),
    max_size=2,
).map(tuple)
WINDOWS = st.lists(
    st.builds(
        by_name(Window),
        name=st.just("x"),
        scope=st.sampled_from(["payee", "category", "agent", "venture"]),
        currency=CURRENCIES,
        seconds=st.sampled_from([60, 3600]),
        most_count=st.none() | st.integers(0, 4),
        most_total=AMOUNTS,
    ),
    max_size=3,
).map(lambda rules: tuple(rule.model_copy(update={"name": f"w{place}"}) for place, rule in enumerate(rules)))
RESERVES = st.lists(
    st.builds(
        by_name(Reserve),
        name=st.just("x"),
        account=st.sampled_from(["assets:bank:usd", "assets:other"]),
        amount=AMOUNTS,
    ),
    max_size=2,
).map(lambda rules: tuple(rule.model_copy(update={"name": f"k{place}"}) for place, rule in enumerate(rules)))
BOOKS = st.builds(
    by_name(RuleBook),
    allow=ALLOWS,
    tiers=TIERS,
    windows=WINDOWS,
    reserves=RESERVES,
    approval_window_seconds=st.just(7200),
)
MEMBERS = st.builds(
    Member,
    actor=st.sampled_from(["user:1", "user:2", "agent:1"]),
    person=st.none() | PEOPLE,
    roles=subset(ROLES),
    revoked=st.booleans(),
)
PAYEES = st.builds(
    Payee,
    payee=st.sampled_from([SHOP, FIRM]),
    category=st.sampled_from(["ads", "compute"]),
    provider=st.sampled_from(["stripe", "internal"]),
    fingerprint=st.sampled_from(["f1", "f2"]),
    usable_from=TIMES,
    held=st.booleans(),
    retired=st.booleans(),
)
ENVELOPES = st.builds(
    Envelope,
    envelope=st.just(UUID(int=7)),
    code=st.sampled_from(["ads", "budget"]),
    currency=CURRENCIES,
    cap=st.integers(0, 200),
    reserved=AMOUNTS,
    spent=AMOUNTS,
    opens_at=st.none() | TIMES,
    closes_at=st.none() | TIMES,
)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """A state of the venture, often one in which something is wrong."""
    accounts = ("assets:bank:usd", "assets:in-transit:usd", "expenses:compute:usd", "liabilities:platform:usd")
    return Facts(
        at=NOW,
        rules_version=draw(st.integers(1, 2)),
        frozen=draw(st.booleans()),
        stopped=draw(st.booleans()),
        member=draw(st.none() | MEMBERS),
        payee=draw(st.none() | PAYEES),
        envelopes=tuple(draw(st.lists(ENVELOPES, max_size=3))),
        available={code: draw(st.none() | AMOUNTS) for code in accounts if draw(st.integers(0, 9))},
        pace=draw(
            st.dictionaries(
                st.tuples(
                    st.sampled_from(["payee", "category", "agent", "venture"]), st.sampled_from([60, 3600, 7200])
                ),
                st.tuples(st.integers(0, 4), AMOUNTS),
            )
        ),
        approvers=tuple(draw(st.lists(MEMBERS, max_size=3))),
    )


def sound(draw: st.DrawFn) -> Facts:
    """A state in which nothing but limits can stand in the way."""
    given_ = draw(facts())
    return replace(
        given_,
        frozen=False,
        stopped=False,
        member=Member("agent:1", "ann", ("agent",)),
        payee=Payee(SHOP, "ads", "stripe", "f1", NOW),
        envelopes=(Envelope(UUID(int=7), "ads", "USD", draw(st.integers(0, 100)), 20, 20),),
        available={"assets:bank:usd": draw(AMOUNTS), "assets:in-transit:usd": None},
    )


ASKED = st.builds(
    Asked,
    currency=CURRENCIES,
    amount=st.integers(1, 60),
    standing=st.sampled_from([0, 0, 10]),
    bound=st.none() | st.tuples(st.none() | st.integers(1, 2), st.sampled_from(["f1", "f2"])),
)


def naive(book: RuleBook, state: Facts, asked: Asked) -> str:
    """The verdict alone: conditions that all have to hold, each written as it is told to a person."""
    who, payee, cur, amount = state.member, state.payee, asked.currency, asked.amount
    if who is None or payee is None or len(state.envelopes) == 0:
        return "refuse"
    allowed = False
    for rule in book.allow:
        selectors = [
            (rule.roles, list(who.roles)),
            (rule.actors, [who.actor]),
            (rule.envelopes, [state.envelopes[0].code]),
            (rule.categories, [payee.category]),
            (rule.payees, [str(payee.payee)]),
        ]
        fits = all(wanted is None or any(one in wanted for one in have) for wanted, have in selectors)
        if fits and rule.currency == cur and rule.per_action - asked.standing >= amount:
            allowed = True
    conditions = [
        allowed,
        not state.frozen,
        not state.stopped,
        not who.revoked,
        not payee.held,
        not payee.retired,
        not payee.usable_from > state.at,
        all(one.currency == cur for one in state.envelopes),
        all(one.cap - one.reserved - one.spent >= amount for one in state.envelopes),
        all(one.opens_at is None or one.opens_at <= state.at for one in state.envelopes),
        all(one.closes_at is None or state.at < one.closes_at for one in state.envelopes),
    ]
    if asked.bound is not None:
        version, mark = asked.bound
        conditions += [version in (None, state.rules_version), mark == payee.fingerprint]
    for window in book.windows:
        if window.currency == cur:
            count, total = state.pace.get((window.scope, window.seconds), (0, 0))
            conditions.append(window.most_count is None or count < window.most_count)
            conditions.append(window.most_total is None or total <= window.most_total - amount)
    if payee.provider == "internal":
        conditions += [f"expenses:compute:{cur.lower()}" in state.available]
        conditions += [f"liabilities:platform:{cur.lower()}" in state.available]
    else:
        bank = f"assets:bank:{cur.lower()}"
        conditions += [bank in state.available, f"assets:in-transit:{cur.lower()}" in state.available]
        free = state.available.get(bank)
        kept = 0
        for one in book.reserves:
            if one.account == bank:
                kept += one.amount
        conditions.append(kept == 0 if free is None else free - kept >= amount)
    if not all(conditions):
        return "refuse"
    total = amount + state.pace.get(("payee", book.approval_window_seconds), (0, 0))[1]
    for tier in book.tiers:
        if tier.currency == cur and total > tier.above:
            people = set()
            for who_approved in state.approvers:
                person_may = who_approved.actor[:5] == "user:" and not who_approved.revoked
                if (
                    person_may
                    and who_approved.person is not None
                    and who_approved.person != who.person
                    and who_approved.actor != who.actor
                    and set(who_approved.roles) & set(tier.roles)
                ):
                    people.add(who_approved.person)
            if len(people) < tier.quorum:
                return "await"
    return "reserve"


@given(book=BOOKS, state=facts() | st.composite(sound)(), asked=ASKED)
@example(
    book=RuleBook(allow=(Allow(name="a", currency="USD", per_action=10),)),
    state=Facts(
        at=NOW,
        rules_version=1,
        frozen=False,
        stopped=False,
        member=Member("agent:1", None, ("agent",)),
        payee=Payee(SHOP, "ads", "stripe", "f1", NOW),
        envelopes=(Envelope(UUID(int=7), "ads", "USD", 10, 0, 0),),
        available={"assets:bank:usd": 10, "assets:in-transit:usd": None},
        pace={},
    ),
    asked=Asked("USD", 10),
)
def test_the_decision_is_the_one_that_was_written_twice(book: RuleBook, state: Facts, asked: Asked) -> None:
    decision = decide(book, state, asked)
    assert decision.verdict == naive(book, state, asked)
    assert (decision.verdict is Verdict.REFUSE) == bool(decision.reasons)
    assert set(decision.codes) <= set(REFUSALS)


@given(book=BOOKS, state=facts() | st.composite(sound)(), asked=ASKED)
def test_a_decision_survives_being_recorded(book: RuleBook, state: Facts, asked: Asked) -> None:
    kept = json.loads(
        json.dumps({"f": state.to_json(), "a": asked.to_json(), "d": decide(book, state, asked).to_json()})
    )
    again = decide(read_rules(book.canonical()), Facts.from_json(kept["f"]), Asked.from_json(kept["a"]))
    assert again == Decision.from_json(kept["d"]) == decide(book, state, asked)


@given(book=BOOKS, state=facts() | st.composite(sound)(), asked=ASKED)
def test_software_is_told_codes_and_never_a_number(book: RuleBook, state: Facts, asked: Asked) -> None:
    decision = decide(book, state, asked)
    told = explain(decision, state)
    assert told.codes == decision.codes
    if state.member is None or state.member.revoked or not state.member.actor.startswith("user:"):
        assert (told.reasons, told.lines, told.quorum) == ((), (), None)
    else:
        assert len(told.lines) >= len(decision.reasons)


@given(state=facts(), asked=ASKED)
def test_without_rules_nothing_is_allowed(state: Facts, asked: Asked) -> None:
    assert decide(RuleBook(), state, asked).verdict is Verdict.REFUSE


@given(book=BOOKS, state=st.composite(sound)(), asked=ASKED, more=st.integers(1, 30))
def test_asking_for_more_never_helps(book: RuleBook, state: Facts, asked: Asked, more: int) -> None:
    order = [Verdict.RESERVE, Verdict.AWAIT, Verdict.REFUSE]
    before = decide(book, state, asked)
    after = decide(book, state, replace(asked, amount=asked.amount + more))
    assert order.index(after.verdict) >= order.index(before.verdict)


def test_accounts_differ_by_who_pays() -> None:
    assert accounts_of("stripe", "EUR") == ("assets:in-transit:eur", "assets:bank:eur")
    assert accounts_of("internal", "EUR") == ("expenses:compute:eur", "liabilities:platform:eur")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"allow":[{"name":"a","currency":"USD","perAction":1.5}]}', "allow.0.perAction"),
        ('{"allow":[{"name":"a","currency":"USD","perAction":-1}]}', "allow.0.perAction"),
        ('{"allow":[{"name":"a","currency":"XXX","perAction":1}]}', ""),
        ('{"allow":[{"name":"a","currency":"USD"}]}', "allow.0.perAction"),
        ('{"tiers":[{"currency":"USD","above":1,"quorum":0}]}', "tiers.0.quorum"),
        ('{"tiers":[{"currency":"USD","above":1,"quorum":1,"roles":["agent"]}]}', "tiers.0.roles.0"),
        ('{"windows":[{"name":"w","scope":"payee","currency":"USD","seconds":60}]}', ""),
        ('{"windowz":[]}', "windowz"),
        ("[", ""),
    ],
)
def test_rules_that_say_nothing_clear_are_refused(text: str, field: str) -> None:
    with pytest.raises(TreasuryError, match="TREASURY_RULES_MALFORMED") as caught:
        read_rules(text)
    assert caught.value.field == field
