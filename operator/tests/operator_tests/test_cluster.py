"""What is asked of the API server, where no answer of a real one is needed to judge it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from lightkube import AsyncClient

from parpour_operator.cluster import NAMED_UIDS, Cluster
from parpour_operator.observing import UID_LABEL, Key

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


class Asked:
    """A client that notes what it is asked to list."""

    def __init__(self) -> None:
        self.lists: list[dict[str, Any]] = []

    async def list(self, _: Any, **query: Any) -> AsyncIterator[Any]:
        self.lists.append(query)
        yield {"metadata": {"name": f"job-{len(self.lists)}"}}


async def found(uids: dict[Key, str], *namespaces: str) -> tuple[list[dict[str, Any]], int]:
    client = Asked()
    listing = Cluster(cast(AsyncClient, client), namespaces=namespaces).jobs_of(uids)
    jobs = [raw async for raw in listing]
    return client.lists, len(jobs)


async def test_jobs_are_listed_by_the_uids_of_their_simulations_in_pages() -> None:
    uids = {Key("team", f"s-{index}"): f"uid-{index:04}" for index in range(NAMED_UIDS + 1)}
    lists, jobs = await found(uids)
    assert jobs == 2
    assert [len(query["labels"][UID_LABEL]) for query in lists] == [NAMED_UIDS, 1]
    assert {(query["namespace"], query["chunk_size"]) for query in lists} == {("*", 250)}


async def test_jobs_are_listed_only_where_simulations_are_served_and_unfinished() -> None:
    uids = {Key("a", "one"): "uid-1", Key("b", "two"): "uid-2"}
    lists, _ = await found(uids, "a", "b", "c")
    assert [(query["namespace"], query["labels"][UID_LABEL]) for query in lists] == [("a", ["uid-1"]), ("b", ["uid-2"])]
    assert await found({}) == ([], 0)
