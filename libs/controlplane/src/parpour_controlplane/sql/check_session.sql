-- Run with the reset of a session after a reader's SQL. Whoever can run any SQL can put a statement of their own in place of
-- one that the driver keeps, and it would see the contexts that later callers bind to it.
do $$
begin
    if exists (select from pg_prepared_statements where from_sql) then
        raise exception using errcode = 'PC005', message = 'SESSION_REFUSED', detail = 'SQL of a reader prepared statements';
    end if;
end
$$
