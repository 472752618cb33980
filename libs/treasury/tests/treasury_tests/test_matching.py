"""What belongs together, and that nothing is guessed."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parpour_treasury.reconciliation.matching import (
    SUM_CANDIDATES_MAX,
    BankEntry,
    Movement,
    Reconciliation,
    reconcile,
    subsets_of_sum,
)
from parpour_treasury.reconciliation.states import KINDS

pytestmark = pytest.mark.unit
DAY = date(2026, 3, 10)
TODAY = DAY + timedelta(days=2)


def entry(
    number: int, amount: int, *references: str, days: int = 0, name: str = "", code: str = "", reversal: bool = False
) -> BankEntry:
    return BankEntry((1, number), amount, DAY + timedelta(days=days), frozenset(references), name, code, reversal)


def movement(number: int, amount: int, *references: str, days: int = 0, name: str = "") -> Movement:
    return Movement((number, 1), amount, DAY + timedelta(days=days), UUID(int=number), frozenset(references), name)


def found(
    entries: list[BankEntry], movements: list[Movement], **more: list[object]
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    result = reconcile(entries, movements, today=TODAY, **more)  # type: ignore[arg-type]
    return (
        [(one.rule, [key[1] for key in one.entries], [key[0] for key in one.movements]) for one in result.matches],
        [
            (one.kind, one.entry[1] if one.entry else None, one.movement[0] if one.movement else None)
            for one in result.exceptions
        ],
    )


def test_a_reference_in_common_and_the_same_amount_is_a_match() -> None:
    for reference in ("po_1", str(UUID(int=1)), UUID(int=1).hex):
        assert found([entry(1, -500, reference, days=40)], [movement(1, -500, "po_1")]) == (
            [("reference", [1], [1])],
            [],
        )


def test_a_reference_in_common_and_another_amount_is_no_match_by_any_other_rule() -> None:
    assert found(
        [entry(1, -501, "po_1", name="x")], [movement(1, -500, "po_1", name="x"), movement(2, -501, name="x")]
    ) == (
        [],
        [("amount-differs", 1, None)],
    )


def test_a_booking_of_several_payments_under_one_reference_is_their_sum() -> None:
    movements = [movement(1, -100, "batch-7"), movement(2, -150, "batch-7")]
    assert found([entry(1, -250, "batch-7")], movements) == ([("reference-sum", [1], [1, 2])], [])


def test_a_payment_in_parts_under_one_reference_is_their_sum() -> None:
    assert found([entry(1, -100, "r"), entry(2, -150, "r")], [movement(1, -250, "r")]) == (
        [("reference-sum", [1, 2], [1])],
        [],
    )


def test_what_the_bank_moved_twice_is_once_a_payment_and_once_a_duplicate() -> None:
    assert found([entry(1, -500, "po_1"), entry(2, -500, "po_1", days=1)], [movement(1, -500, "po_1")]) == (
        [("reference", [1], [1])],
        [("duplicate", 2, None)],
    )
    earlier = entry(9, -500, "po_1", days=-9)
    assert found([entry(1, -500, "po_1")], [], matched_entries=[earlier]) == ([], [("duplicate", 1, None)])


def test_money_that_comes_back_is_a_return_and_never_the_payments_match() -> None:
    assert found([entry(1, 500, "po_1")], [], matched_movements=[movement(1, -500, "po_1", days=-9)]) == (
        [],
        [("returned", 1, None)],
    )
    assert found([entry(1, -500, "po_1"), entry(2, 500, "po_1")], [movement(1, -500, "po_1")]) == (
        [("reference", [1], [1])],
        [("returned", 2, None)],
    )
    assert found([entry(1, 500, reversal=True)], []) == ([], [("returned", 1, None)])


def test_amount_day_and_counterparty_match_only_together() -> None:
    ours = movement(1, -500, name="Acme  GmbH")
    assert found([entry(1, -500, name="ACME gmbh", days=5)], [ours])[0] == [("amount-date-counterparty", [1], [1])]
    for other in (
        entry(1, -500, name="Acme", days=0),
        entry(1, -500, name="Acme GmbH", days=6),
        entry(1, -499, name="Acme GmbH"),
        entry(1, 500, name="Acme GmbH"),
        entry(1, -500),
    ):
        assert found([other], [ours]) == ([], [("unmatched-entry", 1, None)]), other


def test_one_of_several_is_not_guessed() -> None:
    same = [movement(1, -500, name="a"), movement(2, -500, name="a")]
    assert found([entry(1, -500, name="a")], same) == ([], [("ambiguous", 1, None)])
    both = [entry(1, -500, name="a"), entry(2, -500, name="a")]
    assert found(both, same[:1]) == ([], [("ambiguous", 1, None), ("ambiguous", 2, None)])


def test_a_match_says_which_candidates_it_rejected_and_why() -> None:
    movements = [
        movement(1, -500, name="a"),
        movement(2, -500, name="b"),
        movement(3, -500, name="a", days=-6),
        movement(4, -500),
    ]
    (match,) = reconcile([entry(1, -500, name="a")], movements, today=TODAY).matches
    assert match.explanation["compared"] == ["amount", "day", "counterparty"]
    assert [(one["key"], one["why"]) for one in match.explanation["rejected"]] == [
        ([2, 1], "another counterparty"),
        ([3, 1], "too many days apart"),
        ([4, 1], "the counterparty is not known on both sides"),
    ]


def test_a_sum_matches_if_there_is_exactly_one() -> None:
    parts = [movement(1, -100), movement(2, -150), movement(3, -70)]
    assert found([entry(1, -250)], parts) == ([("one-to-many", [1], [1, 2])], [])
    assert found([entry(1, -250)], [*parts, movement(4, -180)]) == ([], [("ambiguous", 1, None)])
    assert found([entry(1, -250), entry(2, -170)], parts) == ([], [("ambiguous", 1, None), ("ambiguous", 2, None)])
    assert found([entry(1, -100), entry(2, -150)], [movement(1, -250)]) == ([("many-to-one", [1, 2], [1])], [])


def test_the_parts_of_a_sum_are_of_one_day() -> None:
    assert found([entry(1, -250)], [movement(1, -100, days=-1), movement(2, -150, days=-2)]) == (
        [],
        [("unmatched-entry", 1, None)],
    )


def test_a_sum_of_too_many_candidates_is_not_tried_and_says_so() -> None:
    parts = [movement(number, -(2**number)) for number in range(1, SUM_CANDIDATES_MAX + 2)]
    (one,) = reconcile([entry(1, -(2 ** (SUM_CANDIDATES_MAX + 1) + 2))], parts, today=TODAY).exceptions
    assert (one.kind, one.explanation["sums"]) == ("unmatched-entry", "15 candidates: not tried")


@pytest.mark.parametrize("code", ["PMNT/MCRD/CHRG", "PMNT/ICDT/COMM", "fee", "stripe_fee"])
def test_a_fee_is_known_by_the_banks_code(code: str) -> None:
    """CHRG and COMM are subfamilies of ISO 20022's external code set of bank transactions."""
    assert found([entry(1, -30, code=code)], []) == ([], [("fee", 1, None)])
    assert found([entry(1, 30, code=code)], []) == ([], [("unmatched-entry", 1, None)])


