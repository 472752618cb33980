"""Which entry of the bank belongs to which movement of the books. Pure, and the same for the same input in any order.

Rules go from certain to likely: references, then amount with day and counterparty, then sums. None scores: a rule
either leaves exactly one possibility or makes no match, and what could be one of several is an exception for a person.
Each match and each exception says which fields were compared, and which candidates were rejected and why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol
from uuid import UUID

WINDOW_DAYS = 5
"""Days that a movement and its entry may lie apart: a transfer takes up to two, and a weekend with a holiday three."""

PATIENCE_DAYS = 7
"""Days after which a movement that the bank does not have is no longer taken to be on its way."""

SUM_CANDIDATES_MAX = 14
"""Candidates of a sum on one day. All 2^14 subsets are looked at, or none: a search that ends early is a guess."""

REJECTED_MAX = 20
"""Rejected candidates that an explanation names."""

FEE_CODES = ("CHRG", "COMM", "FEES", "fee", "stripe_fee")
"""Parts of a bank's code that say fee: subfamilies of ISO 20022's external code set, and providers' own."""


@dataclass(frozen=True, slots=True)
class BankEntry:
    """An entry of a statement; `key` is (statement's number, position)."""

    key: tuple[int, int]
    amount: int
    on: date
    references: frozenset[str]
    counterparty: str = ""
    code: str = ""
    reversal: bool = False


@dataclass(frozen=True, slots=True)
class Movement:
    """A leg of the books on the bank's account; `key` is (journal, position)."""

    key: tuple[int, int]
    amount: int
    on: date
    correlation: UUID
    references: frozenset[str] = frozenset()
    """The provider's references of the spend, beside those of `correlation_references`."""
    counterparty: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """Entries and movements that are the same money."""

    rule: str
    entries: tuple[tuple[int, int], ...]
    movements: tuple[tuple[int, int], ...]
    explanation: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Exceptional:
    """An entry or a movement that a person must look at."""

    kind: str
    """One of `states.KINDS`."""
    explanation: Mapping[str, Any]
    entry: tuple[int, int] | None = None
    movement: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was found."""

    matches: tuple[Match, ...]
    exceptions: tuple[Exceptional, ...]
    in_transit: tuple[tuple[int, int], ...]
    """Movements that the bank does not have yet, and need not."""


class Side(Protocol):
    """What entries and movements have in common."""

    @property
    def key(self) -> tuple[int, int]:
        """Its identity."""

    @property
    def amount(self) -> int:
        """Minor units; positive came in."""

    @property
    def on(self) -> date:
        """Its day."""

    @property
    def counterparty(self) -> str:
        """The other side's name; empty if unknown."""


def correlation_references(correlation: UUID) -> frozenset[str]:
    """How a spend's id may stand in a payment: with dashes, or without where only 35 characters fit (ISO 20022)."""
    return frozenset({str(correlation), correlation.hex})


def name_of(text: str) -> str:
    """A counterparty's name as it is compared: case and space do not count, everything else does."""
    return " ".join(text.casefold().split())


def references_of(movement: Movement) -> frozenset[str]:
    """Every reference under which the bank may know a movement."""
    return movement.references | correlation_references(movement.correlation)


@dataclass
class _Pool:
    """What is left to match, and what was found so far."""

    entries: dict[tuple[int, int], BankEntry]
    movements: dict[tuple[int, int], Movement]
    window: timedelta
    matches: list[Match] = field(default_factory=list)
    exceptions: dict[tuple[int, int], Exceptional] = field(default_factory=dict)
    notes: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    """Why an entry has no match so far."""

    def match(
        self, rule: str, entries: Sequence[BankEntry], movements: Sequence[Movement], explanation: Mapping[str, Any]
    ) -> None:
        self.matches.append(
            Match(
                rule,
                tuple(sorted(one.key for one in entries)),
                tuple(sorted(one.key for one in movements)),
                {"rule": rule, **explanation},
            )
        )
        for entry in entries:
            del self.entries[entry.key]
        for movement in movements:
            del self.movements[movement.key]

    def near(self, one: Side, other: Side) -> bool:
        return abs(one.on - other.on) <= self.window


