"""Loaders of what the authority keeps: what siblings ask one by one is read for all of them by one query."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
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
    """The loaders of one request, each made when it is first asked: most requests need one or none."""

    def __init__(self, read: Read) -> None:
        self._read = read

    @cached_property
    def spends(self) -> DataLoader[UUID, Spend | None]:
        """Spends by id."""
        return self._one(reading.spends_of)

    @cached_property
    def envelopes(self) -> DataLoader[UUID, EnvelopeState | None]:
        """Envelopes by id."""
        return self._one(reading.envelopes_of)

    @cached_property
    def payees(self) -> DataLoader[UUID, PayeeState | None]:
        """Payees by id."""
        return self._one(reading.payees_of)

    @cached_property
    def members(self) -> DataLoader[str, MemberState | None]:
        """Members by name."""
        return self._one(reading.members_of)

    @cached_property
    def holds(self) -> DataLoader[UUID, HoldState | None]:
        """Holds by id."""
        return self._one(reading.holds_of)

    @cached_property
    def courses(self) -> DataLoader[UUID, CourseState | None]:
        """Courses of payments, by spend."""
        return self._one(reading.courses_of)

    @cached_property
    def rules(self) -> DataLoader[int, RuleBook]:
        """Rule books by version."""
        return DataLoader(load_fn=self._rules)

    @cached_property
    def within(self) -> DataLoader[UUID, list[EnvelopeState]]:
        """Envelopes by the one around them."""
        return self._several(reading.envelopes_within)

    @cached_property
    def approvals(self) -> DataLoader[UUID, list[ApprovalState]]:
        """Approvals by spend."""
        return self._several(reading.approvals_of)

    @cached_property
    def decisions(self) -> DataLoader[UUID, list[DecisionRow]]:
        """Decisions by spend."""
        return self._several(reading.decisions_of)

    @cached_property
    def outcomes(self) -> DataLoader[UUID, list[OutcomeState]]:
        """Outcomes of payments, by spend."""
        return self._several(reading.outcomes_of)

    @cached_property
    def journals(self) -> DataLoader[UUID, list[Journal]]:
        """Journals by spend."""
        return self._several(reading.journals_of_spends)

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
