-- Events, written in the commit of what they tell. They have no place in the tenant's chain yet: the sealer gives them
-- one afterwards, so that the chain never makes commits wait for each other.

create table controlplane.event (
    tenant_id uuid not null,
    transaction xid8 not null default pg_current_xact_id(),
    ordinal bigint generated always as identity,
    event_id uuid not null default gen_random_uuid(),
    type text not null,
    version smallint not null check (version > 0),
    occurred_at timestamptz not null,
    actor text not null,
    correlation uuid not null,
    causation uuid,
    subject text not null,
    payload json not null,
    taint text[] not null default '{}',
    primary key (tenant_id, transaction, ordinal)
);
comment on table controlplane.event is 'What happened, in the order of (transaction, ordinal) once no older transaction runs';
comment on column controlplane.event.payload is 'As text, because it will be hashed';
call controlplane.guard('controlplane.event');

create trigger immutable before update or delete or truncate on controlplane.event
    for each statement execute function controlplane.refuse_change();

-- Not transaction and ordinal: they count what other tenants do.
grant select (tenant_id, event_id, type, version, occurred_at, actor, correlation, causation, subject, payload, taint)
    on controlplane.event to parpour_app;
