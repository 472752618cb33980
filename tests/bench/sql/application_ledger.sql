-- The peer with our duties: what an application writes before it batches. Tenants with row-level security, keys that are
-- used once, journals with legs and an event each; a transfer is a transaction that locks its two accounts in order.

create schema application;
create table application.account (
    tenant uuid not null, id bigint not null, balance bigint not null default 0, floor bigint,
    primary key (tenant, id), check (balance >= floor)
);
create table application.journal (
    tenant uuid not null, id bigint generated always as identity, key uuid not null, digest bytea not null,
    description text not null, effective_at timestamptz not null default now(), made_at timestamptz not null default now(),
    primary key (tenant, id), unique (tenant, key)
);
create table application.leg (
    tenant uuid not null, journal bigint not null, number smallint not null, account bigint not null,
    amount bigint not null, balance bigint not null, currency text not null,
    primary key (tenant, journal, number),
    foreign key (tenant, journal) references application.journal,
    foreign key (tenant, account) references application.account
);
create index leg_of_account on application.leg (tenant, account, journal);
create table application.event (
    tenant uuid not null, id uuid not null default gen_random_uuid(), type text not null, payload text not null,
    made_at timestamptz not null default now(),
    primary key (tenant, id)
);

create role application_app login;
do $$
begin
    execute format('grant connect on database %I to application_app', current_database());
end
$$;
grant usage on schema application to application_app;
grant select, insert, update on all tables in schema application to application_app;

do $$
declare
    relation text;
begin
    foreach relation in array array['account', 'journal', 'leg', 'event'] loop
        execute format('alter table application.%I enable row level security, force row level security', relation);
        execute format(
            'create policy own on application.%I using (tenant = (select current_setting(''application.tenant'')::uuid))
             with check (tenant = (select current_setting(''application.tenant'')::uuid))', relation);
    end loop;
end
$$;

insert into application.account select '00000000-0000-0000-0000-000000000001', n from generate_series(1, 10000) n;