def reconcile(
    entries: Iterable[BankEntry],
    movements: Iterable[Movement],
    *,
    today: date,
    matched_entries: Iterable[BankEntry] = (),
    matched_movements: Iterable[Movement] = (),
    window_days: int = WINDOW_DAYS,
    patience_days: int = PATIENCE_DAYS,
) -> Reconciliation:
    """Match what is open of both sides. What was matched before only tells duplicates and returns.

    Args:
        entries: those of the bank without a match.
        movements: those of the books without one.
        today: the last day that the statements cover; a movement is late by it.
        matched_entries: entries that have a match.
        matched_movements: movements that have one.
        window_days: how far apart the two may lie where no reference tells.
        patience_days: how long a movement may be on its way.
    """
    pool = _Pool(
        {one.key: one for one in sorted(entries, key=lambda one: one.key)},
        {one.key: one for one in sorted(movements, key=lambda one: one.key)},
        timedelta(days=window_days),
    )
    given_entries, given_movements = dict(pool.entries), dict(pool.movements)
    gone = tuple(sorted(matched_movements, key=lambda one: one.key))
    seen = tuple(sorted(matched_entries, key=lambda one: one.key))
    _by_reference(pool)
    _by_amount_day_and_counterparty(pool)
    _by_sums(pool)
    seen += tuple(given_entries[key] for one in pool.matches for key in one.entries)
    gone += tuple(given_movements[key] for one in pool.matches for key in one.movements)
    _name_what_is_left(pool, seen, gone)
    late = timedelta(days=patience_days)
    in_transit = []
    exceptions = [pool.exceptions[key] for key in sorted(pool.exceptions)]
    for movement in pool.movements.values():
        if today - movement.on < late:
            in_transit.append(movement.key)
        else:
            explanation = {"days": (today - movement.on).days, "patienceDays": patience_days, "on": str(movement.on)}
            exceptions.append(Exceptional("unmatched-movement", explanation, movement=movement.key))
    return Reconciliation(tuple(pool.matches), tuple(exceptions), tuple(in_transit))


def _by_reference(pool: _Pool) -> None:
    """Rules `reference` and `reference-sum`: what shares a reference, and nothing else does, is the same money.

    Groups are the connected parts of the graph of shared references, so no order of looking decides between them.
    """
    for entries, movements in _connected(pool):
        shared = sorted(
            frozenset().union(*(one.references for one in entries)) & frozenset().union(*map(references_of, movements))
        )
        explanation: dict[str, Any] = {"references": shared, "compared": ["references", "amount"]}
        left_entries, left_movements = sorted(entries, key=lambda one: (one.on, one.key)), list(movements)
        for entry in tuple(left_entries):
            # Pairs of equal amounts first, where there is no choice of movement. Of several such entries the first is
            # the payment, and the others are it again.
            alike = [
                one for one in left_movements if one.amount == entry.amount and entry.references & references_of(one)
            ]
            if len(alike) == 1:
                rejected = [_rejected(one, "another amount") for one in left_movements if one is not alike[0]]
                pool.match("reference", [entry], alike, {**explanation, "rejected": rejected[:REJECTED_MAX]})
                left_entries.remove(entry)
                left_movements.remove(alike[0])
        if not left_entries or not left_movements:
            continue
        alone = len(left_entries) == 1 or len(left_movements) == 1
        amounts = sorted(one.amount for one in left_entries), sorted(one.amount for one in left_movements)
        if amounts[0] == amounts[1] or (alone and sum(amounts[0]) == sum(amounts[1])):
            pool.match("reference-sum", left_entries, left_movements, {**explanation, "sum": sum(amounts[0])})
            continue
        for entry in left_entries:
            same = [one for one in left_movements if one.amount == entry.amount]
            opposite = [one for one in left_movements if one.amount == -entry.amount]
            if opposite and not same:
                continue
            kind = "ambiguous" if same else "amount-differs"
            found = [{**_described(one), "amount": one.amount} for one in left_movements]
            pool.exceptions[entry.key] = Exceptional(
                kind, {**explanation, "amount": entry.amount, "movements": found[:REJECTED_MAX]}, entry=entry.key
            )


def _connected(pool: _Pool) -> list[tuple[list[BankEntry], list[Movement]]]:
    """Entries and movements that references hold together, each group with something on both sides."""
    by_reference: defaultdict[str, list[Movement]] = defaultdict(list)
    of_entry: defaultdict[str, list[BankEntry]] = defaultdict(list)
    for movement in pool.movements.values():
        for reference in references_of(movement):
            by_reference[reference].append(movement)
    for entry in pool.entries.values():
        for reference in entry.references:
            if reference in by_reference:
                of_entry[reference].append(entry)
    groups = []
    done: set[tuple[int, int]] = set()
    for first in pool.entries.values():
        if first.key in done or not any(reference in of_entry for reference in first.references):
            continue
        entries: dict[tuple[int, int], BankEntry] = {}
        movements: dict[tuple[int, int], Movement] = {}
        ahead = [first]
        while ahead:
            entry = ahead.pop()
            if entry.key in entries:
                continue
            entries[entry.key] = entry
            for movement in (one for reference in entry.references for one in by_reference.get(reference, ())):
                if movement.key not in movements:
                    movements[movement.key] = movement
                    ahead += [other for reference in references_of(movement) for other in of_entry.get(reference, ())]
        done |= set(entries)
        groups.append(([entries[key] for key in sorted(entries)], [movements[key] for key in sorted(movements)]))
    return groups


