-- Run with the reset of a session after a reader's SQL. Whoever can run any SQL can put a statement of their own in place of
-- one that the driver keeps, and it would see the contexts that later callers bind to it.

create function controlplane.check_session() returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select from pg_prepared_statements where from_sql) then
        raise exception using errcode = 'PC005', message = 'SESSION_REFUSED', detail = 'SQL of a reader prepared statements';
    end if;
end
$$;
comment on function controlplane.check_session is 'Refuses a session in which a reader''s SQL has left statements';

grant execute on function controlplane.check_session()
    to parpour_app, parpour_sealer, parpour_relay, parpour_sweeper, parpour_payment;
