-- The peer: a ledger as it is usually begun. Each transfer is a transaction of its own that locks its two rows in order;
-- no tenants, no policies, no keys, no journal numbers, no events.

create schema naive;
create table naive.account (id bigint primary key, balance bigint not null default 0);
create table naive.transfer (
    id bigint generated always as identity primary key,
    source bigint not null references naive.account,
    target bigint not null references naive.account,
    amount bigint not null,
    made_at timestamptz not null default now()
);
insert into naive.account select n from generate_series(1, 10000) n;

create function naive.move(source bigint, target bigint, amount bigint) returns void language plpgsql as $$
begin
    perform from naive.account where id in (source, target) order by id for update;
    update naive.account set balance = balance - amount where id = source;
    update naive.account set balance = balance + amount where id = target;
    insert into naive.transfer (source, target, amount) values (source, target, amount);
end
$$;