def test_a_movement_is_on_its_way_until_patience_ends() -> None:
    result = reconcile([], [movement(1, -1, days=-4), movement(2, -1, days=-5)], today=TODAY, patience_days=7)
    assert result.in_transit == ((1, 1),)
    assert [(one.kind, one.movement) for one in result.exceptions] == [("unmatched-movement", (2, 1))]


_AMOUNTS = st.sampled_from([-300, -200, -150, -100, -50, 50, 100, 300])
_WORDS = st.frozensets(st.sampled_from(["r1", "r2", "r3"]), max_size=1)
_NAMES = st.sampled_from(["", "a", "A ", "b"])
_ENTRIES = st.builds(
    lambda amount, words, name, days, code, reversal: (amount, words, name, days, code, reversal),
    _AMOUNTS, _WORDS, _NAMES, st.integers(-9, 2), st.sampled_from(["", "fee"]), st.booleans(),
)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(
    st.lists(_ENTRIES, max_size=6),
    st.lists(st.tuples(_AMOUNTS, _WORDS, _NAMES, st.integers(-9, 2)), max_size=7),
    st.randoms(use_true_random=False),
)
def test_whatever_there_is_each_thing_ends_in_one_place_and_in_no_order_of_its_own(
    theirs: list[tuple[int, frozenset[str], str, int, str, bool]],
    ours: list[tuple[int, frozenset[str], str, int]],
    shuffle: random.Random,
) -> None:
    entries = [
        BankEntry((1, n), amount, DAY + timedelta(days=days), words, name, code, reversal)
        for n, (amount, words, name, days, code, reversal) in enumerate(theirs, 1)
    ]
    movements = [
        Movement((n, 1), amount, DAY + timedelta(days=days), UUID(int=n), words, name)
        for n, (amount, words, name, days) in enumerate(ours, 1)
    ]
    result = reconcile(entries, movements, today=TODAY)
    check_places(entries, movements, result)
    shuffle.shuffle(entries)
    shuffle.shuffle(movements)
    again = reconcile(entries, movements, today=TODAY)
    assert again == result


