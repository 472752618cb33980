-- Which namespace is which venture's, and what was reserved for metered work.
--
-- A namespace belongs to one venture and a venture has one namespace: the first half reaches across tenants, so no table
-- of a tenant can hold it. The owner alone reads that table, and the functions tell each tenant of itself and the platform
-- (the context of the nil tenant) of all.
--
-- A reservation is a spend on an internal payee. What stands here is what a spend does not know: what was asked, at which
-- prices, and what was reported to be used.

create table treasury.namespace (
    namespace_id uuid primary key,
    venture uuid not null unique,
    name text not null check (length(name) between 1 and 63),
    bound_at timestamptz not null
);
comment on table treasury.namespace is 'Namespaces of a cluster and the ventures that they are bound to, for good. Readable by the owner alone';
create trigger immutable before update or delete or truncate on treasury.namespace
    for each statement execute function controlplane.refuse_change();

create function treasury.bind_namespace(context text, namespace uuid, name text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    if not found then
        perform treasury.refuse('TREASURY_LEDGER_UNKNOWN', 'this tenant has no books');
    end if;
    insert into treasury.namespace (namespace_id, venture, name, bound_at)
    values (namespace, tenant, bind_namespace.name, clock_timestamp()) on conflict do nothing;
    if found then
        perform treasury.note(tenant, 'treasury.namespace.bound', 'namespace/' || namespace,
            json_build_object('namespace', namespace, 'name', bind_namespace.name));
        return null;
    end if;
    return case
        when exists (select from treasury.namespace n where n.namespace_id = namespace and n.venture = tenant) then null
        when exists (select from treasury.namespace n where n.namespace_id = namespace) then 'namespace'
        else 'venture'
    end;
end
$$;
comment on function treasury.bind_namespace is 'Binds a namespace to the tenant; null, or what is bound otherwise';

create function treasury.refuse_others(tenant uuid) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
    if tenant is distinct from '00000000-0000-0000-0000-000000000000' then
        raise exception using errcode = 'PC002', message = 'CONTEXT_REFUSED', detail = 'the context is not the platform''s';
    end if;
end
$$;
comment on function treasury.refuse_others is 'Lets on whoever acts for the platform';

create function treasury.venture_of(context text, namespace uuid) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    perform treasury.refuse_others(tenant);
    return (select n.venture from treasury.namespace n where n.namespace_id = namespace);
end
$$;
comment on function treasury.venture_of is 'The venture of a namespace, for the platform';

create function treasury.ventures(context text, after uuid, most integer) returns setof uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    perform treasury.refuse_others(tenant);
    return query select n.venture from treasury.namespace n where n.venture >= after order by n.venture limit most;
end
$$;
comment on function treasury.ventures is 'Ventures from one on, for the platform';

create table treasury.reservation (
    tenant_id uuid not null references treasury.ledger,
    reservation_id uuid not null,
    key text not null check (length(key) between 1 and 128),
    subject uuid not null,
    kind text not null check (length(kind) between 1 and 63),
    namespace text not null check (length(namespace) between 1 and 63),
    name text not null check (length(name) between 1 and 253),
    generation bigint not null check (generation >= 0),
    digest bytea not null check (length(digest) = 32),
    terms json not null,
    attempt integer not null default 1 check (attempt > 0),
    spend_id uuid,
    usage json,
    opened_at timestamptz not null,
    primary key (tenant_id, reservation_id),
    unique (tenant_id, key),
    foreign key (tenant_id, spend_id) references treasury.spend (tenant_id, spend_id)
);
comment on table treasury.reservation is 'What is reserved for metered work: one row a resource and generation';
comment on column treasury.reservation.digest is 'SHA-256 of what was asked: a key serves one request';
comment on column treasury.reservation.terms is 'Prices and sizes that were pinned when it was reserved';
comment on column treasury.reservation.attempt is 'A refused or cancelled reservation may be asked for again';
comment on column treasury.reservation.usage is 'What was reported to be used; the first report counts';
call controlplane.guard('treasury.reservation');
create index of_subject on treasury.reservation (tenant_id, subject, opened_at);
create trigger identity_immutable before update of tenant_id, reservation_id, key, subject, kind, namespace, name, generation
    on treasury.reservation for each statement execute function controlplane.refuse_change();
create trigger reported_stays before update on treasury.reservation
    for each row when (old.usage is not null) execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.reservation
    for each statement execute function controlplane.refuse_change();

create function treasury.open_reservation(
    context text, reservation uuid, key text, subject uuid, kind text, namespace text, name text, generation bigint,
    digest bytea, terms json
) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    insert into treasury.reservation
        (tenant_id, reservation_id, key, subject, kind, namespace, name, generation, digest, terms, opened_at)
    values (tenant, reservation, open_reservation.key, open_reservation.subject, open_reservation.kind,
        open_reservation.namespace, open_reservation.name, open_reservation.generation, open_reservation.digest,
        open_reservation.terms, clock_timestamp())
    on conflict (tenant_id, reservation_id) do nothing;
    if not found then
        return false;
    end if;
    perform treasury.note(tenant, 'treasury.reservation.opened', 'reservation/' || reservation,
        json_build_object('reservation', reservation, 'subject', subject, 'kind', kind, 'namespace', namespace,
            'name', name, 'generation', generation, 'terms', terms));
    return true;
end
$$;
comment on function treasury.open_reservation is 'Notes what is about to be reserved; false if it was there';

create function treasury.retry_reservation(context text, reservation uuid, attempt integer, digest bytea, terms json)
returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    update treasury.reservation r set attempt = r.attempt + 1, spend_id = null, digest = retry_reservation.digest,
        terms = retry_reservation.terms, opened_at = clock_timestamp()
    from treasury.spend s
    where r.tenant_id = tenant and r.reservation_id = reservation and r.attempt = retry_reservation.attempt
        and s.tenant_id = tenant and s.spend_id = r.spend_id and r.usage is null
        and s.state in ('refused', 'rejected', 'expired', 'cancelled');
    return found;
end
$$;
comment on function treasury.retry_reservation is 'Lets a reservation that came to nothing be asked for again';

create function treasury.attach_spend(context text, reservation uuid, attempt integer, spend uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    update treasury.reservation r set spend_id = spend
    where r.tenant_id = tenant and r.reservation_id = reservation and r.attempt = attach_spend.attempt
        and r.spend_id is null;
    return found;
end
$$;
comment on function treasury.attach_spend is 'Says which spend a reservation is';

create function treasury.report_usage(context text, reservation uuid, attempt integer, usage json) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    update treasury.reservation r set usage = report_usage.usage
    where r.tenant_id = tenant and r.reservation_id = reservation and r.attempt = report_usage.attempt and r.usage is null;
    if found then
        perform treasury.note(tenant, 'treasury.usage.reported', 'reservation/' || reservation,
            json_build_object('reservation', reservation, 'usage', report_usage.usage));
    end if;
    return (
        select r.usage from treasury.reservation r where r.tenant_id = tenant and r.reservation_id = reservation
    );
end
$$;
comment on function treasury.report_usage is 'Keeps what was used; the first report counts, and is returned';

grant select on treasury.reservation to parpour_app;
grant execute on function treasury.bind_namespace(text, uuid, text), treasury.venture_of(text, uuid),
    treasury.ventures(text, uuid, integer),
    treasury.open_reservation(text, uuid, text, uuid, text, text, text, bigint, bytea, json),
    treasury.retry_reservation(text, uuid, integer, bytea, json), treasury.attach_spend(text, uuid, integer, uuid),
    treasury.report_usage(text, uuid, integer, json)
    to parpour_app;
