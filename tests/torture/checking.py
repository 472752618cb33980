"""What has to hold after a seed, whatever happened in it: computed from the tables, and not by the code under test."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest

from parpour_controlplane.chain.faults import ChainFault
from parpour_controlplane.relaying.reconciling import reconcile
from parpour_controlplane.sealing.stores import FolderStore
from parpour_treasury.auditing.handing import audit, hand_over
from parpour_treasury.spending.states import State
from parpour_treasury.spending.testing import Venture
from torture.playing import Player, payments_of
from torture.worlds import KEY, World

_UNBALANCED = """
    select l.journal, l.currency, sum(l.amount) from treasury.leg l where l.tenant_id = $1
    group by l.journal, l.currency having sum(l.amount) <> 0
"""
_BALANCES = """
    select a.code from treasury.account a left join (
        select account_id, sum(amount) as total from treasury.leg where tenant_id = $1 group by account_id
    ) l using (account_id) where a.tenant_id = $1 and a.posted <> coalesce(l.total, 0)
"""
_PENDING = """
    select a.code from treasury.account a left join (
        select l.account_id, sum(greatest(l.amount - l.settled, 0)) as debit,
            sum(greatest(l.settled - l.amount, 0)) as credit
        from treasury.hold h join treasury.hold_leg l using (tenant_id, hold_id)
        where h.tenant_id = $1 and h.state = 'open' group by l.account_id
    ) p using (account_id)
    where a.tenant_id = $1 and (a.pending_debit, a.pending_credit) <> (coalesce(p.debit, 0), coalesce(p.credit, 0))
"""
_RESERVED = """
    select (select coalesce(sum(amount), 0) from treasury.spend
            where tenant_id = $1 and state in ('reserved', 'submitting', 'unknown')),
        (select coalesce(sum(greatest(l.amount, 0)), 0) from treasury.hold h
            join treasury.hold_leg l using (tenant_id, hold_id) where h.tenant_id = $1 and h.state = 'open')
"""
_TAKEN_OUT = """
    select count(*) from treasury.journal j join treasury.leg l on l.tenant_id = j.tenant_id and l.journal = j.number
    join treasury.account a on a.tenant_id = l.tenant_id and a.account_id = l.account_id
    where j.tenant_id = $1 and j.correlation = $2 and a.code = 'assets:in-transit:usd' and l.amount > 0
"""
_CORRELATIONS = """
    select distinct j.correlation from treasury.journal j
    join treasury.leg l on l.tenant_id = j.tenant_id and l.journal = j.number
    join treasury.account a on a.tenant_id = l.tenant_id and a.account_id = l.account_id
    where j.tenant_id = $1 and a.code = 'assets:in-transit:usd'
"""
_EVENTS = """
    select (select count(*) from controlplane.event where tenant_id = $1) as written,
        (select count(*) from controlplane.sealed_event where tenant_id = $1) as sealed,
        (select max(position) from controlplane.sealed_event where tenant_id = $1) as position,
        (select relayed from controlplane.chain_head where tenant_id = $1) as relayed,
        (select count(*) from torture.applied where tenant_id = $1) as applied,
        (select count(distinct event_id) from torture.applied where tenant_id = $1) as different
"""

_STAND = "select spend_id, state, amount, code from treasury.spend where tenant_id = $1"
_FOUND = "select correlation from treasury.found_payment where tenant_id = $1 and journal is not null"
_APPLIED = """
    select count(*) as sealed,
        coalesce((select relayed from controlplane.chain_head where tenant_id = $1), 0) as relayed,
        count(distinct a.event_id) as applied, count(a.event_id) as different
    from controlplane.sealed_event s left join torture.applied a using (tenant_id, event_id) where tenant_id = $1