def check_places(entries: list[BankEntry], movements: list[Movement], result: Reconciliation) -> None:
    amounts = {one.key: one.amount for one in movements}
    theirs = {one.key: one.amount for one in entries}
    for match in result.matches:
        assert sum(theirs[key] for key in match.entries) == sum(amounts[key] for key in match.movements)
        assert match.explanation["rule"] == match.rule
    ended_entries = Counter(key for match in result.matches for key in match.entries)
    ended_entries.update(one.entry for one in result.exceptions if one.entry)
    ended_movements = Counter(key for match in result.matches for key in match.movements)
    ended_movements.update(one.movement for one in result.exceptions if one.movement)
    ended_movements.update(result.in_transit)
    assert ended_entries == Counter(dict.fromkeys(theirs, 1))
    assert ended_movements == Counter(dict.fromkeys(amounts, 1))
    assert {one.kind for one in result.exceptions} <= set(KINDS)


@given(st.lists(st.integers(1, 30), max_size=9), st.integers(1, 90), st.sampled_from([1, -1]))
def test_the_search_finds_every_sum(values: list[int], total: int, sign: int) -> None:
    """Against every subset, by brute force."""
    parts = [movement(number, sign * value) for number, value in enumerate(values, 1)]
    ways = set()
    for mask in range(2 ** len(parts)):
        chosen = [one for place, one in enumerate(parts) if mask >> place & 1]
        if len(chosen) > 1 and sum(one.amount for one in chosen) == sign * total:
            ways.add(frozenset(one.key for one in chosen))
    assert {frozenset(one.key for one in way) for way in subsets_of_sum(parts, sign * total)} == ways


def test_a_busy_month_takes_seconds() -> None:
    """Ten thousand of each: work grows with what is near in amount or day, not with all pairs."""
    draw = random.Random(7)
    days = [draw.randint(-25, 0) for _ in range(10_000)]
    movements = [
        movement(n, -draw.randint(1, 10**7), f"po_{n}", days=day, name=f"n{n % 50}") for n, day in enumerate(days)
    ]
    entries = [
        entry(n, one.amount, *([f"po_{n}"] if n % 3 else []), days=days[n], name=f"N{n % 50}")
        for n, one in enumerate(movements)
    ]
    began = time.process_time()
    result = reconcile(entries, movements, today=TODAY)
    assert time.process_time() - began < 15
    assert len(result.matches) > 9_900