def _by_amount_day_and_counterparty(pool: _Pool) -> None:
    """Rule `amount-date-counterparty`: one entry and one movement of the amount, near each other, of the same name."""
    by_amount: defaultdict[int, list[Movement]] = defaultdict(list)
    for movement in pool.movements.values():
        by_amount[movement.amount].append(movement)
    fitting = {
        entry.key: [one for one in by_amount[entry.amount] if not _why_not(pool, entry, one)] for entry in _open(pool)
    }
    claims: defaultdict[tuple[int, int], int] = defaultdict(int)
    for found in fitting.values():
        for movement in found:
            claims[movement.key] += 1
    for key, found in fitting.items():
        entry = pool.entries[key]
        rejected = [
            _rejected(one, _why_not(pool, entry, one) or "fits too")
            for one in by_amount[entry.amount]
            if one not in found[:1]
        ]
        explanation = {
            "compared": ["amount", "day", "counterparty"],
            "windowDays": pool.window.days,
            "rejected": rejected[:REJECTED_MAX],
        }
        if len(found) == 1 and claims[found[0].key] == 1:
            days = abs((entry.on - found[0].on).days)
            pool.match("amount-date-counterparty", [entry], found, {**explanation, "days": days})
        elif found:
            candidates = [_described(one) for one in found[:REJECTED_MAX]]
            pool.exceptions[key] = Exceptional("ambiguous", {**explanation, "candidates": candidates}, entry=key)
        else:
            pool.notes[key] = explanation


def _why_not(pool: _Pool, entry: BankEntry, movement: Movement) -> str:
    """Why a movement of the entry's amount is not the entry's by day and counterparty; empty if it may be."""
    if not pool.near(entry, movement):
        return "too many days apart"
    if not entry.counterparty or not movement.counterparty:
        return "the counterparty is not known on both sides"
    if name_of(entry.counterparty) != name_of(movement.counterparty):
        return "another counterparty"
    return ""


def _by_sums(pool: _Pool) -> None:
    """Rules `one-to-many` and `many-to-one`: several of one side come to one of the other, in exactly one way.

    Parts are of one day and of the direction of the whole, near it, and of its counterparty where both sides know that.
    Two sums that want the same part are ambiguous, both of them.
    """
    _sums(pool, "one-to-many", _open(pool), list(pool.movements.values()), pool.match)
    _sums(
        pool,
        "many-to-one",
        list(pool.movements.values()),
        _open(pool),
        lambda rule, movements, entries, explanation: pool.match(rule, entries, movements, explanation),
    )


def _sums(
    pool: _Pool,
    rule: str,
    wholes: Sequence[Any],
    parts: Sequence[Any],
    match: Callable[[str, list[Any], list[Any], Mapping[str, Any]], None],
) -> None:
    of_day: defaultdict[tuple[date, bool], list[Any]] = defaultdict(list)
    for part in parts:
        of_day[part.on, part.amount > 0].append(part)
    found: dict[tuple[int, int], list[tuple[Any, ...]]] = {}
    for whole in wholes:
        subsets: list[tuple[Any, ...]] = []
        for days in range(-pool.window.days, pool.window.days + 1):
            there = of_day.get((whole.on + timedelta(days=days), whole.amount > 0), ())
            candidates = [one for one in there if _may_be_part(whole, one)]
            if len(candidates) > SUM_CANDIDATES_MAX:
                if rule == "one-to-many":
                    pool.notes.setdefault(whole.key, {})["sums"] = f"{len(candidates)} candidates: not tried"
                subsets = []
                break
            subsets += subsets_of_sum(candidates, whole.amount)
        if subsets:
            found[whole.key] = subsets
    claims: defaultdict[tuple[int, int], set[tuple[int, int]]] = defaultdict(set)
    for key, subsets in found.items():
        for part in (one for subset in subsets for one in subset):
            claims[part.key].add(key)
    for whole in wholes:
        subsets = found.get(whole.key, [])
        if not subsets:
            continue
        contested = any(len(claims[part.key]) > 1 for subset in subsets for part in subset)
        explanation = {"compared": ["sum", "day", "direction", "counterparty"], "windowDays": pool.window.days}
        if len(subsets) == 1 and not contested:
            match(rule, [whole], list(subsets[0]), {**explanation, "parts": [one.amount for one in subsets[0]]})
        elif rule == "one-to-many":
            ways = [[_described(one) for one in subset] for subset in subsets[:REJECTED_MAX]]
            pool.exceptions[whole.key] = Exceptional("ambiguous", {**explanation, "ways": ways}, entry=whole.key)
        else:
            for part in {one.key: one for subset in subsets for one in subset}.values():
                pool.exceptions.setdefault(
                    part.key, Exceptional("ambiguous", {**explanation, "partOf": _described(whole)}, entry=part.key)
                )


