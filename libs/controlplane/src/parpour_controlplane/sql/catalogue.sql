-- Everything in the database that breaks a rule of isolation: one row each, (rule, object). An empty answer is the proof
-- that the tests ask for; each rule has a test that breaks it on purpose.

with ours as (
    select n.oid, n.nspname from pg_namespace n
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
), relation as (
    select c.*, n.nspname || '.' || c.relname as label,
        exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) as of_tenant
    from pg_class c join ours n on n.oid = c.relnamespace
), stored as (
    select * from relation where relkind in ('r', 'p')
), function as (
    select p.*, n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' as label
    from pg_proc p join ours n on n.oid = p.pronamespace
), granted as (
    select r.label, r.relkind, r.of_tenant, r.relowner, a.grantee, a.privilege_type
    from relation r cross join lateral aclexplode(r.relacl) a
    union all
    select r.label, r.relkind, r.of_tenant, r.relowner, a.grantee, a.privilege_type
    from relation r join pg_attribute c on c.attrelid = r.oid cross join lateral aclexplode(c.attacl) a
)

select 'a table or view belongs to the owner' as rule, label as object from relation
where relkind in ('r', 'p', 'v', 'm', 'f', 'S') and relowner <> 'parpour_owner'::regrole
union all
select 'a function belongs to the owner', label from function where proowner <> 'parpour_owner'::regrole
union all
select 'a tenant''s table enables and forces row-level security', label from stored
where of_tenant and not (relrowsecurity and relforcerowsecurity)
union all
select 'a tenant''s table has a policy for its tenant, to read and to write', s.label || ' ' || wanted.name
from stored s cross join (values
    ('tenant', 'parpour_app', '(tenant_id = ( SELECT controlplane.current_tenant() AS current_tenant))'),
    ('owner', 'parpour_owner',
        '(tenant_id = ( SELECT (NULLIF(current_setting(''parpour.tenant''::text, true), ''''::text))::uuid AS "nullif"))')
) as wanted(name, role, expression)
where s.of_tenant and not exists (
    select from pg_policy p
    where p.polrelid = s.oid and p.polname = wanted.name and p.polcmd = '*' and p.polpermissive
        and p.polroles = array[wanted.role::regrole::oid]
        and pg_get_expr(p.polqual, p.polrelid) = wanted.expression
        and pg_get_expr(p.polwithcheck, p.polrelid) = wanted.expression
)
union all
select 'no other policy lets anyone write, or applies to the service', s.label || ' ' || p.polname
from stored s join pg_policy p on p.polrelid = s.oid
where p.polname not in ('tenant', 'owner')
    and (p.polcmd <> 'r' or p.polroles && array[0::oid, 'parpour_app'::regrole::oid, 'parpour_owner'::regrole::oid])
union all
select 'the tenant may not be null', s.label from stored s
join pg_attribute a on a.attrelid = s.oid and a.attname = 'tenant_id' where not a.attnotnull
union all
select 'the tenant leads every key', s.label || ' ' || i.indexrelid::regclass
from stored s join pg_index i on i.indrelid = s.oid
where s.of_tenant and i.indisunique
    and i.indkey[0] <> (select a.attnum from pg_attribute a where a.attrelid = s.oid and a.attname = 'tenant_id')
union all
select 'every tenant''s table has a primary key', s.label from stored s
where s.of_tenant and not exists (select from pg_index i where i.indrelid = s.oid and i.indisprimary)
union all
select 'the tenant leads every foreign key, on both sides', s.label || ' ' || k.conname
from stored s join pg_constraint k on k.conrelid = s.oid and k.contype = 'f'
where s.of_tenant and (
    k.conkey[1] <> (select a.attnum from pg_attribute a where a.attrelid = k.conrelid and a.attname = 'tenant_id')
    or k.confkey[1] is distinct from
        (select a.attnum from pg_attribute a where a.attrelid = k.confrelid and a.attname = 'tenant_id')
)
union all
select 'a table without a tenant is the owner''s alone', label || ' ' || privilege_type from granted
where relkind in ('r', 'p') and not of_tenant and grantee <> relowner
union all
select 'nobody but the owner writes', label || ' ' || grantee::regrole || ' ' || privilege_type from granted
where relkind in ('r', 'p', 'v', 'm', 'f') and grantee <> relowner and privilege_type <> 'SELECT'
union all
select 'nobody but the owner takes numbers', label || ' ' || privilege_type from granted
where relkind = 'S' and grantee <> relowner
union all
select 'nothing is granted to everyone', label || ' ' || privilege_type from granted where grantee = 0
union all
select 'a view asks with the rights of who reads it', label from relation
where relkind = 'v' and not coalesce(reloptions @> array['security_invoker=true'], false)
union all
select 'no copies and no foreign tables of rows', label from relation where relkind in ('m', 'f')
union all
select 'a function pins its search path', label from function
where not exists (select from unnest(proconfig) setting where setting = 'search_path=pg_catalog, pg_temp')
union all
select 'a function is nobody''s until it is granted', f.label from function f
where f.proacl is null or exists (select from aclexplode(f.proacl) a where a.grantee = 0)
union all
select 'what runs as the owner for others verifies first whose it is', f.label
from function f
where f.prosecdef and exists (select from aclexplode(f.proacl) a where a.grantee <> f.proowner)
    and f.prosrc !~ '^\s*declare\s+tenant (constant )?uuid := controlplane\.enter(_several\(context, actors\)|\(context\));'
    and f.label not in (
        'controlplane.enter(context text)', 'controlplane.current_tenant()', 'controlplane.current_actor()',
        'controlplane.applied_migrations()'
    )
union all
select 'a role of ours is not above the rules', rolname::text from pg_roles
where rolname ~ '^parpour_' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
union all
select 'the owner does not log in', rolname::text from pg_roles where rolname = 'parpour_owner' and rolcanlogin
union all
select 'no service is a member of the owner', m.member::regrole::text from pg_auth_members m
where m.roleid = 'parpour_owner'::regrole and m.member::regrole::text <> 'parpour_migrator'
    and not (select rolsuper from pg_roles where oid = m.member)
union all
select 'a service has the rights of no other role', m.member::regrole || ' of ' || m.roleid::regrole from pg_auth_members m
where m.member::regrole::text in ('parpour_app', 'parpour_sealer', 'parpour_relay', 'parpour_sweeper', 'parpour_payment')
union all
select 'nobody makes objects or temporary ones', r.rolname || ' in ' || n.nspname
from pg_roles r cross join ours n
where r.rolname in ('parpour_app', 'parpour_sealer', 'parpour_relay', 'parpour_sweeper', 'parpour_payment')
    and has_schema_privilege(r.oid, n.oid, 'create')
union all
select 'nobody makes objects or temporary ones', r.rolname::text from pg_roles r
where r.rolname in ('parpour_app', 'parpour_sealer', 'parpour_relay', 'parpour_sweeper', 'parpour_payment')
    and (has_database_privilege(r.oid, current_database(), 'create') or has_database_privilege(r.oid, current_database(), 'temp'))
union all
select 'no extension', extname::text from pg_extension where extname <> 'plpgsql'
order by 1, 2
