-- Where applied migrations are noted. Run before every migration, by the owner.

create schema if not exists controlplane;

-- What the owner makes from now on is nobody else's until it is granted.
alter default privileges revoke execute on functions from public;

create table if not exists controlplane.migration (
    component text not null,
    number integer not null check (number > 0),
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now(),
    primary key (component, number)
);
comment on table controlplane.migration is 'Migrations that were applied, with the digest of the text that was';