def _may_be_part(whole: Side, part: Side) -> bool:
    names = (name_of(whole.counterparty), name_of(part.counterparty))
    return abs(part.amount) < abs(whole.amount) and (not all(names) or names[0] == names[1])


def subsets_of_sum(candidates: Sequence[Any], total: int) -> Iterable[tuple[Any, ...]]:
    """Every subset of two or more, all of one sign, that comes to a sum; at most 2^14 are looked at."""
    ordered = sorted(candidates, key=lambda one: (-abs(one.amount), one.key))
    rest = [0] * (len(ordered) + 1)
    for place in range(len(ordered) - 1, -1, -1):
        rest[place] = rest[place + 1] + ordered[place].amount

    def search(place: int, missing: int, chosen: tuple[Any, ...]) -> Iterable[tuple[Any, ...]]:
        if missing == 0:
            if len(chosen) > 1:
                yield chosen
            return
        if place == len(ordered) or abs(rest[place]) < abs(missing):
            return
        one = ordered[place]
        if abs(one.amount) <= abs(missing):
            yield from search(place + 1, missing - one.amount, (*chosen, one))
        yield from search(place + 1, missing, chosen)

    return search(0, total, ())


def _name_what_is_left(pool: _Pool, seen: Sequence[BankEntry], gone: Sequence[Movement]) -> None:
    """Say of each entry without a match what it is, as far as references and the bank's code tell."""
    before: defaultdict[str, list[BankEntry]] = defaultdict(list)
    for one in seen:
        for reference in one.references:
            before[reference].append(one)
    known: defaultdict[str, list[Movement]] = defaultdict(list)
    for movement in (*gone, *pool.movements.values()):
        for reference in references_of(movement):
            known[reference].append(movement)
    for entry in pool.entries.values():
        again = _distinct(
            one for reference in entry.references for one in before[reference] if one.amount == entry.amount
        )
        # A sign that says money came back, and the payment that it took back.
        back = _distinct(
            one for reference in entry.references for one in known[reference] if one.amount == -entry.amount
        )
        if entry.key in pool.exceptions and not back:
            continue
        noted = pool.notes.get(entry.key, {})
        if back:
            found = {"compared": ["references", "opposite amount"], "movements": [_described(one) for one in back]}
            kind = "returned"
        elif again:
            found = {"compared": ["references", "amount"], "entries": [_described(one) for one in again]}
            kind = "duplicate"
        elif entry.reversal:
            kind, found = "returned", {**noted, "compared": ["reversal indicator"]}
        elif entry.amount < 0 and is_fee(entry.code):
            kind, found = "fee", {**noted, "compared": ["code"], "code": entry.code}
        else:
            kind, found = "unmatched-entry", noted
        pool.exceptions[entry.key] = Exceptional(kind, {**found, "amount": entry.amount}, entry=entry.key)


def is_fee(code: str) -> bool:
    """Whether a bank's code says that an entry is a fee."""
    return any(part in FEE_CODES for part in code.split("/"))


def _open(pool: _Pool) -> list[BankEntry]:
    return [one for one in pool.entries.values() if one.key not in pool.exceptions]


def _distinct(sides: Iterable[Any]) -> list[Any]:
    return [one for _, one in sorted({one.key: one for one in sides}.items())]


def _described(one: Side) -> dict[str, Any]:
    return {"key": list(one.key), "amount": one.amount, "on": one.on.isoformat()}


def _rejected(one: Side, why: str) -> dict[str, Any]:
    return {**_described(one), "why": why}
