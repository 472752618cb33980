-- pgledger's accounts, with numbers that a benchmark can draw.
create table pgledger_number (number bigint primary key, id text not null);
insert into pgledger_number
select n, (select id from pgledger_create_account('account ' || n, 'USD')) from generate_series(1, 10000) n;
create function pgledger_move(source bigint, target bigint) returns text language sql as $$
    select (pgledger_create_transfer(a.id, b.id, 1)).id from pgledger_number a, pgledger_number b
    where a.number = source and b.number = target
$$;
