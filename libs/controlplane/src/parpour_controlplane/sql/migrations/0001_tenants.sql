-- Tenants, and the context that says whose a transaction is.
--
-- A context is a text that the service mints with a key and puts before everything else that it asks of the database:
--     hex(HMAC-SHA256(key, body)) || body,   body = 'v1|' key id '|' tenant '|' expiry '|' actor
-- The database verifies it against a key table that no role but the owner can read, each time it is asked whose the
-- transaction is. So a session that can run any SQL, but does not hold the key, can be no other tenant: setting
-- parpour.context to something else makes it nobody.
--
-- Functions that write run as the owner and begin with controlplane.enter(context); what they do after it is under row-level
-- security too, against the tenant that enter has just verified, so that no statement of theirs verifies it again.

create table controlplane.context_key (
    key_id text primary key check (key_id ~ '^[a-z0-9-]{1,32}$'),
    role name not null,
    inner_pad bytea not null check (length(inner_pad) = 64),
    outer_pad bytea not null check (length(outer_pad) = 64),
    expires_at timestamptz not null
);
comment on table controlplane.context_key is 'Keys of contexts, as the two padded forms of RFC 2104. Readable by the owner alone';
comment on column controlplane.context_key.role is 'A context under this key counts only in sessions of members of this role';

create function controlplane.verified(token text, out tenant_id uuid, out actor text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    body text := substr(token, 65);
    key controlplane.context_key;
    expected text;
    expiry timestamptz;
begin
    if coalesce(token, '') = '' then
        raise exception using errcode = 'PC001', message = 'CONTEXT_MISSING', detail = 'no tenant was named';
    end if;
    select k.* into key from controlplane.context_key k
    where k.key_id = split_part(body, '|', 2) and k.expires_at > now() and pg_has_role(session_user, k.role, 'member');
    expected := encode(sha256(key.outer_pad || sha256(key.inner_pad || convert_to(body, 'UTF8'))), 'hex');
    -- Digests are compared, so that the time it takes tells nothing about the code that was expected.
    if sha256(convert_to(left(token, 64), 'UTF8')) is distinct from sha256(convert_to(expected, 'UTF8')) then
        raise exception using errcode = 'PC002', message = 'CONTEXT_REFUSED', detail = 'the context does not verify';
    end if;
    expiry := to_timestamp(split_part(body, '|', 4)::bigint);
    if expiry <= now() or expiry > now() + interval '5 minutes' then
        raise exception using errcode = 'PC003', message = 'CONTEXT_EXPIRED', detail = 'the context is not of this time';
    end if;
    tenant_id := split_part(body, '|', 3)::uuid;
    actor := substr(body, length(split_part(body, '|', 2)) + length(split_part(body, '|', 4)) + 43);
end
$$;
comment on function controlplane.verified is 'Tenant and actor of a context; refuses one that is missing, forged or out of its time';

create function controlplane.current_tenant() returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$ begin return (controlplane.verified(current_setting('parpour.context', true))).tenant_id; end $$;
comment on function controlplane.current_tenant is 'Whose the transaction is; the service''s policies ask this once a statement';

create function controlplane.current_actor() returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    actor constant text := (controlplane.verified(current_setting('parpour.context', true))).actor;
begin
    if actor like 'several:%' then
        raise exception using errcode = 'PC002', message = 'CONTEXT_REFUSED', detail = 'the context is of several actors';
    end if;
    return actor;
end
$$;
comment on function controlplane.current_actor is 'Who acts in the transaction; refuses a context that names no one actor';

create function controlplane.enter(context text) returns uuid
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := (controlplane.verified(context)).tenant_id;
begin
    perform set_config('parpour.context', context, true), set_config('parpour.tenant', tenant::text, true);
    return tenant;
end
$$;
comment on function controlplane.enter is 'Verifies a context and takes it for the rest of the transaction, never longer';

create procedure controlplane.guard(target regclass)
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('alter table %s enable row level security, force row level security', target);
    execute format(
        'create policy tenant on %s to parpour_app using (tenant_id = (select controlplane.current_tenant())) '
        'with check (tenant_id = (select controlplane.current_tenant()))', target
    );
    execute format(
        'create policy owner on %s to parpour_owner '
        'using (tenant_id = (select nullif(current_setting(''parpour.tenant'', true), '''')::uuid)) '
        'with check (tenant_id = (select nullif(current_setting(''parpour.tenant'', true), '''')::uuid))', target
    );
end
$$;
comment on procedure controlplane.guard is 'Keeps a table''s rows to their tenant, its owner''s sessions included';

create function controlplane.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'PC004', message = 'IMMUTABLE',
        detail = format('%s.%s: what is written stays as it is', tg_table_schema, tg_table_name);
end
$$;
comment on function controlplane.refuse_change is 'Trigger of tables and columns that are written once';

create table controlplane.tenant (
    tenant_id uuid primary key,
    name text not null check (length(name) between 1 and 253),
    created_at timestamptz not null default now()
);
comment on table controlplane.tenant is 'One row a tenant';
call controlplane.guard('controlplane.tenant');

create function controlplane.create_tenant(context text, name text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    insert into controlplane.tenant (tenant_id, name) values (tenant, create_tenant.name) on conflict do nothing;
    return found;
end
$$;
comment on function controlplane.create_tenant is 'Makes the tenant of the context; false if it was there';

create function controlplane.applied_migrations() returns table (component text, number integer, checksum text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select component, number, checksum from controlplane.migration $$;
comment on function controlplane.applied_migrations is 'Lets a service see whether the schema is what it needs';

grant usage on schema controlplane to parpour_app, parpour_sealer, parpour_relay, parpour_sweeper, parpour_payment;
grant execute on function controlplane.current_tenant(), controlplane.current_actor(), controlplane.enter(text),
    controlplane.applied_migrations()
    to parpour_app, parpour_sealer, parpour_relay, parpour_sweeper, parpour_payment;
grant execute on function controlplane.create_tenant(text, text) to parpour_app;
grant select on controlplane.tenant to parpour_app;
