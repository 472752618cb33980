"""Loaders of what the authority keeps: what siblings ask one by one is read for all of them by one query."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from parpour_treasury.books import HoldState, Journal
from parpour_treasury.spending import reading
from parpour_treasury.spending.reading import CourseState, DecisionRow, MemberState, OutcomeState
from parpour_treasury.spending.register import ApprovalState, EnvelopeState, PayeeState, Spend
from parpour_treasury.spending.rules import RuleBook

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


class Read(Protocol):
    """Asks something of the moment that a request sees."""

    def __call__(self, ask: Callable[[type_of_connection], Awaitable[T]]) -> Awaitable[T]:
        """The answer."""


class SpendingLoads:
    """The loaders of one request."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.spends: DataLoader[UUID, Spend | None] = self._one(reading.spends_of)
        self.envelopes: DataLoader[UUID, EnvelopeState | None] = self._one(reading.envelopes_of)
        self.payees: DataLoader[UUID, PayeeState | None] = self._one(reading.payees_of)
        self.members: DataLoader[str, MemberState | None] = self._one(reading.members_of)
        self.holds: DataLoader[UUID, HoldState | None] = self._one(reading.holds_of)
        self.courses: DataLoader[UUID, CourseState | None] = self._one(reading.courses_of)
        self.rules: DataLoader[int, RuleBook] = DataLoader(load_fn=self._rules)
        self.within: DataLoader[UUID, list[EnvelopeState]] = self._several(reading.envelopes_within)
        self.approvals: DataLoader[UUID, list[ApprovalState]] = self._several(reading.approvals_of)
        self.decisions: DataLoader[UUID, list[DecisionRow]] = self._several(reading.decisions_of)
        self.outcomes: DataLoader[UUID, list[OutcomeState]] = self._several(reading.outcomes_of)
        self.journals: DataLoader[UUID, list[Journal]] = self._several(reading.journals_of_spends)

    async def _rules(self, versions: list[int]) -> Sequence[RuleBook]:
        found = await self._read(lambda connection: reading.rules_of(connection, versions))
        return [found[version] for version in versions]

    def _one(
        self, ask: Callable[[type_of_connection, Sequence[K]], Awaitable[Mapping[K, V]]]
    ) -> DataLoader[K, V | None]:
        async def load(keys: list[K]) -> Sequence[V | None]:
            found = await self._read(lambda connection: ask(connection, keys))
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load)

    def _several(
        self, ask: Callable[[type_of_connection, Sequence[K]], Awaitable[Mapping[K, list[V]]]]
    ) -> DataLoader[K, list[V]]:
        async def load(keys: list[K]) -> Sequence[list[V]]:
            found = await self._read(lambda connection: ask(connection, keys))
            return [found.get(key, []) for key in keys]

        return DataLoader(load_fn=load)
