"""Policies keep the indexes useful: no plan reads another tenant's rows to leave them out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from parpour_controlplane.testing import Place
from parpour_treasury.spending.reading import Wanted, text_of_spends
from parpour_treasury.spending.states import State
from parpour_treasury.testing import Books

pytestmark = pytest.mark.anyio

QUERIES = {
    "an account": "select * from treasury.account where account_id = 1",
    "accounts": "select * from treasury.account order by account_id limit 10",
    "a journal": "select * from treasury.journal where number = 1",
    "journals": "select * from treasury.journal where number > 5 order by number limit 10",
    "legs of a journal": "select * from treasury.leg where journal = 1",
    "legs of an account": "select * from treasury.leg where account_id = 1 and effective_at < now()",
    "a hold": "select * from treasury.hold where hold_id = gen_random_uuid()",
    "a request": "select * from treasury.request where key = 'k'",
    "events": "select type from controlplane.event",
    "a statement": "select * from treasury.statement where account_id = 1 and number = 1",
    "entries": "select * from treasury.statement_entry where account_id = 1 and number = 1 order by position",
    "entries' matches": "select * from treasury.matched_entry where account_id = 1 and match = 1",
    "movements' matches": "select * from treasury.matched_leg where journal = 1",
    "undone entries": "select * from treasury.undone_entry where account_id = 1 and match = 1",
    "undone movements": "select * from treasury.undone_leg where journal = 1",
    "a match": "select * from treasury.match where account_id = 1 and match = 1",
    "an exception": "select * from treasury.exception where exception_id = gen_random_uuid()",
    "spends in flight": "select * from treasury.spend where state = 'awaiting_approval' "
    "union all select * from treasury.spend where state in ('submitting', 'unknown', 'sent')",
    "a spend": "select * from treasury.spend where spend_id = gen_random_uuid()",
    "spends": "select * from treasury.spend where requested_at > now() order by requested_at, spend_id limit 10",
    "approvals of spends": "select * from treasury.approval where spend_id = any(array[gen_random_uuid()])",
    "decisions of spends": "select * from treasury.decision where spend_id = any(array[gen_random_uuid()])",
    "outcomes of spends": "select * from treasury.outcome where spend_id = any(array[gen_random_uuid()])",
    "the queue of exceptions": "select * from treasury.exception where account_id = 1 and opened_at > now() "
    "order by opened_at, exception_id limit 5",
    "found payments": "select * from treasury.found_payment where provider = 'stripe'",
}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("statistics", [False, True])
async def test_a_query_goes_by_the_tenant_first(place: Place, books: Books, name: str, statistics: bool) -> None:
    one, two = await books.open("one"), await books.open("two")
    await books.post((one, 1), (two, -1))
    session = await asyncpg.connect(place.dsn("postgres"))
    transaction = session.transaction()
    await transaction.start()
    if statistics:
        await session.execute("analyze treasury.account, treasury.journal, treasury.leg, controlplane.event")
    await session.execute("set local role parpour_app; set local enable_seqscan = off")
    await session.execute("select controlplane.enter($1)", books.context)
    explained = json.loads(await session.fetchval(f"explain (format json) {QUERIES[name]}"))[0]["Plan"]
    scans = [node for node in nodes(explained) if "Scan" in node["Node Type"] and "Relation Name" in node]
    assert scans
    for scan in scans:
        if scan["Node Type"] == "Bitmap Heap Scan":
            continue
        assert scan["Node Type"] in ("Index Scan", "Index Only Scan", "Bitmap Index Scan"), scan
        assert "tenant_id = " in scan["Index Cond"], scan
    verified = [node for node in nodes(explained) if node.get("Subplan Name", "").startswith("InitPlan")]
    assert verified, "the policy asks once a statement, not once a row"
    await transaction.rollback()
    await session.close()


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(), "newest"),
        (Wanted(actor="agent:buyer"), "of_actor"),
        (Wanted(payee=UUID(int=1)), "of_payee"),
        (Wanted(envelope=UUID(int=1)), "of_envelope"),
        (Wanted(state=State.SETTLED), "of_state"),
    ],
    ids=str,
)
@pytest.mark.parametrize("backward", [False, True])
async def test_a_page_of_spends_is_read_in_its_order_from_the_index_of_its_filter(
    place: Place, books: Books, wanted: Wanted, index: str, backward: bool
) -> None:
    """Also by a plan that is kept for whatever comes, which knows no values."""
    text, values = text_of_spends(wanted, backward=backward)
    session = await asyncpg.connect(place.dsn())
    await session.execute("set plan_cache_mode = force_generic_plan; set enable_seqscan = off")
    async with session.transaction():
        await session.execute(f"prepare page as {text}")
        await session.execute("select controlplane.enter($1)", books.context)
        moment = "now(), gen_random_uuid()"
        given = "".join(f", '{value}'" for value in values)
        explained = await session.fetchval(f"explain (format json) execute page({moment}, {moment}, 50{given})")
    await session.close()
    found = list(nodes(json.loads(explained)[0]["Plan"]))
    assert "Sort" not in {node["Node Type"] for node in found}
    (scan,) = [node for node in found if node.get("Relation Name") == "spend"]
    assert (scan["Node Type"], scan["Index Name"]) == ("Index Scan", index)
    assert "Filter" not in scan or "requested_at" not in scan["Filter"]
