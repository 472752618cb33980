-- Balances now and at any time, trial balance, statements, and the books' own faults. All ask with the rights of the
-- reader, inside a transaction that has entered a tenant's context.

create function treasury.journals_recorded_at(recorded timestamptz) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    low bigint := 0;
    high bigint;
    middle bigint;
    at timestamptz;
begin
    -- Numbers have no gaps and recorded times never go back, so the last journal of a time is found by halving.
    select h.journals, h.recorded_at into high, at from treasury.ledger h
    where h.tenant_id = (select controlplane.current_tenant());
    if at <= recorded then
        return high;
    end if;
    while low < high loop
        middle := (low + high + 1) / 2;
        select j.recorded_at into at from treasury.journal j
        where j.tenant_id = (select controlplane.current_tenant()) and j.number = middle;
        if at <= recorded then
            low := middle;
        else
            high := middle - 1;
        end if;
    end loop;
    return low;
end
$$;
comment on function treasury.journals_recorded_at is 'Number of the last journal that was recorded at a time or before; 0 if none';

create function treasury.balance_at(
    account_id bigint, effective timestamptz default null, recorded timestamptz default null
) returns numeric
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    upto constant timestamptz := coalesce(effective, 'infinity');
    known constant bigint := treasury.journals_recorded_at(coalesce(recorded, 'infinity'));
    base record;
    moved numeric;
begin
    select c.until, c.balance into base from treasury.closing_balance c
    join treasury.period p on p.tenant_id = c.tenant_id and p.until = c.until
    where c.tenant_id = (select controlplane.current_tenant()) and c.account_id = balance_at.account_id
        and c.until <= upto and p.journals <= known
    order by c.until desc limit 1;
    select sum(l.amount) into moved from treasury.leg l
    where l.tenant_id = (select controlplane.current_tenant()) and l.account_id = balance_at.account_id
        and l.effective_at >= coalesce(base.until, '-infinity') and l.effective_at <= upto and l.journal <= known;
    return coalesce(base.balance, 0) + coalesce(moved, 0);
end
$$;
comment on function treasury.balance_at is
    'What an account came to (debit positive) at an effective time, by what had been recorded at another; now, if null';

create function treasury.trial_balance(effective timestamptz, recorded timestamptz)
returns table (account_id bigint, code text, kind text, currency text, balance numeric)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select a.account_id, a.code::text, a.kind::text, a.currency::text, treasury.balance_at(a.account_id, effective, recorded)
    from treasury.account a where a.tenant_id = (select controlplane.current_tenant())
    order by a.code
$$;
comment on function treasury.trial_balance is 'Every account''s balance at a time (debit positive); each currency sums to zero';

create function treasury.statement(account_id bigint, since timestamptz, until timestamptz)
returns table (journal bigint, effective_at timestamptz, recorded_at timestamptz, description text, amount bigint)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select l.journal, l.effective_at, j.recorded_at, j.description, l.amount::bigint
    from treasury.leg l join treasury.journal j on j.tenant_id = l.tenant_id and j.number = l.journal
    where l.tenant_id = (select controlplane.current_tenant()) and l.account_id = statement.account_id
        and l.effective_at >= since and l.effective_at < until
    order by l.effective_at, l.journal, l.position
$$;
comment on function treasury.statement is 'Movements of an account that took effect from one time to before another, in that order';

