-- Journals with their legs, closed periods, and the requests that were answered.
--
-- The triggers hold what must hold whoever writes, the functions of later files included:
--   legs are written before their journal, and a journal closes over the legs that stand: from then on none can be added,
--   in the same transaction or later; legs without a journal do not survive the commit (a deferred foreign key).
-- Journals and requests have no foreign key to the ledger: the head is taken before they are written.

create table treasury.journal (
    tenant_id uuid not null,
    number bigint not null,
    recorded_at timestamptz not null,
    effective_at timestamptz not null,
    kind text not null check (kind in ('posting', 'settlement', 'reversal')),
    description text not null,
    actor text not null,
    correlation uuid not null,
    reverses bigint,
    hold_id uuid,
    primary key (tenant_id, number),
    foreign key (tenant_id, reverses) references treasury.journal (tenant_id, number),
    foreign key (tenant_id, hold_id) references treasury.hold (tenant_id, hold_id),
    check ((kind = 'reversal') = (reverses is not null)),
    check ((kind = 'settlement') = (hold_id is not null))
);
create unique index reversed_once on treasury.journal (tenant_id, reverses) where reverses is not null;
call controlplane.guard('treasury.journal');
create trigger immutable before update or delete or truncate on treasury.journal
    for each statement execute function controlplane.refuse_change();

create table treasury.leg (
    tenant_id uuid not null,
    journal bigint not null,
    account_id bigint not null,
    amount treasury.amount not null check (amount <> 0),
    balance treasury.amount not null,
    effective_at timestamptz not null,
    position smallint not null,
    currency treasury.currency not null,
    foreign key (tenant_id, account_id, currency) references treasury.account (tenant_id, account_id, currency),
    foreign key (tenant_id, journal) references treasury.journal (tenant_id, number) deferrable initially deferred
);
comment on column treasury.leg.balance is 'The account''s posted balance after this leg';
create index of_account on treasury.leg (tenant_id, account_id, effective_at, journal);
alter table treasury.leg add primary key (tenant_id, journal, position);
call controlplane.guard('treasury.leg');
create trigger immutable before update or delete or truncate on treasury.leg
    for each statement execute function controlplane.refuse_change();

create function treasury.take_legs() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    late bigint;
begin
    -- Taking the head keeps others from adding legs until this transaction ends.
    perform from treasury.ledger h where h.tenant_id in (select tenant_id from new_legs) order by h.tenant_id for update;
    select n.journal into late from (select tenant_id, min(journal) as journal from new_legs group by tenant_id) n
    join treasury.ledger h on h.tenant_id = n.tenant_id where n.journal <= h.journals limit 1;
    if found then
        raise exception using errcode = 'PC004', message = 'IMMUTABLE',
            detail = format('journal %s stands: no leg can be added', late);
    end if;
    return null;
end
$$;
comment on function treasury.take_legs is 'Refuses legs of journals that stand';
create trigger take after insert on treasury.leg referencing new table as new_legs
    for each statement execute function treasury.take_legs();

create function treasury.close_journals() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    head treasury.ledger;
    tenant uuid;
    fault bigint;
begin
    for tenant in select distinct n.tenant_id from new_journals n order by 1 loop
        select * into strict head from treasury.ledger h where h.tenant_id = tenant for update;
        select min(n.number) filter (where n.number <> head.journals + n.place) into fault
        from (select number, row_number() over (order by number) as place from new_journals where tenant_id = tenant) n;
        if fault is not null then
            raise exception using errcode = 'PT001', message = 'TREASURY_JOURNAL_OUT_OF_ORDER',
                detail = format('journal %s does not follow %s', fault, head.journals);
        end if;
        -- One pass over heads and legs together, without a join: its cost is the batch's whatever the planner knows.
        select min(f.journal) into fault from (
            select s.journal from (
                select p.journal, p.currency, sum(p.amount) as total, min(p.effective_at) as first, max(p.effective_at) as last
                from (
                    select n.number as journal, null as currency, 0 as amount, n.effective_at
                    from new_journals n where n.tenant_id = tenant
                    union all
                    select l.journal, l.currency, l.amount, l.effective_at
                    from treasury.leg l where l.tenant_id = tenant and l.journal > head.journals
                ) p group by p.journal, p.currency
            ) s group by s.journal
            having bool_or(s.total <> 0) or min(s.first) <> max(s.last) or count(s.currency) = 0
        ) f;
        if fault is not null then
            raise exception using errcode = 'PT001', message = 'TREASURY_JOURNAL_UNBALANCED',
                detail = format('journal %s does not sum to zero in each currency', fault);
        end if;
        update treasury.ledger h set
            journals = head.journals + (select count(*) from new_journals n where n.tenant_id = tenant),
            recorded_at = greatest(head.recorded_at, (select max(n.recorded_at) from new_journals n where n.tenant_id = tenant))
        where h.tenant_id = tenant;
    end loop;
    return null;
end
$$;
comment on function treasury.close_journals is 'Closes journals over their legs: in order, balanced, and never again';
create trigger close after insert on treasury.journal referencing new table as new_journals
    for each statement execute function treasury.close_journals();

create table treasury.period (
    tenant_id uuid not null references treasury.ledger,
    until timestamptz not null,
    locked_at timestamptz not null,
    journals bigint not null,
    actor text not null,
    primary key (tenant_id, until)
);
comment on table treasury.period is 'Closed periods: no journal takes effect before `until` any more';
comment on column treasury.period.journals is 'Number of the last journal when the period was locked';
call controlplane.guard('treasury.period');
create trigger immutable before update or delete or truncate on treasury.period
    for each statement execute function controlplane.refuse_change();

create table treasury.closing_balance (
    tenant_id uuid not null,
    until timestamptz not null,
    account_id bigint not null,
    -- Of some legs only, so it may pass what an account ever came to.
    balance numeric not null,
    primary key (tenant_id, account_id, until),
    foreign key (tenant_id, until) references treasury.period (tenant_id, until),
    foreign key (tenant_id, account_id) references treasury.account (tenant_id, account_id)
);
comment on table treasury.closing_balance is 'Sum of the legs that took effect before the end of a closed period';
call controlplane.guard('treasury.closing_balance');
create trigger immutable before update or delete or truncate on treasury.closing_balance
    for each statement execute function controlplane.refuse_change();

create table treasury.request (
    tenant_id uuid not null,
    key text not null check (length(key) between 1 and 200),
    digest bytea not null check (length(digest) = 32),
    operation text not null,
    recorded_at timestamptz not null,
    code text,
    account_id bigint,
    journal bigint,
    primary key (tenant_id, key)
);
comment on table treasury.request is 'What was asked under which idempotency key, and the answer';
comment on column treasury.request.digest is 'SHA-256 of the whole request';
comment on column treasury.request.code is 'Why it was refused; null if it was accepted';
comment on column treasury.request.account_id is 'The account that made it refused, if one did';
call controlplane.guard('treasury.request');
create trigger immutable before update or delete or truncate on treasury.request
    for each statement execute function controlplane.refuse_change();

grant select on treasury.journal, treasury.leg, treasury.period, treasury.closing_balance, treasury.request to parpour_app;
