-- What happened to one thing is found without a look at everything else. The sealer notes it, after the commit: no posting
-- pays for the index.

create function controlplane.subject_key(subject text) returns bigint
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select ('x' || left(encode(sha256(convert_to(subject, 'UTF8')), 'hex'), 16))::bit(64)::bigint $$;
comment on function controlplane.subject_key is 'Eight bytes that stand for a subject; another one may have the same';

-- In the order in which a commit takes them.
lock table controlplane.event, controlplane.sealed_event in access exclusive mode;

alter table controlplane.sealed_event add column subject_key bigint;
comment on column controlplane.sealed_event.subject_key is 'What the event is about';

create or replace function controlplane.seal_block(
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
    insert into controlplane.sealed_event (tenant_id, position, event_id, transaction, ordinal, salt, commitment, leaf, subject_key)
    select tenant, seal_block.first - 1 + n.place, n.event_id, n.transaction, n.ordinal, n.salt, n.commitment, n.leaf,
        controlplane.subject_key(e.subject)
    from unnest(transactions, ordinals, event_ids, salts, commitments, leaves)
        with ordinality as n(transaction, ordinal, event_id, salt, commitment, leaf, place)
    cross join lateral (
        select e.subject from controlplane.event e
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

-- What was sealed before. The owner sees the rows of all tenants only while nothing is forced.
alter table controlplane.event no force row level security;
alter table controlplane.sealed_event no force row level security;
drop trigger immutable on controlplane.sealed_event;
update controlplane.sealed_event s set subject_key = controlplane.subject_key(e.subject)
from controlplane.event e where e.tenant_id = s.tenant_id and e.transaction = s.transaction and e.ordinal = s.ordinal;
alter table controlplane.sealed_event alter subject_key set not null;
alter table controlplane.event force row level security;
alter table controlplane.sealed_event force row level security;

create index about on controlplane.sealed_event (tenant_id, subject_key, position);

create trigger immutable before update on controlplane.sealed_event
    for each row when (
        new.salt is not null
        or (new.tenant_id, new.position, new.event_id, new.transaction, new.ordinal, new.commitment, new.leaf, new.subject_key)
            is distinct from
            (old.tenant_id, old.position, old.event_id, old.transaction, old.ordinal, old.commitment, old.leaf, old.subject_key)
    ) execute function controlplane.refuse_change();

create or replace function controlplane.page_of_events(
    context text, after bigint, before bigint, about text, most integer, backward boolean
) returns table (
    "position" bigint, event_id uuid, type text, version smallint, occurred_at timestamptz, actor text, correlation uuid,
    causation uuid, subject text, payload text, taint text[]
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    key constant bigint := controlplane.subject_key(about);
    places bigint[];
begin
    if about is not null then
        if backward then
            places := array(
                select s.position from controlplane.sealed_event s
                cross join lateral (
                    select from controlplane.event e
                    where e.tenant_id = tenant and e.transaction = s.transaction and e.ordinal = s.ordinal and e.subject = about
                    offset 0
                ) e
                where s.tenant_id = tenant and s.subject_key = key and s.position > after and s.position < before
                order by s.position desc limit most
            );
        else
            places := array(
                select s.position from controlplane.sealed_event s
                cross join lateral (
                    select from controlplane.event e
                    where e.tenant_id = tenant and e.transaction = s.transaction and e.ordinal = s.ordinal and e.subject = about
                    offset 0
                ) e
                where s.tenant_id = tenant and s.subject_key = key and s.position > after and s.position < before
                order by s.position limit most
            );
        end if;
    elsif backward then
        places := array(
            select s.position from controlplane.sealed_event s
            where s.tenant_id = tenant and s.position > after and s.position < before order by s.position desc limit most
        );
    else
        places := array(
            select s.position from controlplane.sealed_event s
            where s.tenant_id = tenant and s.position > after and s.position < before order by s.position limit most
        );
    end if;
    return query
    select s.position, e.event_id, e.type, e.version, e.occurred_at, e.actor, e.correlation, e.causation, e.subject,
        e.payload::text, e.taint
    from unnest(places) as p(place)
    cross join lateral (
        select * from controlplane.sealed_event s where s.tenant_id = tenant and s.position = p.place offset 0
    ) s
    cross join lateral (
        select * from controlplane.event e
        where e.tenant_id = tenant and e.transaction = s.transaction and e.ordinal = s.ordinal
        offset 0
    ) e
    order by s.position;
end
$$;
