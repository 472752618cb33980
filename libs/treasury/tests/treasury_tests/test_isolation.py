"""Two tenants: whatever B reads, calls or forges, A's books stay unread and as they are."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest

from parpour_controlplane.catalogue import breaches
from parpour_controlplane.chain.checkpoints import SigningKey
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database, open_database
from parpour_controlplane.inbox import Inbox
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.sealer import Sealer, SealingPace
from parpour_controlplane.sealing.stores import FolderStore
from parpour_controlplane.testing import SWEEPER_KEY, Place
from parpour_treasury.batches import EXECUTE, Request, encode
from parpour_treasury.books import Kind
from parpour_treasury.commands import Hold, Post, Reverse, Settle, Void
from parpour_treasury.reconciliation.reconciler import Reconciler
from parpour_treasury.reconciliation.restore import ProviderPayment, Restore
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.testing import RULES, new_venture, payment_worker
from parpour_treasury.statements.model import BankStatement, Entry
from parpour_treasury.statements.store import Statements
from parpour_treasury.testing import CORRELATION, Books, new_books

if TYPE_CHECKING:
    from asyncpg import Connection, Record

pytestmark = pytest.mark.anyio
SERVICES = ("parpour_app", "parpour_sweeper", "parpour_relay", "parpour_sealer", "parpour_payment")
TABLES = """
    select n.nspname || '.' || c.relname as name,
        (select array_agg(a.attname::text order by a.attnum) from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0
                and has_column_privilege($1, c.oid, a.attnum, 'select')) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('controlplane', 'treasury') and c.relkind in ('r', 'p', 'v')
"""
FUNCTIONS = """
    select n.nspname || '.' || p.proname as name, p.oid::regprocedure::text as signature,
        coalesce((select array_agg(format_type(t.type, null) order by t.place)
            from unnest(p.proargtypes) with ordinality as t(type, place)), '{}') as types,
        has_function_privilege($1, p.oid, 'execute') as allowed, p.prokind::text as kind, p.prosecdef as definer
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('controlplane', 'treasury') and p.prorettype <> 'trigger'::regtype
"""


@dataclass
class Two:
    """Tenant A with something in every table, tenant B with accounts of the same numbers, a session of the service."""

    a: Books
    b: Books
    hold: UUID
    session: Connection[Record]


async def sealed(place: Place, folder: Path, a: Books) -> None:
    """Give A's events their places and take one in; leave one without a place, and blocks without a checkpoint."""
    async with open_database(place.dsn("parpour_sealer"), connections=2) as database:
        keys, store = SigningKeys((SigningKey(b"k" * 32),)), FolderStore(folder)
        pace = SealingPace(sign=3600)
        sealer = Sealer(
            database.pool, place.sealer, keys, store, clock=lambda: datetime.now(UTC), random=os.urandom, pace=pace
        )
        await sealer.round()
        await a.post((1, 1), (2, -1))
        await sealer.round()
    pool = a.ledger._database.pool
    event = await pool.fetchval("select event_id from controlplane.sealed_events($1, 0, 1)", a.context)
    assert await Inbox("audit").apply_once(pool, a.context, event)
    await a.post((1, 1), (2, -1))


@pytest.fixture
async def two(database: Database, place: Place, tmp_path: Path) -> AsyncIterator[Two]:
    a, b = await new_books(database, place.app), await new_books(database, place.app)
    for books in (a, b):
        await books.open("bank", minimum=0)
        await books.open("funding", Kind.EQUITY)
    await a.post(
        (1, 1000), (2, -1000), key="secret-key", description="secret", at=datetime.now(UTC) - timedelta(days=2)
    )
    await a.ledger.lock_period(a.context, until=datetime.now(UTC) - timedelta(days=1))
    hold, _ = await a.place((1, -5), (2, 5))
    await spend_something(place, database, a)
    await fill_statements(a, database)
    opening = "select treasury.open_reservation($1, $2, 'secret-key', $2, 'Simulation', 'a', 'town', 1, $3, '{}')"
    await database.pool.fetchval(opening, a.context, UUID(int=6), b"d" * 32)
    await sealed(place, tmp_path, a)
    session = await asyncpg.connect(place.dsn())
    yield Two(a, b, hold, session)
    await session.close()