"""

NAMED = {"CHAIN_FORKED", "CHAIN_ROLLED_BACK", "CHAIN_TRUNCATED"}
"""How a verifier names it."""
NOTHING_MOVED = {State.CANCELLED, State.EXPIRED, State.FAILED, State.REFUSED, State.REJECTED}
AFTER_SENT = {State.SENT, State.SETTLED, State.RETURNED}


async def check(player: Player) -> None:
    """Hold a seed that came to its end to all that must be true.

    Raises:
        AssertionError: if something is not.
    """
    assert all(one.outcome is not None or one.dropped for one in player.intents)
    assert all(one.outcome.spend in (one.spend, None) for one in player.intents if one.spend and one.outcome)
    await check_books(player.world)
    for venture in player.world.ventures:
        await _check_payments(player, venture)
        if await player.world.rolled_back(venture.tenant):
            assert player.gone_back
            player.world.fuse.seen["people", "rolled back"] += 1
            await _check_rolled_back(player.world, venture)
        else:
            if player.gone_back:
                which = "resumed" if venture.tenant in player.world.resumed else "went on"
                player.world.fuse.seen["people", which] += 1
            await _check_events(player.world, venture, gone_back=player.gone_back)


async def check_books(world: World) -> None:
    """At any moment sums are zero, balances are the sum of legs, and what is reserved is the sum of open holds."""
    session = world.servers.administrator
    for venture in world.ventures:
        assert await venture.faults() == []
        for query in (_UNBALANCED, _BALANCES, _PENDING):
            assert await session.fetch(query, venture.tenant) == []
        reserved, held = await session.fetchrow(_RESERVED, venture.tenant)
        assert reserved == held


async def _check_payments(player: Player, venture: Venture) -> None:
    """Every payment at a provider was taken out of the books once, and nothing else was."""
    world = player.world
    known = {spend for whose, spend in player.spends() if whose is venture}
    session = world.servers.administrator
    stand = {row["spend_id"]: row for row in await session.fetch(_STAND, venture.tenant)}
    assert stand.keys() <= known
    found = Counter(row["correlation"] for row in await session.fetch(_FOUND, venture.tenant))
    for spend in known:
        paid = [
            one
            for (tenant, _), account in world.accounts.items()
            if tenant == venture.tenant
            for one in payments_of(account, spend)
        ]
        out = await session.fetchval(_TAKEN_OUT, venture.tenant, spend)
        stands = stand.get(spend)
        place = (world.seed, spend, stands and dict(stands), paid, out)
        assert len(paid) <= 1, place
        assert out <= len(paid), place
        if spend in found:
            # What only the provider knew, people have booked; the spend itself, if it is there, has moved nothing.
            assert (len(paid), found[spend], out) == (1, 1, 0), place
            assert stands is None or stands["state"] in NOTHING_MOVED, place
        elif stands is None:
            # A request that Mercury's people turned down is in no list of payments.
            assert not any(one.stands for one in paid), place
        elif paid and paid[0].stands:
            assert (stands["state"], out) == (State.SETTLED, 1), place
            assert (paid[0].amount, paid[0].key) == (stands["amount"], str(spend)), place
        elif stands["state"] in AFTER_SENT:
            assert (stands["state"], out) == (State.RETURNED, 1), place
    moved = {row["correlation"] for row in await session.fetch(_CORRELATIONS, venture.tenant)}
    assert moved <= known | world.booked
    ordered = {
        UUID(one.spend_id)
        for (whose, _), account in world.accounts.items()
        if whose == venture.tenant
        for one in account.double.payments()
    }
    assert ordered <= known


async def _check_events(world: World, venture: Venture, *, gone_back: bool) -> None:
    """Every commit's event is sealed, published and applied once; the chain verifies and tells what the books say."""
    found = await world.servers.administrator.fetchrow(_EVENTS, venture.tenant)
    if gone_back:
        await _check_applied(world, venture)
        assert found["written"] == found["sealed"]
    else:
        assert len(set(found.values())) == 1, dict(found)
    await _check_stream(world, venture, gone_back=gone_back)
    folder: Path = world.folder / str(venture.tenant)
    await hand_over(venture.books.database, venture.context, world.store, venture.tenant, folder)
    accepted = [one for one in [world.resumed.get(venture.tenant)] if one is not None]
    if accepted:
        with pytest.raises(ChainFault, match="CHAIN_RESUMED"):
            audit(folder, [KEY.public])
    audited = audit(folder, [KEY.public], accepted=accepted)
    assert [bytes.fromhex(one.checkpoint) for one in audited.losses] == accepted
    assert (audited.findings, audited.tail, audited.history.events) == ((), 0, found["written"])


async def _check_rolled_back(world: World, venture: Venture) -> None:
    """A database that lacks what was signed gets no further signature, and a verifier names it.

    With the checkpoints as they are, or with those that are younger than the database taken away.
    """
    await _check_applied(world, venture)
    await _check_stream(world, venture, gone_back=True)
    _, kept = world.store.last(venture.tenant)
    query = "select coalesce(max(position), 0) from controlplane.sealed_event where tenant_id = $1"
    position = await world.servers.administrator.fetchval(query, venture.tenant)
    older = FolderStore(world.folder / "older")
    covered = [one for one in world.store.read(venture.tenant) if one.head.size <= position]
    for number, one in enumerate(covered, 1):
        older.put(number, one)
    for store, codes in ((world.store, NAMED), (older, {"CHAIN_ROLLED_BACK"} if covered else NAMED)):
        folder: Path = world.folder / f"{venture.tenant}-{store.folder.name}"
        await hand_over(venture.books.database, venture.context, store, venture.tenant, folder)
        with pytest.raises(ChainFault) as caught:
            audit(folder, [KEY.public], kept=kept)
        assert caught.value.code in codes, caught.value


async def _check_applied(world: World, venture: Venture) -> None:
    """Whatever has its place was published and applied once; a stream that was not set back may hold more."""
    found = await world.servers.administrator.fetchrow(_APPLIED, venture.tenant)
    assert len(set(found.values())) == 1, dict(found)


async def _check_stream(world: World, venture: Venture, *, gone_back: bool) -> None:
    """The stream has every event; and none that the database does not know, unless that has gone back."""
    place = world.servers.place
    relay = world.servers.databases["parpour_relay"].pool

    def context() -> str:
        return place.relay.mint(tenant=venture.tenant, actor="system:reconciler")

    if gone_back:
        # The stream took for repetitions what was sealed anew.
        await reconcile(relay, context, world.servers.jetstream, venture.tenant)
    found = await reconcile(relay, context, world.servers.jetstream, venture.tenant, repair=False)
    assert (found.missing, found.stale) == ([], [])
    assert gone_back or not found.unknown