create function treasury.faults() returns table (fault text, subject text)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with tenant as materialized (select controlplane.current_tenant() as id)
    select 'a journal does not sum to zero', 'journal/' || l.journal || ' ' || l.currency
    from treasury.leg l, tenant t where l.tenant_id = t.id group by l.journal, l.currency having sum(l.amount) <> 0
    union all
    select 'a journal has no legs', 'journal/' || j.number
    from treasury.journal j, tenant t where j.tenant_id = t.id
        and not exists (select from treasury.leg l where l.tenant_id = j.tenant_id and l.journal = j.number)
    union all
    select 'journal numbers have a gap', 'ledger'
    from treasury.ledger h, tenant t where h.tenant_id = t.id and h.journals <>
        (select count(*) from treasury.journal j where j.tenant_id = h.tenant_id and j.number between 1 and h.journals)
    union all
    select 'a balance is not the sum of its legs', 'account/' || a.account_id
    from treasury.account a, tenant t where a.tenant_id = t.id and a.posted <>
        (select coalesce(sum(l.amount), 0) from treasury.leg l where l.tenant_id = a.tenant_id and l.account_id = a.account_id)
    union all
    select 'what an account keeps free is not the sum of its open holds', 'account/' || a.account_id
    from treasury.account a cross join tenant t left join lateral (
        select coalesce(sum(greatest(l.amount - l.settled, 0)), 0) as debit,
            coalesce(sum(greatest(l.settled - l.amount, 0)), 0) as credit
        from treasury.hold h join treasury.hold_leg l on l.tenant_id = h.tenant_id and l.hold_id = h.hold_id
        where h.tenant_id = a.tenant_id and h.state = 'open' and l.account_id = a.account_id
    ) s on true
    where a.tenant_id = t.id and (a.pending_debit, a.pending_credit) is distinct from (s.debit, s.credit)
    union all
    select 'the balance beside a leg is not the sum up to it', 'journal/' || l.journal || ' account/' || l.account_id
    from (
        select l.journal, l.account_id, l.balance,
            sum(l.amount) over (partition by l.account_id order by l.journal, l.position) as total
        from treasury.leg l, tenant t where l.tenant_id = t.id
    ) l where l.balance <> l.total
    union all
    select 'an accepted request has no event', 'journal/' || j.number
    from treasury.journal j, tenant t where j.tenant_id = t.id and not exists (
        select from controlplane.event e where e.tenant_id = j.tenant_id and e.subject = 'journal/' || j.number
    )
    union all
    select 'a journal has more events than one', e.subject
    from controlplane.event e, tenant t where e.tenant_id = t.id and e.subject like 'journal/%'
    group by e.subject having count(*) > 1
    union all
    select 'a hold does not sum to zero', 'hold/' || l.hold_id || ' ' || l.currency
    from treasury.hold_leg l, tenant t where l.tenant_id = t.id group by l.hold_id, l.currency having sum(l.amount) <> 0
    union all
    select 'what a hold settled is not what its journals posted', 'hold/' || m.hold_id || ' account/' || m.account_id
    from (
        select l.hold_id, l.account_id, l.settled::bigint as amount
        from treasury.hold_leg l, tenant t where l.tenant_id = t.id
        union all
        select j.hold_id, l.account_id, -l.amount
        from treasury.journal j join treasury.leg l on l.tenant_id = j.tenant_id and l.journal = j.number, tenant t
        where j.tenant_id = t.id and j.hold_id is not null
    ) m group by m.hold_id, m.account_id having sum(m.amount) <> 0
    union all
    select 'a closing balance is not the sum of the legs before it', 'account/' || c.account_id
    from treasury.closing_balance c join treasury.period p on p.tenant_id = c.tenant_id and p.until = c.until, tenant t
    where c.tenant_id = t.id and c.balance <> (
        select coalesce(sum(l.amount), 0) from treasury.leg l
        where l.tenant_id = c.tenant_id and l.account_id = c.account_id and l.effective_at < c.until and l.journal <= p.journals
    )
    union all
    select 'a journal takes effect in a period that was locked before', 'journal/' || j.number
    from treasury.period p join treasury.journal j on j.tenant_id = p.tenant_id and j.number > p.journals, tenant t
    where p.tenant_id = t.id and j.effective_at < p.until
$$;
comment on function treasury.faults is 'Everything in a tenant''s books that contradicts itself; empty if they are right';

grant execute on function treasury.journals_recorded_at(timestamptz),
    treasury.balance_at(bigint, timestamptz, timestamptz), treasury.trial_balance(timestamptz, timestamptz),
    treasury.statement(bigint, timestamptz, timestamptz), treasury.faults() to parpour_app;
