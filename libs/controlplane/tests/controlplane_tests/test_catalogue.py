"""The catalogue breaks no rule, and each rule finds what breaks it."""

from __future__ import annotations

import asyncpg
import pytest

from parpour_controlplane.catalogue import breaches
from parpour_controlplane.testing import Place

pytestmark = pytest.mark.anyio

TABLE = "create table controlplane.t (tenant_id uuid not null, n integer, primary key (tenant_id, n));"
GUARDED = TABLE + "call controlplane.guard('controlplane.t');"
ENTERS = "declare tenant constant uuid := controlplane.enter(context); begin end"
PINNED = "set search_path = pg_catalog, pg_temp"

MUTANTS = {
    "a tenant's table enables and forces row-level security": GUARDED
    + "alter table controlplane.t no force row level security",
    "a tenant's table has a policy for its tenant, to read and to write": GUARDED
    + "drop policy tenant on controlplane.t; create policy tenant on controlplane.t using (true)",
    "no other policy lets anyone write, or applies to the service": GUARDED
    + "create policy more on controlplane.t for select to parpour_app using (true)",
    "the tenant may not be null": "create table controlplane.t (tenant_id uuid);"
    "call controlplane.guard('controlplane.t')",
    "the tenant leads every key": GUARDED + "create unique index on controlplane.t (n, tenant_id)",
    "every tenant's table has a primary key": "create table controlplane.t (tenant_id uuid not null);"
    "call controlplane.guard('controlplane.t')",
    "the tenant leads every foreign key, on both sides": GUARDED
    + "create table controlplane.lone (n integer primary key);"
    "create table controlplane.u (tenant_id uuid primary key, n integer references controlplane.lone);"
    "call controlplane.guard('controlplane.u')",
    "a table without a tenant is the owner's alone": "create table controlplane.t (n integer);"
    "grant select on controlplane.t to parpour_relay",
    "nobody but the owner writes": GUARDED + "grant update (n) on controlplane.t to parpour_app",
    "nobody but the owner takes numbers": "create sequence controlplane.s;"
    "grant usage on sequence controlplane.s to parpour_app",
    "nothing is granted to everyone": GUARDED + "grant select on controlplane.t to public",
    "a view asks with the rights of who reads it": "create view controlplane.v as select 1 as one",
    "no copies and no foreign tables of rows": "create materialized view controlplane.m as select 1 as one",
    "a function pins its search path": "create function controlplane.f() returns int language sql as 'select 1'",
    "a function is nobody's until it is granted": f"create function controlplane.f() returns int {PINNED} "
    "language sql as 'select 1'; grant execute on function controlplane.f() to public",
    "what runs as the owner for others verifies first whose it is": "create function controlplane.f() returns int "
    f"{PINNED} language sql security definer as 'select 1'; grant execute on function controlplane.f() to parpour_app",
}
BY_THE_ADMINISTRATOR = {
    "a table or view belongs to the owner": "create table controlplane.t (n integer)",
    "a function belongs to the owner": "create function controlplane.f() returns int "
    f"{PINNED} language sql as 'select 1'",
    "nobody makes objects or temporary ones": "grant create on schema controlplane to parpour_relay",
    "no service is a member of the owner": "grant parpour_owner to parpour_relay",
    "a service has the rights of no other role": "grant pg_read_all_data to parpour_app",
    "a role of ours is not above the rules": "alter role parpour_relay bypassrls",
    "the owner does not log in": "alter role parpour_owner login",
}


async def test_nothing_breaks_a_rule(shared: Place) -> None:
    connection = await asyncpg.connect(shared.dsn("postgres"))
    assert await breaches(connection) == []
    await connection.close()


@pytest.mark.parametrize("rule", [*MUTANTS, *BY_THE_ADMINISTRATOR])
async def test_a_rule_finds_what_breaks_it(shared: Place, rule: str) -> None:
    connection = await asyncpg.connect(shared.dsn("postgres"))
    broken = connection.transaction()
    await broken.start()
    if rule in MUTANTS:
        await connection.execute(f"set local role parpour_owner; {MUTANTS[rule]}; reset role")
    else:
        await connection.execute(BY_THE_ADMINISTRATOR[rule])
    assert rule in {breach.rule for breach in await breaches(connection)}
    await broken.rollback()
    await connection.close()


async def test_a_partition_is_held_to_the_rules_of_tables(shared: Place) -> None:
    connection = await asyncpg.connect(shared.dsn("postgres"))
    broken = connection.transaction()
    await broken.start()
    await connection.execute(
        "set local role parpour_owner;"
        "create table controlplane.t (tenant_id uuid not null, n integer, primary key (tenant_id, n))"
        "partition by hash (tenant_id);"
        "call controlplane.guard('controlplane.t');"
        "create table controlplane.t0 partition of controlplane.t for values with (modulus 1, remainder 0)"
    )
    assert {breach.object.split()[0] for breach in await breaches(connection)} == {"controlplane.t0"}
    await broken.rollback()
    await connection.close()


async def test_a_function_that_verifies_is_no_breach(shared: Place) -> None:
    connection = await asyncpg.connect(shared.dsn("postgres"))
    made = connection.transaction()
    await made.start()
    await connection.execute(
        "set local role parpour_owner; create function controlplane.f(context text) returns void language plpgsql "
        f"security definer {PINNED} as $${ENTERS}$$; grant execute on function controlplane.f(text) to parpour_app"
    )
    assert await breaches(connection) == []
    await made.rollback()
    await connection.close()
