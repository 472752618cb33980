-- The chain: events get their place after the commit that wrote them, by one sealer a tenant at a time, and one relay a
-- tenant at a time publishes what has its place.
--
-- A transaction that writes events leaves one row in controlplane.unsealed. Sealer and relay learn from two narrow policies
-- which tenants have something for them, so that thousands of idle tenants cost one look at a nearly empty index; whatever
-- they read or write of a tenant goes through functions, in its name. Who takes a tenant raises its epoch, and a writer with
-- an older epoch is refused: a process that was paused may wake up at any time and do no harm.

create table controlplane.unsealed (
    tenant_id uuid not null,
    transaction xid8 not null,
    events integer not null,
    primary key (tenant_id, transaction)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
comment on table controlplane.unsealed is 'Transactions whose events have no place yet';
comment on column controlplane.unsealed.events is 'How many it wrote';
-- What was written before this file is unsealed too. The owner sees the rows of all tenants only while nothing is forced.
alter table controlplane.event no force row level security;
insert into controlplane.unsealed (tenant_id, transaction, events)
select e.tenant_id, e.transaction, count(*) from controlplane.event e group by e.tenant_id, e.transaction;
alter table controlplane.event force row level security;
call controlplane.guard('controlplane.unsealed');
create policy sealer on controlplane.unsealed for select to parpour_sealer using (true);
grant select (tenant_id, transaction) on controlplane.unsealed to parpour_sealer;

create table controlplane.chain_head (
    tenant_id uuid primary key,
    epoch bigint not null default 0,
    held_until timestamptz not null default '-infinity',
    position bigint not null default 0,
    blocks bigint not null default 0,
    hash bytea not null default decode(repeat('00', 32), 'hex') check (length(hash) = 32),
    peaks bytea[] not null default '{}',
    signed bigint not null default 0,
    relay_epoch bigint not null default 0,
    relay_held_until timestamptz not null default '-infinity',
    relayed bigint not null default 0,
    check (signed between 0 and blocks),
    check (relayed between 0 and position)
) with (fillfactor = 50);
comment on table controlplane.chain_head is 'What a tenant''s chain has come to, who may add to it, and how far it was published';
comment on column controlplane.chain_head.epoch is 'The sealer that took it last; an older one is refused';
comment on column controlplane.chain_head.hash is 'Of the last block';
comment on column controlplane.chain_head.peaks is 'Hashes of the full subtrees of the tree of all blocks';
comment on column controlplane.chain_head.signed is 'Blocks that the last checkpoint covers, as far as is noted';
comment on column controlplane.chain_head.relayed is 'Position up to which the stream has every event';
call controlplane.guard('controlplane.chain_head');
create policy sealer on controlplane.chain_head for select to parpour_sealer using (signed < blocks);
create policy relay on controlplane.chain_head for select to parpour_relay using (true);
grant select (tenant_id, blocks, signed, held_until) on controlplane.chain_head to parpour_sealer;
grant select (tenant_id, position, relayed) on controlplane.chain_head to parpour_relay;
create index unsigned on controlplane.chain_head (tenant_id) where signed < blocks;
create index unrelayed on controlplane.chain_head (tenant_id) where relayed < position;
create trigger goes_forward before update on controlplane.chain_head
    for each row when (
        new.tenant_id <> old.tenant_id or new.position < old.position or new.blocks < old.blocks
        or new.epoch < old.epoch or new.signed < old.signed or new.relay_epoch < old.relay_epoch or new.relayed < old.relayed
    ) execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on controlplane.chain_head
    for each statement execute function controlplane.refuse_change();

create table controlplane.block (
    tenant_id uuid not null references controlplane.chain_head,
    number bigint not null check (number > 0),
    first bigint not null,
    count integer not null check (count > 0),
    root bytea not null check (length(root) = 32),
    previous bytea not null check (length(previous) = 32),
    sealed_at bigint not null,
    hash bytea not null check (length(hash) = 32),
    head_root bytea not null check (length(head_root) = 32),
    primary key (tenant_id, number)
);
comment on table controlplane.block is 'Consecutive events of a tenant, by the root of their tree';
comment on column controlplane.block.sealed_at is 'Microseconds since 1970, as they are hashed';
comment on column controlplane.block.head_root is 'Root of the tree of all blocks up to this one';
call controlplane.guard('controlplane.block');
create trigger immutable before update or delete or truncate on controlplane.block
    for each statement execute function controlplane.refuse_change();
grant select on controlplane.block to parpour_app;

create table controlplane.sealed_event (
    tenant_id uuid not null,
    position bigint not null check (position > 0),
    event_id uuid not null,
    transaction xid8 not null,
    ordinal bigint not null,
    salt bytea check (length(salt) = 32),
    commitment bytea not null check (length(commitment) = 32),
    leaf bytea not null check (length(leaf) = 32),
    primary key (tenant_id, position),
    unique (tenant_id, event_id)
);
comment on table controlplane.sealed_event is 'The place of an event, and what stands in the chain for it';
comment on column controlplane.sealed_event.salt is 'Null after the payload was erased: without it nobody finds out what was said by trying';
call controlplane.guard('controlplane.sealed_event');
create trigger immutable before update on controlplane.sealed_event
    for each row when (
        new.salt is not null or (new.tenant_id, new.position, new.event_id, new.transaction, new.ordinal, new.commitment, new.leaf)
            is distinct from (old.tenant_id, old.position, old.event_id, old.transaction, old.ordinal, old.commitment, old.leaf)
    ) execute function controlplane.refuse_change();
create trigger stays before delete or truncate on controlplane.sealed_event
    for each statement execute function controlplane.refuse_change();
grant select (tenant_id, position, event_id, leaf) on controlplane.sealed_event to parpour_app;

-- An event stays as it is, but for its payload, which can be erased.
alter table controlplane.event alter payload drop not null;
comment on column controlplane.event.payload is 'As text, because it is hashed; null after it was erased';
drop trigger immutable on controlplane.event;
create trigger immutable before update on controlplane.event
    for each row when (
        new.payload is not null or (new.tenant_id, new.transaction, new.ordinal, new.event_id, new.type, new.version,
            new.occurred_at, new.actor, new.correlation, new.causation, new.subject, new.taint)
            is distinct from (old.tenant_id, old.transaction, old.ordinal, old.event_id, old.type, old.version,
            old.occurred_at, old.actor, old.correlation, old.causation, old.subject, old.taint)
    ) execute function controlplane.refuse_change();
create trigger stays before delete or truncate on controlplane.event
    for each statement execute function controlplane.refuse_change();

create function controlplane.note_unsealed() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select from inserted i where i.payload is null) then
        raise exception using errcode = 'PC009', message = 'EVENT_MALFORMED', detail = 'an event is written with its payload';
    end if;
    insert into controlplane.unsealed as u (tenant_id, transaction, events)
    select i.tenant_id, i.transaction, count(*) from inserted i group by i.tenant_id, i.transaction
    on conflict (tenant_id, transaction) do update set events = u.events + excluded.events;
    -- A cause that is nowhere would have no earlier place, ever. Within a transaction causes are written first.
    if exists (
        select from inserted i where i.causation is not null
            and not exists (
                select from controlplane.sealed_event s where s.tenant_id = i.tenant_id and s.event_id = i.causation
            )
            and not exists (
                select from controlplane.unsealed u
                join controlplane.event e on e.tenant_id = u.tenant_id and e.transaction = u.transaction
                where u.tenant_id = i.tenant_id and e.event_id = i.causation
                    and (e.transaction <> i.transaction or e.ordinal < i.ordinal)
            )
    ) then
        raise exception using errcode = 'PC008', message = 'EVENT_CAUSE_UNKNOWN', detail = 'no such event was written before';
    end if;
    return null;
