"""A batch of commands as arrays for one call of treasury.execute, and its answers as outcomes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Self
from uuid import UUID

from parpour_treasury.commands import OPERATIONS, Command, Hold, Post, Reverse, Settle, Void, digest, touches
from parpour_treasury.refusals import TreasuryError

COLUMNS = 15
"""Parameters of treasury.execute after the context."""

EXECUTE = f"select * from treasury.execute({', '.join(f'${place}' for place in range(1, COLUMNS + 2))})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Request:
    """A command, who asks, and what goes to the database of it; made while the batch before is in flight."""

    command: Command
    digest: bytes
    """Of the command and its actor."""
    row: tuple[Any, ...]
    """Its elements of the columns of commands."""
    legs: tuple[Sequence[int], Sequence[int], Sequence[str]]
    """Its parts of the columns of legs: accounts, amounts, currencies."""

    @classmethod
    def of(cls, command: Command, *, actor: str) -> Self:
        """The request of a command by an actor."""
        asked = digest(command, actor=actor)
        legs = _legs(command)
        row = (
            actor,
            command.key,
            asked,
            OPERATIONS[type(command)],
            command.effective_at if isinstance(command, Post | Settle | Reverse) else None,
            "" if isinstance(command, Void) else command.description,
            command.correlation,
            command.hold if isinstance(command, Hold | Settle | Void) else None,
            command.expires_at if isinstance(command, Hold) else None,
            command.release if isinstance(command, Settle) else True,
            command.journal if isinstance(command, Reverse) else None,
            len(legs[0]),
        )
        return cls(command, asked, row, legs)

    @property
    def actor(self) -> str:
        """Who asks."""
        actor: str = self.row[0]
        return actor

    @property
    def key(self) -> str:
        """The command's idempotency key."""
        return self.command.key

    @property
    def touches(self) -> UUID | int | None:
        """What no other command of the same batch may touch."""
        return touches(self.command)

    @property
    def weight(self) -> int:
        """Its legs."""
        return len(self.legs[0])


def _legs(command: Command) -> tuple[Sequence[int], Sequence[int], Sequence[str]]:
    if isinstance(command, Post | Hold):
        legs = command.legs
        return [leg.account for leg in legs], [leg.amount for leg in legs], [leg.currency for leg in legs]
    if isinstance(command, Settle) and command.amounts is not None:
        # The hold knows its accounts and currencies.
        return [0] * len(command.amounts), command.amounts, [""] * len(command.amounts)
    return (), (), ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one command, the same however often it is asked."""

    code: str | None
    """Why it was refused; None if it was accepted."""
    account: int | None
    """The account that made it refused, if one did."""
    journal: int | None
    """Number of its journal, if it has one."""
    replayed: bool
    """Whether the answer was given before."""
    at: datetime
    """When this answer was given."""

    @property
    def accepted(self) -> bool:
        """Whether it was carried out."""
        return self.code is None

    def raise_for_refusal(self) -> None:
        """Nothing if it was accepted.

        Raises:
            TreasuryError: with the refusal's code.
        """
        if self.code is not None:
            raise TreasuryError(self.code, field="" if self.account is None else f"account {self.account}")


def encode(requests: Sequence[Request]) -> tuple[list[Any], ...]:
    """The parameters of treasury.execute after the context: twelve columns of commands, three of legs."""
    commands = [list(column) for column in zip(*(request.row for request in requests), strict=True)]
    legs = [list(chain.from_iterable(parts)) for parts in zip(*(request.legs for request in requests), strict=True)]
    return (*commands, *legs)


def decode(row: Mapping[str, Any]) -> list[Outcome]:
    """The outcomes of a batch, in its order, from the row that treasury.execute returned."""
    at: datetime = row["recorded_at"]
    columns = zip(row["codes"], row["refused_accounts"], row["journals"], row["replayed"], strict=True)
    return [Outcome(code, account, journal, replayed, at) for code, account, journal, replayed in columns]
