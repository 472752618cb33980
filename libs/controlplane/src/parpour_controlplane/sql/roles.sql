-- Roles of the cluster, and what they may do in this database at all. An administrator runs this once a database, before
-- the first migration; running it again changes nothing. Roles have no password here: how they log in is the
-- installation's choice.

do $$
declare
    logging_in name;
begin
    if not exists (select from pg_roles where rolname = 'parpour_owner') then
        create role parpour_owner nologin nosuperuser nobypassrls nocreatedb nocreaterole;
    end if;
    foreach logging_in in array array[
        'parpour_migrator', 'parpour_app', 'parpour_sealer', 'parpour_relay', 'parpour_sweeper', 'parpour_payment'
    ] loop
        if not exists (select from pg_roles where rolname = logging_in) then
            execute format('create role %I login nosuperuser nobypassrls nocreatedb nocreaterole', logging_in);
        end if;
    end loop;
end
$$;

grant parpour_owner to parpour_migrator;

-- A session that forgot to end its transaction must not hold a tenant's ledger for long, nor keep events from their place.
do $$
declare
    serving name;
begin
    foreach serving in array array['parpour_app', 'parpour_sealer', 'parpour_relay', 'parpour_sweeper'] loop
        execute format('alter role %I set statement_timeout = ''30s''', serving);
        execute format('alter role %I set lock_timeout = ''10s''', serving);
        execute format('alter role %I set idle_in_transaction_session_timeout = ''15s''', serving);
    end loop;
end
$$;

-- Every statement here is short. A server that compiles plans would do so for seconds where milliseconds are to be worked:
-- it goes by estimated costs, and a forbidden scan counts as a very dear one.
do $$
declare
    serving name;
begin
    foreach serving in array array[
        'parpour_migrator', 'parpour_app', 'parpour_sealer', 'parpour_relay', 'parpour_sweeper', 'parpour_payment'
    ] loop
        execute format('alter role %I set jit = off', serving);
    end loop;
end
$$;

-- Nobody makes temporary objects: they would come before others in a search path.
do $$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format(
        'grant connect on database %I to parpour_migrator, parpour_app, parpour_sealer, parpour_relay, parpour_sweeper, '
        'parpour_payment', current_database()
    );
    execute format('grant create on database %I to parpour_owner', current_database());
end
$$;
revoke all on schema public from public;
