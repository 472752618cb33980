"""One page of any list of a venture's: read between two keys, from either end, with cursors of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from parpour_api.graphql.cursors import Key
from parpour_api.graphql.paging import Connection, connection_of, page_of
from parpour_api.graphql.session import Session
from parpour_treasury.reading import FIRST_ID, LAST_ID
from parpour_treasury.spending import reading
from parpour_treasury.spending.reading import BEGINNING, END, MemberState, Moment, RulesVersion
from parpour_treasury.spending.register import ChangeState, EnvelopeState, PayeeState, Spend

Row = TypeVar("Row")
Place = TypeVar("Place")
Node = TypeVar("Node")

ReadPage = Callable[..., Awaitable[Sequence[Row]]]
"""A page of rows: of a connection, `after` and `before` a place, `limit` rows at most, `backward` from the end."""


@dataclass(frozen=True)
class Order(Generic[Row, Place]):
    """What a list is ordered by."""

    key: Callable[[Row], Key]
    """Of a row, for its cursor."""
    place: Callable[[Key], Place]
    """Of a cursor's key, for the database."""
    first: Place
    """Before every row."""
    last: Place
    """Behind every row."""


@dataclass(frozen=True)
class Asked:
    """The arguments of a connection."""

    first: int | None
    last: int | None
    after: str | None
    before: str | None


def _moment(key: Key) -> Moment:
    return datetime.fromisoformat(str(key[0])), UUID(str(key[1]))


BY_CODE: Order[EnvelopeState, str | None] = Order(lambda row: (row.code,), lambda key: str(key[0]), "", None)
BY_ACTOR: Order[MemberState, str | None] = Order(lambda row: (row.actor,), lambda key: str(key[0]), "", None)
BY_VERSION: Order[RulesVersion, int] = Order(
    lambda row: (row.version,), lambda key: int(key[0]), 0, reading.VERSION_END
)
BY_PAYEE: Order[PayeeState, UUID] = Order(
    lambda row: (str(row.payee_id),), lambda key: UUID(str(key[0])), FIRST_ID, LAST_ID
)
BY_PROPOSAL: Order[ChangeState, Moment] = Order(
    lambda row: (row.proposed_at.isoformat(), str(row.change_id)), _moment, BEGINNING, END
)


def by_request(first: Moment = BEGINNING, last: Moment = END) -> Order[Spend, Moment]:
    """Spends by when they were asked for, between two moments."""
    return Order(lambda row: (row.requested_at.isoformat(), str(row.spend_id)), _moment, first, last)


async def listed(
    session: Session,
    scope: str,
    asked: Asked,
    order: Order[Row, Place],
    read: ReadPage[Row],
    node: Callable[[Row], Node],
    **wanted: Any,
) -> Connection[Node]:
    """A page of a list; cursors count for its scope.

    Raises:
        ApiError: API_PAGE_INVALID or API_CURSOR_INVALID.
    """
    page = page_of(
        first=asked.first,
        last=asked.last,
        after=asked.after,
        before=asked.before,
        page_max=session.service.page_max,
        key_of=lambda cursor: session.key_of(scope, cursor),
    )
    rows = await session.reader.read(
        lambda connection: read(
            connection,
            after=order.first if page.after is None else order.place(page.after),
            before=order.last if page.before is None else order.place(page.before),
            limit=page.read_limit,
            backward=page.backward,
            **wanted,
        )
    )
    return connection_of(rows, page, node=node, cursor=lambda row: session.cursor(scope, *order.key(row)))