async def spend_something(place: Place, database: Database, books: Books) -> None:
    """Fill what the authority keeps: a spend that was approved and sent, and a change."""
    venture = await new_venture(database, place, books=books)
    asked = await venture.request(2000, purpose="secret")
    (await venture.approve(asked.spend, "user:cat")).raise_for_refusal()
    await venture.change_rules(RULES)
    async with payment_worker(place, venture) as worker:
        for claimed in await worker.claim():
            spend = UUID(claimed["spend"])
            await worker.begin(spend)
            await worker.advance(spend, "sent", provider="secret")
    hint = "select treasury.hint($1, 'stripe', 'evt_secret', 'payout.paid', 'secret')"
    await database.pool.execute(hint, venture.context())


async def fill_statements(books: Books, database: Database) -> None:
    """A statement with matches, one undone, and an exception; and a payment that the books did not have."""
    bank, owner = await books.open("assets:bank"), await books.open("equity:owner", Kind.EQUITY)
    await books.post((bank, 100), (owner, -100))
    day = datetime.now(UTC).date()
    statements = Statements(database)
    await statements.bind(books.context, bank, identification="secret", since=day)
    one = BankStatement("S", "secret", "USD", 0, day, 93, day, (Entry(100, day), Entry(-7, day)))
    await statements.take(books.context, bank, b"secret", [one], format="test")
    journals = await books.ledger.journals(books.context)
    await database.pool.execute(
        "select treasury.record_reconciliation($1, $2, $3, $4)",
        books.context,
        bank,
        json.dumps(
            [{"rule": "reference", "explanation": {}, "entries": [[1, 1]], "legs": [[journals[-1].number, 1]]}],
        ),
        json.dumps([{"kind": "fee", "explanation": {}, "entry": [1, 2]}]),
    )
    parts: dict[str, list[tuple[int, int]]] = {"entries": [(1, 1)], "movements": [(journals[-1].number, 1)]}
    reconciler, person = Reconciler(database, books.mint), books.mint.mint(tenant=books.tenant, actor="user:ann")
    await reconciler.undo_match(person, bank, 1, evidence="secret")
    await reconciler.confirm_match(person, bank, **parts, evidence="secret")
    restore = Restore(database)
    await restore.lock(books.context, reason="secret")
    now = datetime.now(UTC)
    await restore.review(
        books.context, provider="stripe", as_of=now, payments=[ProviderPayment("secret", 1, "USD", now)]
    )


async def fingerprint(place: Place, tenant: UUID) -> dict[str, int]:
    """What an administrator sees of a tenant, table by table."""
    connection = await asyncpg.connect(place.dsn("postgres"))
    found = {}
    for row in await connection.fetch(TABLES, "postgres"):
        if "tenant_id" in row["columns"]:
            query = f"select coalesce(sum(hashtextextended(t::text, 0)), 0) from {row['name']} t where tenant_id = $1"
            found[row["name"]] = await connection.fetchval(query, tenant)
    await connection.close()
    return found


async def test_the_whole_schema_breaks_no_rule(place: Place) -> None:
    connection = await asyncpg.connect(place.dsn("postgres"))
    assert await breaches(connection) == []
    await connection.close()


async def test_a_has_something_to_steal_in_every_table(place: Place, two: Two) -> None:
    found = await fingerprint(place, two.a.tenant)
    assert len(found) >= 11
    assert [name for name, rows in found.items() if rows == 0] == []


async def test_b_sees_no_row_of_a_in_any_table(two: Two) -> None:
    tables = [row for row in await two.session.fetch(TABLES, "parpour_app") if row["columns"]]
    assert len(tables) >= 11
    async with two.session.transaction():
        await two.session.execute("select controlplane.enter($1)", two.b.context)
        for row in tables:
            seen = await two.session.fetch(f"select distinct tenant_id from {row['name']}")
            assert {one["tenant_id"] for one in seen} <= {two.b.tenant}, row["name"]
            query = f"select {', '.join(row['columns'])} from {row['name']} where tenant_id = $1"
            assert await two.session.fetch(query, two.a.tenant) == [], row["name"]
            # A condition that divides by zero for A's rows would tell that there are some.
            leak = f"select 1 from {row['name']} where 1 / case when tenant_id = $1 then 0 else 1 end = 5"
            assert await two.session.fetch(leak, two.a.tenant) == [], row["name"]


