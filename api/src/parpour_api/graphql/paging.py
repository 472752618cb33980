"""Relay's connections: pages of a list that is read between keys, from its front or from its back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import strawberry

from parpour_api.errors import ApiError
from parpour_api.graphql.costs import PAGE

Node = TypeVar("Node")
Row = TypeVar("Row")

First = Annotated[int | None, strawberry.argument(description="How many from the front; 50 if nothing is said.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the back, instead of first.")]
After = Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")]
Before = Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="An item and its cursor.")
class Edge(Generic[Node]):
    """Relay's edge."""

    cursor: str
    node: Node


@strawberry.type(description="A page of a list.")
class Connection(Generic[Node]):
    """Relay's connection."""

    edges: list[Edge[Node]]
    nodes: list[Node]
    page_info: PageInfo


@dataclass(frozen=True, slots=True)
class Page:
    """What is asked of a list."""

    limit: int
    backward: bool
    after: tuple[int | str, ...] | None
    before: tuple[int | str, ...] | None

    @property
    def read_limit(self) -> int:
        """One more than the page has, to see whether there are more."""
        return self.limit + 1


def page_of(
    *,
    first: int | None,
    last: int | None,
    after: str | None,
    before: str | None,
    page_max: int,
    key_of: Callable[[str], tuple[int | str, ...]],
) -> Page:
    """The page that arguments ask for.

    Raises:
        ApiError: API_PAGE_INVALID or API_CURSOR_INVALID.
    """
    if first is not None and last is not None:
        raise ApiError("API_PAGE_INVALID", "give first or last, not both")
    limit = first if first is not None else last if last is not None else min(PAGE, page_max)
    if not 0 <= limit <= page_max:
        raise ApiError("API_PAGE_INVALID", f"a page has up to {page_max} items")
    return Page(
        limit,
        backward=last is not None,
        after=None if after is None else key_of(after),
        before=None if before is None else key_of(before),
    )


def connection_of(
    rows: Sequence[Row], page: Page, *, node: Callable[[Row], Node], cursor: Callable[[Row], str]
) -> Connection[Node]:
    """The page of rows that were read with `page.read_limit`, in the list's order."""
    more = len(rows) > page.limit
    shown = rows[len(rows) - page.limit :] if page.backward and more else rows[: page.limit]
    edges = [Edge(cursor=cursor(row), node=node(row)) for row in shown]
    return Connection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=PageInfo(
            has_next_page=page.before is not None if page.backward else more,
            has_previous_page=more if page.backward else page.after is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )
