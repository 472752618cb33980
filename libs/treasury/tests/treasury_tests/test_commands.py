"""Commands refuse what no books could take, and their digest covers everything that was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from parpour_treasury.commands import BALANCE_MAX, Command, Hold, Leg, Post, Reverse, Settle, Void, digest
from parpour_treasury.refusals import TreasuryError

pytestmark = pytest.mark.unit

AT = datetime(2026, 1, 2, tzinfo=UTC)
LEGS = (Leg(1, 5, "USD"), Leg(2, -5, "USD"))
WEST = timezone(-timedelta(hours=5))
ONE, TWO = UUID(int=1), UUID(int=2)

COMMANDS: tuple[Command, ...] = (
    Post(key="k", correlation=ONE, legs=LEGS, description="d", effective_at=AT),
    Hold(key="k", correlation=ONE, hold=ONE, legs=LEGS, description="d", expires_at=AT),
    Settle(key="k", correlation=ONE, hold=ONE, amounts=(5, -5), release=True, description="d", effective_at=AT),
    Void(key="k", correlation=ONE, hold=ONE),
    Reverse(key="k", correlation=ONE, journal=1, description="d", effective_at=AT),
)
OTHERS: dict[str, tuple[Any, ...]] = {
    "key": ("l",),
    "correlation": (TWO,),
    "legs": (
        (Leg(1, 5, "EUR"), Leg(2, -5, "EUR")),
        (Leg(2, 5, "USD"), Leg(1, -5, "USD")),
        (Leg(1, 5, "USD"), Leg(2, -2, "USD"), Leg(2, -3, "USD")),
    ),
    "description": ("", "e", "d "),
    "effective_at": (None, AT.replace(microsecond=1)),
    "expires_at": (None, AT.replace(microsecond=1), *(AT.replace(year=9000, microsecond=n) for n in range(3))),
    "hold": (TWO,),
    "amounts": (None, (4, -4)),
    "release": (False,),
    "journal": (2,),
}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_a_digest_covers_every_field(command: Command) -> None:
    fields = [name for name in OTHERS if hasattr(command, name)]
    assert sorted(fields) == sorted(command.__slots__)
    variants = [replace(command, **{name: value}) for name in fields for value in OTHERS[name]]
    digests = {digest(one, actor="a") for one in (command, *variants)} | {digest(command, actor="b")}
    assert len(digests) == len(variants) + 2
    assert digest(command, actor="a") == digest(replace(command), actor="a")


def test_commands_of_different_kinds_have_different_digests() -> None:
    assert len({digest(command, actor="a") for command in COMMANDS}) == len(COMMANDS)


def test_a_digest_does_not_depend_on_how_a_time_is_written() -> None:
    posted = Post(key="k", correlation=ONE, legs=LEGS, effective_at=AT)
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    assert digest(replace(posted, effective_at=elsewhere), actor="a") == digest(posted, actor="a")


def post(**fields: Any) -> Callable[[], Command]:
    return lambda: Post(**{"key": "k", "correlation": ONE, "legs": LEGS, **fields})


@pytest.mark.parametrize(
    ("make", "code", "field"),
    [
        (post(key=""), "TREASURY_COMMAND_MALFORMED", "key"),
        (post(key="k" * 201), "TREASURY_COMMAND_MALFORMED", "key"),
        (post(key="a\0b"), "TREASURY_COMMAND_MALFORMED", "key"),
        (post(description="a\0b"), "TREASURY_COMMAND_MALFORMED", "description"),
        (post(description="\ud800"), "TREASURY_COMMAND_MALFORMED", "description"),
        (post(description="d" * 1001), "TREASURY_COMMAND_MALFORMED", "description"),
        (post(effective_at=datetime(2026, 1, 1)), "TREASURY_COMMAND_MALFORMED", "effectiveAt"),
        (post(effective_at=datetime.min.replace(tzinfo=UTC)), "TREASURY_COMMAND_MALFORMED", "effectiveAt"),
        (post(effective_at=datetime(1899, 12, 31, tzinfo=UTC)), "TREASURY_COMMAND_MALFORMED", "effectiveAt"),
        (post(effective_at=datetime.max.replace(tzinfo=WEST)), "TREASURY_COMMAND_MALFORMED", "effectiveAt"),
        (post(legs=()), "TREASURY_JOURNAL_EMPTY", "legs"),
        (post(legs=LEGS * 300), "TREASURY_COMMAND_MALFORMED", "legs"),
        (post(legs=LEGS[:1]), "TREASURY_JOURNAL_UNBALANCED", "legs"),
        (post(legs=(Leg(1, 5, "USD"), Leg(2, -5, "EUR"))), "TREASURY_JOURNAL_UNBALANCED", "legs"),
        (post(legs=(*LEGS, Leg(1, 0, "USD"))), "AMOUNT_MALFORMED", "legs[2].amount"),
        (post(legs=(Leg(1, 1.5, "USD"), Leg(2, -1.5, "USD"))), "AMOUNT_MALFORMED", "legs[0].amount"),  # type: ignore[arg-type]
        (post(legs=(Leg(1, 2**62, "USD"), Leg(2, -(2**62), "USD"))), "TREASURY_BALANCE_OVERFLOW", "legs[0].amount"),
        (post(legs=(Leg(2**70, 5, "USD"), Leg(2, -5, "USD"))), "TREASURY_ACCOUNT_UNKNOWN", "legs[0].account"),
        (lambda: Settle(key="k", correlation=ONE, hold=ONE, amounts=()), "TREASURY_JOURNAL_EMPTY", "amounts"),
        (
            lambda: Settle(key="k", correlation=ONE, hold=ONE, amounts=(BALANCE_MAX + 1,)),
            "TREASURY_BALANCE_OVERFLOW",
            "amounts[0]",
        ),
        (lambda: Settle(key="k", correlation=ONE, hold=ONE, amounts=(5, -5.0)), "AMOUNT_MALFORMED", "amounts[1]"),  # type: ignore[arg-type]
        (lambda: Reverse(key="k", correlation=ONE, journal=0), "TREASURY_JOURNAL_UNKNOWN", "journal"),
    ],
)
def test_what_no_books_could_take_is_refused_with_code_and_field(
    make: Callable[[], Command], code: str, field: str
) -> None:
    with pytest.raises(TreasuryError) as caught:
        make()
    assert (caught.value.code, caught.value.field) == (code, field)
