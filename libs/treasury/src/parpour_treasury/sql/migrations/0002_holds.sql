-- A hold keeps amounts free on its accounts until it is settled (in parts or in whole), voided, or expires. Its legs sum to
-- zero like a journal's, and are closed over in the same way.

create table treasury.hold (
    tenant_id uuid not null references treasury.ledger,
    hold_id uuid not null,
    state text not null check (state in ('open', 'settled', 'voided', 'expired')),
    description text not null,
    actor text not null,
    correlation uuid not null,
    placed_at timestamptz not null,
    expires_at timestamptz,
    closed_at timestamptz,
    spend_id uuid,
    pinned_at timestamptz,
    primary key (tenant_id, hold_id),
    check ((state = 'open') = (closed_at is null)),
    check (pinned_at is null or spend_id is not null)
);
comment on column treasury.hold.spend_id is 'The spend that it belongs to, if it does: then nothing but the spend''s steps closes it';
comment on column treasury.hold.pinned_at is 'Since when it does not expire any more, because its money may be on its way';
create index due on treasury.hold (tenant_id, expires_at) where state = 'open' and pinned_at is null;
call controlplane.guard('treasury.hold');
create trigger identity_immutable
    before update of tenant_id, hold_id, description, actor, correlation, placed_at, expires_at, spend_id on treasury.hold
    for each statement execute function controlplane.refuse_change();
create trigger pinned_stays before update on treasury.hold
    for each row when (old.pinned_at is not null and new.pinned_at is distinct from old.pinned_at)
    execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.hold
    for each statement execute function controlplane.refuse_change();

create function treasury.keep_closed() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'PC004', message = 'IMMUTABLE', detail = 'a hold that is closed stays closed';
end
$$;
create trigger closed_stays before update on treasury.hold
    for each row when (old.state <> 'open') execute function treasury.keep_closed();

create table treasury.hold_leg (
    tenant_id uuid not null,
    hold_id uuid not null,
    account_id bigint not null,
    amount treasury.amount not null check (amount <> 0),
    settled treasury.amount not null default 0,
    position smallint not null,
    currency treasury.currency not null,
    primary key (tenant_id, hold_id, position),
    foreign key (tenant_id, account_id, currency) references treasury.account (tenant_id, account_id, currency),
    foreign key (tenant_id, hold_id) references treasury.hold (tenant_id, hold_id) deferrable initially deferred,
    constraint settled_within_amount check (
        case when amount > 0 then settled between 0 and amount else settled between amount and 0 end
    )
);
comment on column treasury.hold_leg.settled is 'What was posted of the amount';
call controlplane.guard('treasury.hold_leg');
create trigger identity_immutable
    before update of tenant_id, hold_id, account_id, amount, position, currency on treasury.hold_leg
    for each statement execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.hold_leg
    for each statement execute function controlplane.refuse_change();

create function treasury.take_hold_legs() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
begin
    perform from treasury.ledger h where h.tenant_id in (select tenant_id from new_legs) order by h.tenant_id for update;
    perform from new_legs n cross join lateral (
        select from treasury.hold h where h.tenant_id = n.tenant_id and h.hold_id = n.hold_id offset 0
    ) h limit 1;
    if found then
        raise exception using errcode = 'PC004', message = 'IMMUTABLE', detail = 'the hold stands: no leg can be added';
    end if;
    return null;
end
$$;
comment on function treasury.take_hold_legs is 'Refuses legs of holds that stand';
create trigger take after insert on treasury.hold_leg referencing new table as new_legs
    for each statement execute function treasury.take_hold_legs();

create function treasury.close_holds() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    fault uuid;
begin
    perform from treasury.ledger h where h.tenant_id in (select tenant_id from new_holds) order by h.tenant_id for update;
    select n.hold_id into fault from new_holds n
    where (
        select bool_and(s.total = 0) from (
            select sum(l.amount) as total from treasury.hold_leg l
            where l.tenant_id = n.tenant_id and l.hold_id = n.hold_id group by l.currency
        ) s
    ) is not true limit 1;
    if found then
        raise exception using errcode = 'PT001', message = 'TREASURY_JOURNAL_UNBALANCED',
            detail = format('hold %s does not sum to zero in each currency', fault);
    end if;
    return null;
end
$$;
comment on function treasury.close_holds is 'Closes holds over their legs: balanced, and never again';
create trigger close after insert on treasury.hold referencing new table as new_holds
    for each statement execute function treasury.close_holds();

grant select on treasury.hold, treasury.hold_leg to parpour_app;

-- The sweeper sees which holds are due, of every tenant, and nothing more of them.
create policy due_for_sweeper on treasury.hold for select to parpour_sweeper
    using (state = 'open' and pinned_at is null and expires_at <= now());
grant select (tenant_id, hold_id, state, expires_at) on treasury.hold to parpour_sweeper;