@pytest.mark.parametrize("role", SERVICES)
async def test_no_service_writes_to_any_table(place: Place, two: Two, role: str) -> None:
    session = await asyncpg.connect(place.dsn(role))
    for row in await session.fetch(TABLES, "postgres"):
        for statement in (
            "insert into {} default values",
            "delete from {}",
            "truncate {}",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await session.execute(statement.format(row["name"]))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await session.execute(f"update {row['name']} set {row['columns'][0]} = default")
    await session.close()


NARROW: dict[str, dict[str, set[str]]] = {
    "parpour_sweeper": {
        "treasury.hold": {"tenant_id", "hold_id", "state", "expires_at"},
        "treasury.spend": {"tenant_id", "spend_id", "state", "expires_at"},
    },
    "parpour_sealer": {
        "controlplane.unsealed": {"tenant_id", "transaction"},
        "controlplane.chain_head": {"tenant_id", "blocks", "signed", "held_until"},
    },
    "parpour_relay": {"controlplane.chain_head": {"tenant_id", "position", "relayed"}},
    "parpour_payment": {
        "treasury.spend": {"tenant_id", "spend_id", "state", "provider", "expires_at", "changed_at"},
        "treasury.payment_course": {"tenant_id", "spend_id", "next_at"},
    },
}
"""What services may read across tenants: who has something for them, and never what it is."""


@pytest.mark.parametrize("role", SERVICES[1:])
async def test_other_services_see_no_books(place: Place, two: Two, role: str) -> None:
    session = await asyncpg.connect(place.dsn(role))
    readable = {row["name"]: row["columns"] for row in await session.fetch(TABLES, role) if row["columns"]}
    assert {name: set(columns) for name, columns in readable.items()} == NARROW[role]
    for name, columns in readable.items():
        found = await session.fetch(f"select {', '.join(columns)} from {name}")
        # A has no hold that is due, and has something for the other two; B has nothing for the sealer.
        assert (two.a.tenant in {row["tenant_id"] for row in found}) == (role != "parpour_sweeper"), name
        assert role != "parpour_sealer" or two.b.tenant not in {row["tenant_id"] for row in found}, name
    await session.close()


async def test_the_sweeper_sees_what_is_due_and_sweeps_it_in_the_tenants_name(place: Place, two: Two) -> None:
    hold, _ = await two.a.place((1, -5), (2, 5), expires=datetime.now(UTC) + timedelta(seconds=0.2))
    session = await asyncpg.connect(place.dsn("parpour_sweeper"))
    await session.execute("select pg_sleep(0.25)")
    due = await session.fetch("select tenant_id, hold_id from treasury.hold where hold_id = $1", hold)
    assert [tuple(row) for row in due] == [(two.a.tenant, hold)]
    context = place.sweeper.mint(tenant=two.a.tenant, actor="system:sweeper")
    assert await session.fetchval("select treasury.sweep($1)", context) == 1
    with pytest.raises(asyncpg.PostgresError, match="CONTEXT_REFUSED"):
        await session.fetchval("select treasury.sweep($1)", two.a.context)
    await session.close()


def forged(two: Two, place: Place) -> dict[str, str]:
    """Contexts in which B claims to be A."""
    mine, theirs = two.b.context, str(two.a.tenant)
    guessing = ContextMint(type(SWEEPER_KEY)("test-app", "parpour_app", b"guess" * 7), clock=lambda: 2e9)
    return {
        "none": "",
        "bare": theirs,
        "renamed": mine.replace(str(two.b.tenant), theirs),
        "spliced": mine[:64] + place.app.mint(tenant=two.a.tenant, actor="b")[64:],
        "another key": guessing.mint(tenant=two.a.tenant, actor="b"),
        "another role's key": place.sweeper.mint(tenant=two.a.tenant, actor="b"),
        "another role's code": place.sweeper.mint(tenant=two.a.tenant, actor="b").replace("test-sweeper", "test-app"),
        "injected": mine + f"|{theirs}' or true --",
    }


async def test_no_function_takes_a_forged_context(place: Place, two: Two) -> None:
    before = await fingerprint(place, two.a.tenant)
    taking = [row for row in await two.session.fetch(FUNCTIONS, "parpour_app") if row["allowed"] and row["definer"]]
    verified = [row for row in taking if row["types"][:1] == ["text"]]
    assert len(verified) >= 9
    for row in verified:
        nulls = ", ".join(f"null::{name}" for name in row["types"][1:])
        call = f"select {row['name']}($1{', ' + nulls if nulls else ''})"
        for way, context in forged(two, place).items():
            with pytest.raises(asyncpg.PostgresError, match=r"CONTEXT_(REFUSED|MISSING)"):
                await two.session.fetch(call, context)
            assert way
    assert await fingerprint(place, two.a.tenant) == before


async def test_functions_that_are_not_granted_are_closed(two: Two) -> None:
    closed = [row for row in await two.session.fetch(FUNCTIONS, "parpour_app") if not row["allowed"]]
    assert {"controlplane.verified", "treasury.write_balances", "treasury.expire_holds", "controlplane.guard"} <= {
        row["name"] for row in closed
    }
    for row in closed:
        nulls = ", ".join(f"null::{name}" for name in row["types"])
        verb = "call" if row["kind"] == "p" else "select"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await two.session.execute(f"{verb} {row['name']}({nulls})")


async def test_as_b_the_things_of_a_are_as_if_they_were_not(place: Place, two: Two) -> None:
    """Every answer about something of A is the one about something that does not exist, to the letter."""
    a, b = two.a, two.b
    await a.open("only-a")
    before = await fingerprint(place, a.tenant)

    async def answer(asked: Any) -> str:
        try:
            result = await asked
        except TreasuryError as error:
            return str(error)
        return str(getattr(result, "code", result))

    unknown = UUID(int=99)
    for of_a, of_nobody in [
        (b.settle(two.hold), b.settle(unknown)),
        (b.void(two.hold), b.void(unknown)),
        (b.reverse(1), b.reverse(77)),
        (b.post((3, 1), (1, -1)), b.post((77, 1), (1, -1))),
        (b.ledger.hold(b.context, two.hold), b.ledger.hold(b.context, unknown)),
        (b.ledger.journal(b.context, 1), b.ledger.journal(b.context, 77)),
        (b.ledger.balance(b.context, 3), b.ledger.balance(b.context, 77)),
        (b.ledger.close_account(b.context, 3), b.ledger.close_account(b.context, 77)),
        (
            b.ledger.limit_account(b.context, 3, minimum=0, maximum=None),
            b.ledger.limit_account(b.context, 77, minimum=0, maximum=None),
        ),
    ]:
        assert re.sub(r"\b3\b", "77", await answer(of_a)) == await answer(of_nobody)
    assert (await b.post((1, 1), (2, -1), key="secret-key")).accepted
    placed, outcome = await b.place((1, -1), (2, 1), hold=two.hold)
    assert (placed, outcome.accepted) == (two.hold, True)
    assert (await b.void(two.hold)).accepted
    assert (await a.ledger.hold(a.context, two.hold)).state == "open"
    assert await fingerprint(place, a.tenant) == before


async def test_a_context_of_one_list_of_actors_serves_no_other(two: Two) -> None:
    command = Post(key="k", correlation=CORRELATION, legs=two.b.legs([(1, 1), (2, -1)]))
    request = Request.of(command, actor="user:bob")
    both = two.b.mint.mint_several(tenant=two.b.tenant, actors=["user:bob", "user:ann"])
    as_one = list(encode([request]))
    as_one[0] = ["user:bob\nuser:ann"]
    with pytest.raises(asyncpg.PostgresError, match="CONTEXT_REFUSED"):
        await two.session.fetch(EXECUTE, both, *as_one)
    for context in (
        two.b.context,
        two.b.mint.mint_several(tenant=two.b.tenant, actors=["user:ann"]),
        two.b.mint.mint_several(tenant=two.b.tenant, actors=["user:bob", "user:ann"]),
    ):
        with pytest.raises(asyncpg.PostgresError, match="CONTEXT_REFUSED"):
            await two.session.fetch(EXECUTE, context, *encode([request]))


async def test_what_is_done_outside_of_a_batch_has_one_actor(two: Two) -> None:
    several = two.b.mint.mint_several(tenant=two.b.tenant, actors=["user:bob"])
    for call in (
        "treasury.open_account($1, 'x', 'x', 'asset', 'USD', null, null)",
        "treasury.limit_account($1, 1, null, null)",
        "treasury.lock_period($1, '2020-01-01')",
    ):
        with pytest.raises(asyncpg.PostgresError, match="CONTEXT_REFUSED"):
            await two.session.fetch(f"select {call}", several)


async def test_a_batch_on_one_thing_twice_is_refused_as_a_whole(two: Two) -> None:
    """The batcher makes none; another that did would free more than the hold keeps."""
    hold, _ = await two.b.place((2, -9), (1, 9))
    await two.b.place((2, -9), (1, 9))
    fields: dict[str, Any] = {"correlation": CORRELATION}
    part = {**fields, "hold": hold, "amounts": (-4, 4), "release": False}
    batches: list[list[Any]] = [
        [Settle(key="p", **part), Void(key="v", hold=hold, **fields)],
        [Settle(key="p", **part), Settle(key="q", **part)],
        [Hold(key=key, hold=UUID(int=5), legs=two.b.legs([(1, 1), (2, -1)]), **fields) for key in "pq"],
        [Reverse(key=key, journal=1, **fields) for key in "pq"],
    ]
    before = await fingerprint_of(two.b)
    for batch in batches:
        context = two.b.mint.mint_several(tenant=two.b.tenant, actors=["a"] * len(batch))
        with pytest.raises(TreasuryError, match="TREASURY_BATCH_MALFORMED"):
            await two.b.ledger.execute(context, [Request.of(one, actor="a") for one in batch])
    columns = list(encode([Request.of(batches[0][1], actor="a")]))
    columns[3] = ["burn"]
    context = two.b.mint.mint_several(tenant=two.b.tenant, actors=["a"])
    with pytest.raises(asyncpg.PostgresError, match="TREASURY_BATCH_MALFORMED"):
        await two.session.fetch(EXECUTE, context, *columns)
    assert await fingerprint_of(two.b) == before
    assert await two.b.ledger.faults(two.b.context) == []


async def fingerprint_of(books: Books) -> list[tuple[int, int, int]]:
    accounts = await books.ledger.accounts(books.context)
    return [(one.posted, one.pending_debit, one.pending_credit) for one in accounts]


async def test_a_session_keeps_nothing_that_spies_on_its_next_user(place: Place) -> None:
    """A reader of B puts a statement of its own in place of one that will be given A's context."""
    async with open_database(place.dsn(), connections=1) as database:
        a, b = await new_books(database, place.app), await new_books(database, place.app)
        for books in (a, b):
            await books.open("bank")
        with contextlib.suppress(asyncpg.PostgresError):
            async with database.transaction(b.context) as session:
                prepared = "select name, statement from pg_prepared_statements where statement like '%open_account%'"
                name, statement = next(iter(await session.fetch(prepared)))
                spying = f"{statement} where set_config('parpour.spied', $1, false) is not null"
                types = "text, text, text, text, text, bigint, bigint"
                await session.execute(f"deallocate {name}; prepare {name} ({types}) as {spying}")
        await a.open("secret")
        async with database.transaction(b.context) as session:
            assert await session.fetchval("select current_setting('parpour.spied', true)") in (None, "")


HOSTILE = [
    "'; drop table treasury.leg; --",
    "\\'; --",
    "$$;$$",
    "{{x}}",
    "%s %1$s",
    "</script>",
    "a\r\nlevel=info",
    "\u202e☂",
    "null",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_kept_as_it_is(books: Books, text: str) -> None:
    one, two_ = await books.open("one"), await books.open("two")
    key = "".join(filter(str.isprintable, text))
    outcome = await books.post((one, 1), (two_, -1), key=key, description=text)
    assert (await books.ledger.journal(books.context, outcome.journal or 0)).description == text
    assert (await books.post((one, 1), (two_, -1), key=key, description=text)).replayed
    assert await books.ledger.faults(books.context) == []
