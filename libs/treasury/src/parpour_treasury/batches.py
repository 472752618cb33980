"""A batch of commands as arrays for one call of treasury.execute, and its answers as outcomes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from parpour_treasury.commands import OPERATIONS, Command, Hold, Post, Reverse, Settle, Void
from parpour_treasury.refusals import TreasuryError

COLUMNS = 15
"""Parameters of treasury.execute after the context."""

EXECUTE = f"select * from treasury.execute({', '.join(f'${place}' for place in range(1, COLUMNS + 2))})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Request:
    """A command, who asks, and the digest of both."""

    command: Command
    actor: str
    digest: bytes


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
    columns: tuple[list[Any], ...] = tuple([] for _ in range(COLUMNS))
    actors, keys, digests, operations, effective, descriptions, correlations = columns[:7]
    holds, expires, releases, reversed_, counts, accounts, amounts, currencies = columns[7:]
    for request in requests:
        command = request.command
        actors.append(request.actor)
        keys.append(command.key)
        digests.append(request.digest)
        operations.append(OPERATIONS[type(command)])
        correlations.append(command.correlation)
        descriptions.append("" if isinstance(command, Void) else command.description)
        effective.append(command.effective_at if isinstance(command, Post | Settle | Reverse) else None)
        holds.append(command.hold if isinstance(command, Hold | Settle | Void) else None)
        expires.append(command.expires_at if isinstance(command, Hold) else None)
        releases.append(command.release if isinstance(command, Settle) else True)
        reversed_.append(command.journal if isinstance(command, Reverse) else None)
        if isinstance(command, Post | Hold):
            counts.append(len(command.legs))
            for leg in command.legs:
                accounts.append(leg.account)
                amounts.append(leg.amount)
                currencies.append(leg.currency)
        elif isinstance(command, Settle) and command.amounts is not None:
            counts.append(len(command.amounts))
            amounts.extend(command.amounts)
            # The hold knows its accounts and currencies.
            accounts.extend(0 for _ in command.amounts)
            currencies.extend("" for _ in command.amounts)
        else:
            counts.append(0)
    return columns


def decode(row: Mapping[str, Any]) -> list[Outcome]:
    """The outcomes of a batch, in its order, from the row that treasury.execute returned."""
    at: datetime = row["recorded_at"]
    columns = zip(row["codes"], row["refused_accounts"], row["journals"], row["replayed"], strict=True)
    return [Outcome(code, account, journal, replayed, at) for code, account, journal, replayed in columns]