end
$$;
comment on function controlplane.note_unsealed is 'Leaves word for the sealer, once a statement, and holds causes to exist';
create trigger unsealed after insert on controlplane.event
    referencing new table as inserted for each statement execute function controlplane.note_unsealed();

create function controlplane.take_chain(
    context text, held bigint, seconds double precision,
    out epoch bigint, out "position" bigint, out blocks bigint, out hash bytea, out peaks bytea[], out signed bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    insert into controlplane.chain_head (tenant_id) values (tenant) on conflict do nothing;
    update controlplane.chain_head h
    set epoch = h.epoch + 1, held_until = clock_timestamp() + make_interval(secs => seconds)
    where h.tenant_id = tenant and (h.held_until <= clock_timestamp() or h.epoch = held)
    returning h.epoch, h.position, h.blocks, h.hash, h.peaks, h.signed into epoch, "position", blocks, hash, peaks, signed;
end
$$;
comment on function controlplane.take_chain is 'Makes the caller the tenant''s sealer for a time, unless another one is; who holds it names its epoch';

create function controlplane.release_chain(context text, held bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    update controlplane.chain_head h set held_until = '-infinity' where h.tenant_id = tenant and h.epoch = held;
end
$$;
comment on function controlplane.release_chain is 'Lets another sealer take the tenant at once';

create function controlplane.note_signed(context text, held bigint, blocks bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    -- What a crash of the server takes back is noted again.
    perform set_config('synchronous_commit', 'off', true);
    update controlplane.chain_head h set signed = note_signed.blocks where h.tenant_id = tenant and h.epoch = held;
    if not found then
        raise exception using errcode = 'PC006', message = 'SEALER_STALE', detail = 'another sealer has taken the tenant';
    end if;
end
$$;
comment on function controlplane.note_signed is 'Notes how many blocks the last checkpoint covers, so that nobody looks for those that lack one';

create function controlplane.unsealed_events(context text, most integer) returns table (
    transaction xid8, ordinal bigint, event_id uuid, type text, version smallint, occurred_at timestamptz, actor text,
    correlation uuid, causation uuid, subject text, payload text, taint text[]
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    -- Whatever has a lower number is committed and seen, or never will be.
    horizon constant xid8 := pg_snapshot_xmin(pg_current_snapshot());
    chosen xid8[];
    causes xid8[];
begin
    select array_agg(c.transaction) into chosen from (
        select u.transaction, sum(u.events) over (order by u.transaction) - u.events as before
        from controlplane.unsealed u where u.tenant_id = tenant and u.transaction < horizon
    ) c where c.before < most;
    -- An effect can have a lower number than its cause; then the cause is below the horizon too, but perhaps not chosen.
    while exists (select from controlplane.unsealed u where u.tenant_id = tenant and u.transaction < horizon and u.transaction <> all(chosen)) loop
        select array_agg(distinct c.transaction) into causes
        from unnest(chosen) as n(transaction)
        join controlplane.event e on e.tenant_id = tenant and e.transaction = n.transaction and e.causation is not null
        join controlplane.unsealed u on u.tenant_id = tenant and u.transaction <> all(chosen)
        join controlplane.event c on c.tenant_id = tenant and c.transaction = u.transaction and c.event_id = e.causation;
        exit when causes is null;
        chosen := chosen || causes;
    end loop;
    return query
    select e.transaction, e.ordinal, e.event_id, e.type, e.version, e.occurred_at, e.actor, e.correlation, e.causation, e.subject,
        e.payload::text, e.taint
    from controlplane.event e where e.tenant_id = tenant and e.transaction = any(chosen)
    order by e.transaction, e.ordinal;
end
$$;
comment on function controlplane.unsealed_events is 'Events of whole transactions that can be sealed, the oldest first, about so many, with all their causes';

create function controlplane.seal_block(
    context text, held bigint, seconds double precision, number bigint, first bigint, root bytea, previous bytea, sealed_at bigint,
    hash bytea, head_root bytea, peaks bytea[], transactions xid8[], ordinals bigint[], event_ids uuid[], salts bytea[],
    commitments bytea[], leaves bytea[]
) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    total constant bigint := cardinality(event_ids);
    noted bigint;
begin
    update controlplane.chain_head h
    set position = h.position + total, blocks = h.blocks + 1, hash = seal_block.hash, peaks = seal_block.peaks,
        held_until = clock_timestamp() + make_interval(secs => seconds)
    where h.tenant_id = tenant and h.epoch = held and h.position = seal_block.first - 1
        and h.blocks = seal_block.number - 1 and h.hash = seal_block.previous;
    if not found then
        raise exception using errcode = 'PC006', message = 'SEALER_STALE', detail = 'another sealer has taken the tenant';
    end if;
    insert into controlplane.block (tenant_id, number, first, count, root, previous, sealed_at, hash, head_root)
    values (tenant, seal_block.number, seal_block.first, total, seal_block.root, seal_block.previous, seal_block.sealed_at,
        seal_block.hash, seal_block.head_root);
    insert into controlplane.sealed_event (tenant_id, position, event_id, transaction, ordinal, salt, commitment, leaf)
    select tenant, seal_block.first - 1 + n.place, n.event_id, n.transaction, n.ordinal, n.salt, n.commitment, n.leaf
    from unnest(transactions, ordinals, event_ids, salts, commitments, leaves)
        with ordinality as n(transaction, ordinal, event_id, salt, commitment, leaf, place)
    cross join lateral (
        select from controlplane.event e
        where e.tenant_id = tenant and e.transaction = n.transaction and e.ordinal = n.ordinal and e.event_id = n.event_id
        offset 0
    ) e;
    get diagnostics noted = row_count;
    if noted = total then
        with done as (
            delete from controlplane.unsealed u
            where u.tenant_id = tenant and u.transaction = any(array(select distinct t from unnest(transactions) as t))
            returning u.events
        )
        select sum(d.events) into noted from done d;
    end if;
    if noted is distinct from total then
        raise exception using errcode = 'PC007', message = 'SEALER_INCOMPLETE', detail = 'a block is made of whole transactions';
    end if;
end
$$;
comment on function controlplane.seal_block is 'Gives the events of whole transactions their places in the next block; refuses who is not the tenant''s sealer';

create function controlplane.head_root(context text, number bigint) returns bytea
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    return (select b.head_root from controlplane.block b where b.tenant_id = tenant and b.number = head_root.number);
end
$$;
comment on function controlplane.head_root is 'Root of the tree of so many blocks, to be compared with what was signed';

create function controlplane.sealed_events(context text, after bigint, most integer) returns table (
    "position" bigint, event_id uuid, type text, version smallint, occurred_at timestamptz, actor text, correlation uuid,
    causation uuid, subject text, payload text, taint text[], salt bytea, commitment bytea, leaf bytea
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    return query
    select s.position, e.event_id, e.type, e.version, e.occurred_at, e.actor, e.correlation, e.causation, e.subject,
        e.payload::text, e.taint, s.salt, s.commitment, s.leaf
    from (
        select * from controlplane.sealed_event s
        where s.tenant_id = tenant and s.position > after order by s.position limit most
    ) s
    cross join lateral (
        select * from controlplane.event e
        where e.tenant_id = tenant and e.transaction = s.transaction and e.ordinal = s.ordinal
        offset 0
    ) e
    order by s.position;
end
$$;
comment on function controlplane.sealed_events is 'A tenant''s events in their order, after a position';

create function controlplane.take_relay(
    context text, held bigint, seconds double precision, out epoch bigint, out "position" bigint, out relayed bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    update controlplane.chain_head h
    set relay_epoch = h.relay_epoch + 1, relay_held_until = clock_timestamp() + make_interval(secs => seconds)
    where h.tenant_id = tenant and (h.relay_held_until <= clock_timestamp() or h.relay_epoch = held)
    returning h.relay_epoch, h.position, h.relayed into epoch, "position", relayed;
end
$$;
comment on function controlplane.take_relay is 'Makes the caller the tenant''s relay for a time, unless another one is';

create function controlplane.release_relay(context text, held bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    update controlplane.chain_head h set relay_held_until = '-infinity' where h.tenant_id = tenant and h.relay_epoch = held;
end
$$;
comment on function controlplane.release_relay is 'Lets another relay take the tenant at once';

create function controlplane.advance_relay(context text, held bigint, seconds double precision, "position" bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    -- A mark that a crash of the server takes back leads to repetitions, so its commit need not wait for the disk.
    perform set_config('synchronous_commit', 'off', true);
    update controlplane.chain_head h
    set relayed = greatest(h.relayed, advance_relay."position"), relay_held_until = clock_timestamp() + make_interval(secs => seconds)
    where h.tenant_id = tenant and h.relay_epoch = held;
    if not found then
        raise exception using errcode = 'PC006', message = 'RELAY_STALE', detail = 'another relay has taken the tenant';
    end if;
end
$$;
comment on function controlplane.advance_relay is 'Notes that the stream has every event up to a position; refuses who is not the tenant''s relay';

create function controlplane.chain_extent(context text, out "position" bigint, out relayed bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    select h.position, h.relayed into "position", relayed from controlplane.chain_head h where h.tenant_id = tenant;
end
$$;
comment on function controlplane.chain_extent is 'How many events are sealed, and how many of them were published';

create function controlplane.erase_event_payload(context text, event_id uuid, reason text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    place controlplane.sealed_event;
begin
    select s.* into place from controlplane.sealed_event s
    where s.tenant_id = tenant and s.event_id = erase_event_payload.event_id for update;
    if not found then
        raise exception using errcode = 'PC010', message = 'EVENT_NOT_SEALED', detail = 'no such event has its place yet';
    end if;
    if coalesce(length(reason), 0) not between 1 and 500 then
        raise exception using errcode = 'PC009', message = 'EVENT_MALFORMED', detail = 'a reason has 1 to 500 characters';
    end if;
    if place.salt is null then
        return false;
    end if;
    update controlplane.event e set payload = null
    where e.tenant_id = tenant and e.transaction = place.transaction and e.ordinal = place.ordinal;
    update controlplane.sealed_event s set salt = null where s.tenant_id = tenant and s.position = place.position;
    insert into controlplane.event (tenant_id, type, version, occurred_at, actor, correlation, causation, subject, payload)
    values (tenant, 'controlplane.payload.erased', 1, clock_timestamp(), controlplane.current_actor(), gen_random_uuid(),
        place.event_id, 'event/' || place.event_id,
        json_build_object('event', place.event_id, 'position', place.position, 'reason', reason));
    return true;
end
$$;
comment on function controlplane.erase_event_payload is 'Deletes what an event said; that it happened stays proven. False if it was erased before';

create table controlplane.inbox (
    tenant_id uuid not null,
    consumer text not null check (consumer ~ '^[a-z][a-z0-9-]{0,62}$'),
    event_id uuid not null,
    applied_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, consumer, event_id)
);
comment on table controlplane.inbox is 'Which events a consumer has applied, noted in the commit in which it did';
call controlplane.guard('controlplane.inbox');
create trigger immutable before update or delete or truncate on controlplane.inbox
    for each statement execute function controlplane.refuse_change();

create function controlplane.apply_once(context text, consumer text, event_id uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    insert into controlplane.inbox (tenant_id, consumer, event_id)
    values (tenant, apply_once.consumer, apply_once.event_id) on conflict do nothing;
    return found;
end
$$;
comment on function controlplane.apply_once is 'True the first time that a consumer asks for an event; a second one waits for the first to commit';

grant execute on function controlplane.take_chain(text, bigint, double precision), controlplane.release_chain(text, bigint),
    controlplane.note_signed(text, bigint, bigint), controlplane.unsealed_events(text, integer), controlplane.head_root(text, bigint),
    controlplane.seal_block(text, bigint, double precision, bigint, bigint, bytea, bytea, bigint, bytea, bytea, bytea[], xid8[],
        bigint[], uuid[], bytea[], bytea[], bytea[])
    to parpour_sealer;
grant execute on function controlplane.take_relay(text, bigint, double precision), controlplane.release_relay(text, bigint),
    controlplane.advance_relay(text, bigint, double precision, bigint)
    to parpour_relay;
grant execute on function controlplane.sealed_events(text, bigint, integer), controlplane.chain_extent(text)
    to parpour_app, parpour_relay;
grant execute on function controlplane.erase_event_payload(text, uuid, text) to parpour_app;
grant execute on function controlplane.apply_once(text, text, uuid) to parpour_app, parpour_payment;
