-- Spends: one row each from request to settlement, with its decisions and approvals.
--
-- The functions of later files decide; the triggers here hold whoever writes. They refuse a step that the table of states
-- does not have, a reservation without its decision, its approvals or its hold, and an approval by the maker. They also do
-- what follows from a step: envelopes, pace and events are written here and nowhere else, so they cannot be forgotten.

create table treasury.step (
    state text,
    step text not null,
    internal boolean not null,
    leads_to text not null,
    unique nulls not distinct (state, step, internal)
);
comment on table treasury.step is 'The table of spending/states.py: where a step leads; what is not here does not happen';
insert into treasury.step (state, step, internal, leads_to)
select s.state, s.step, i.internal, s.leads_to
from (values
    (null, 'refused', null::boolean, 'refused'),
    (null, 'awaiting', null, 'awaiting_approval'),
    (null, 'reserved', null, 'reserved'),
    ('awaiting_approval', 'approved', null, 'awaiting_approval'),
    ('awaiting_approval', 'reserved', null, 'reserved'),
    ('awaiting_approval', 'refused', null, 'refused'),
    ('awaiting_approval', 'rejected', null, 'rejected'),
    ('awaiting_approval', 'expired', null, 'expired'),
    ('awaiting_approval', 'cancelled', null, 'cancelled'),
    ('reserved', 'renewed', true, 'reserved'),
    ('reserved', 'submitted', false, 'submitting'),
    ('reserved', 'settled', true, 'settled'),
    ('reserved', 'expired', null, 'expired'),
    ('reserved', 'cancelled', null, 'cancelled'),
    ('submitting', 'sent', null, 'sent'),
    ('submitting', 'unknown', null, 'unknown'),
    ('submitting', 'failed', null, 'failed'),
    ('unknown', 'sent', null, 'sent'),
    ('unknown', 'failed', null, 'failed'),
    ('sent', 'settled', null, 'settled'),
    ('sent', 'failed', null, 'failed'),
    ('sent', 'returned', null, 'returned'),
    ('settled', 'returned', false, 'returned'),
    ('settled', 'failed', false, 'failed')
) as s(state, step, internal, leads_to)
join (values (false), (true)) as i(internal) on s.internal is null or s.internal = i.internal;
create trigger immutable before insert or update or delete or truncate on treasury.step
    for each statement execute function controlplane.refuse_change();

create function treasury.next_state(state text, step text, internal boolean) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select s.leads_to from treasury.step s
    where s.state is not distinct from next_state.state and s.step = next_state.step and s.internal = next_state.internal
$$;
comment on function treasury.next_state is 'Where a step leads, null if it may not be taken';

create table treasury.decision (
    tenant_id uuid not null,
    spend_id uuid not null,
    number smallint not null check (number > 0),
    verdict text not null check (verdict in ('refuse', 'await', 'reserve')),
    rules_version integer not null,
    asked json not null,
    facts json not null,
    answer json not null,
    decided_at timestamptz not null,
    primary key (tenant_id, spend_id, number),
    foreign key (tenant_id, rules_version) references treasury.rules (tenant_id, version)
);
comment on table treasury.decision is 'What was decided about a spend, from which facts, by which rules: enough to decide it again';
call controlplane.guard('treasury.decision');
create trigger immutable before update or delete or truncate on treasury.decision
    for each statement execute function controlplane.refuse_change();

create table treasury.spend (
    tenant_id uuid not null references treasury.ledger,
    spend_id uuid not null,
    state text not null,
    step text not null,
    envelope_id uuid,
    payee_id uuid,
    provider text,
    fingerprint bytea,
    currency treasury.currency not null,
    amount treasury.amount not null check (amount > 0),
    settled treasury.amount not null default 0 check (settled between 0 and amount),
    purpose text not null check (length(purpose) between 1 and 500),
    category text,
    actor text not null,
    person text,
    rules_version integer not null,
    decision smallint not null,
    quorum smallint not null check (quorum >= 0),
    digest bytea not null check (length(digest) = 32),
    hold_id uuid,
    code text,
    provider_reference text check (length(provider_reference) between 1 and 255),
    requested_at timestamptz not null,
    expires_at timestamptz not null,
    changed_at timestamptz not null,
    changed_by text not null,
    submitted_at timestamptz,
    primary key (tenant_id, spend_id),
    foreign key (tenant_id, envelope_id, currency) references treasury.envelope (tenant_id, envelope_id, currency),
    foreign key (tenant_id, payee_id) references treasury.payee (tenant_id, payee_id),
    foreign key (tenant_id, rules_version) references treasury.rules (tenant_id, version),
    foreign key (tenant_id, spend_id, decision) references treasury.decision (tenant_id, spend_id, number),
    check (state = 'refused' or (envelope_id, payee_id, provider, fingerprint, category) is not null),
    check (settled = 0 or state in ('settled', 'returned', 'failed')),
    check (state not in ('reserved', 'submitting', 'unknown', 'sent', 'settled', 'returned') or hold_id is not null)
) with (fillfactor = 70);
comment on table treasury.spend is 'What was asked to be spent, and what became of it';
comment on column treasury.spend.step is 'The last thing that happened to it';
comment on column treasury.spend.fingerprint is 'The payee''s, when it was asked';
comment on column treasury.spend.person is 'The human behind who asked: an approval of theirs does not count';
comment on column treasury.spend.decision is 'Number of the last decision about it';
comment on column treasury.spend.digest is 'What approvals are of: treasury.spend_digest of the row';
comment on column treasury.spend.code is 'Why it was refused or failed';
comment on column treasury.spend.expires_at is 'Until when it may be approved and sent';
call controlplane.guard('treasury.spend');
create index waiting on treasury.spend (tenant_id, expires_at) where state = 'awaiting_approval';
create index to_pay on treasury.spend (tenant_id, requested_at) where state = 'reserved';
create index under_way on treasury.spend (tenant_id, changed_at) where state in ('submitting', 'unknown', 'sent');
create index newest on treasury.spend (tenant_id, requested_at, spend_id);
create trigger immutable before delete or truncate on treasury.spend
    for each statement execute function controlplane.refuse_change();

create function treasury.spend_digest(spend treasury.spend) returns bytea
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    select sha256(convert_to(
        '7:spend/136:' || spend.tenant_id || '36:' || spend.spend_id
        || coalesce('36:' || spend.envelope_id, '0:') || coalesce('36:' || spend.payee_id, '0:')
        || coalesce('64:' || encode(spend.fingerprint, 'hex'), '0:') || '3:' || spend.currency
        || length(spend.amount::text) || ':' || spend.amount || length(spend.purpose) || ':' || spend.purpose
        || length(spend.rules_version::text) || ':' || spend.rules_version
        || length((extract(epoch from spend.expires_at) * 1000000)::bigint::text) || ':'
        || (extract(epoch from spend.expires_at) * 1000000)::bigint, 'UTF8'))
$$;
comment on function treasury.spend_digest is 'SHA-256 of what an approval is of, each field after its length';

create table treasury.approval (
    tenant_id uuid not null,
    spend_id uuid not null,
    person text not null,
    actor text not null,
    digest bytea not null,
    verdict text not null check (verdict in ('approve', 'reject')),
    authenticated_at timestamptz not null,
    decided_at timestamptz not null,
    primary key (tenant_id, spend_id, person),
    foreign key (tenant_id, spend_id) references treasury.spend (tenant_id, spend_id),
    foreign key (tenant_id, actor) references treasury.member (tenant_id, actor)
);
comment on table treasury.approval is 'Who has approved or rejected what; each person once, whatever their accounts';
call controlplane.guard('treasury.approval');
create trigger immutable before update or delete or truncate on treasury.approval
    for each statement execute function controlplane.refuse_change();

create function treasury.keep_approval() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    spend treasury.spend;
    member treasury.member;
begin
    select s.* into spend from treasury.spend s where s.tenant_id = new.tenant_id and s.spend_id = new.spend_id;
    select m.* into member from treasury.member m where m.tenant_id = new.tenant_id and m.actor = new.actor;
    if spend.state is distinct from 'awaiting_approval' then
        perform treasury.refuse('TREASURY_SPEND_STATE', 'only what awaits approval is approved or rejected');
    elsif member.revoked_at is not null or member.actor not like 'user:%' or member.person is distinct from new.person
        or not member.roles && array['owner', 'treasurer', 'approver']
    then
        perform treasury.refuse('TREASURY_ROLE_MISSING', 'only people whom the venture trusts with it approve');
    elsif new.verdict = 'approve' and (member.person = spend.person or member.actor = spend.actor) then
        perform treasury.refuse('TREASURY_APPROVAL_OWN', 'nobody approves what they asked for themselves');
    elsif new.digest <> spend.digest then
        perform treasury.refuse('TREASURY_APPROVAL_MISMATCH', 'the approval is of something else');
    end if;
    return new;
end
$$;
comment on function treasury.keep_approval is 'Refuses approvals of the maker, of software, of others than members, and of something else';
create trigger keep before insert on treasury.approval for each row execute function treasury.keep_approval();

create table treasury.pace (
    tenant_id uuid not null,
    scope text not null check (scope in ('payee', 'category', 'agent', 'venture')),
    subject text not null,
    currency treasury.currency not null,
    at timestamptz not null,
    count bigint not null,
    total numeric not null,
    primary key (tenant_id, scope, subject, currency, at, count)
);
comment on table treasury.pace is 'Running count and total of what was granted or put to approval: a window is the difference of two rows';
call controlplane.guard('treasury.pace');
create trigger immutable before update or delete or truncate on treasury.pace
    for each statement execute function controlplane.refuse_change();

create table treasury.spending_request (
    tenant_id uuid not null,
    key text not null check (length(key) between 1 and 200),
    digest bytea not null check (length(digest) = 32),
    operation text not null check (operation in ('request', 'approve', 'reject', 'cancel', 'settle', 'renew')),
    spend_id uuid,
    state text,
    codes text[] not null,
    recorded_at timestamptz not null,
    primary key (tenant_id, key)
);
comment on table treasury.spending_request is 'What was asked of the authority under which key, and the answer';
call controlplane.guard('treasury.spending_request');
create trigger immutable before update or delete or truncate on treasury.spending_request
    for each statement execute function controlplane.refuse_change();

create function treasury.keep_identity() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    perform treasury.refuse('TREASURY_SPEND_STATE', 'what was asked stays as it was asked');
end
$$;
comment on function treasury.keep_identity is 'Trigger of what no step changes';
create trigger keep before update on treasury.spend for each row when (
    (new.tenant_id, new.spend_id, new.envelope_id, new.payee_id, new.provider, new.fingerprint, new.currency, new.purpose,
        new.category, new.actor, new.person, new.rules_version, new.requested_at)
    is distinct from (old.tenant_id, old.spend_id, old.envelope_id, old.payee_id, old.provider, old.fingerprint, old.currency,
        old.purpose, old.category, old.actor, old.person, old.rules_version, old.requested_at)
    or (new.amount, new.expires_at, new.digest) is distinct from (old.amount, old.expires_at, old.digest)
        and (new.step <> 'renewed' or new.amount < old.amount or new.expires_at < old.expires_at)
    or new.hold_id is distinct from old.hold_id and new.step not in ('reserved', 'renewed')
    or new.settled <> old.settled and new.step <> 'settled'
    or new.changed_at < old.changed_at
) execute function treasury.keep_identity();

create function treasury.take_spend_steps() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
    fault record;
    delta record;
begin
    if tg_op = 'INSERT' then
        select n.spend_id, null as state, n.step into fault from new_spends n where not exists (
            select from treasury.step t where t.state is null and t.step = n.step
                and t.internal = (n.provider is not distinct from 'internal') and t.leads_to = n.state
        ) limit 1;
    else
        select n.spend_id, o.state, n.step into fault
        from new_spends n join old_spends o on o.tenant_id = n.tenant_id and o.spend_id = n.spend_id
        where not exists (
            select from treasury.step t
            where t.state = o.state and t.step = n.step and t.internal = (n.provider = 'internal') and t.leads_to = n.state
        ) or n.step in ('reserved', 'renewed', 'refused') and n.decision = o.decision limit 1;
    end if;
    if found then
        perform treasury.refuse('TREASURY_SPEND_STATE', format('no step %s from %s, or nobody has decided it', fault.step, fault.state));
    end if;
    select case
        when n.digest <> treasury.spend_digest(row(n.*)::treasury.spend) then 'TREASURY_APPROVAL_MISMATCH'
        when d.verdict is distinct from case n.step when 'awaiting' then 'await' when 'refused' then 'refuse' else 'reserve' end
            then 'TREASURY_SPEND_STATE'
    end as code into fault
    from new_spends n left join lateral (
        select d.verdict from treasury.decision d
        where d.tenant_id = n.tenant_id and d.spend_id = n.spend_id and d.number = n.decision offset 0
    ) d on true
    where n.step in ('awaiting', 'reserved', 'renewed', 'refused')
    order by 1 nulls last limit 1;
    if fault.code is not null then
        perform treasury.refuse(fault.code, 'the decision or the digest is not that of the spend');
    end if;
    select case
        when n.quorum > 0 and n.quorum > (
            select count(distinct a.person) from treasury.approval a
            join treasury.member m on m.tenant_id = a.tenant_id and m.actor = a.actor and m.revoked_at is null
            where a.tenant_id = n.tenant_id and a.spend_id = n.spend_id and a.verdict = 'approve' and a.digest = n.digest
        ) then 'TREASURY_APPROVAL_NEEDED'
        when p.fingerprint is distinct from n.fingerprint or p.held_at is not null or p.retired_at is not null
            or p.usable_from > n.changed_at then 'TREASURY_PAYEE_CHANGED'
        when c.tenant_id is null or c.frozen_at is not null or c.stopped_at is not null then 'TREASURY_VENTURE_FROZEN'
        when h.amount is distinct from n.amount then 'TREASURY_HOLD_OF_SPEND'
    end as code into fault
    from new_spends n left join lateral (
        select p.* from treasury.payee p where p.tenant_id = n.tenant_id and p.payee_id = n.payee_id offset 0
    ) p on true left join lateral (
        select c.* from treasury.control c where c.tenant_id = n.tenant_id offset 0
    ) c on true left join lateral (
        select l.amount from treasury.hold h
        join treasury.hold_leg l on l.tenant_id = h.tenant_id and l.hold_id = h.hold_id
        where h.tenant_id = n.tenant_id and h.hold_id = n.hold_id and h.spend_id = n.spend_id and h.state = 'open'
            and h.expires_at = n.expires_at and l.amount > 0 and l.settled = 0 and l.currency = n.currency offset 0
    ) h on true
    where n.step in ('reserved', 'renewed')
    order by 1 nulls last limit 1;
    if fault.code is not null then
        perform treasury.refuse(fault.code, 'a reservation lacks what it stands on: its approvals, its payee, an open hold of its amount');
    end if;
    if exists (select from new_spends n where n.step = 'settled' and n.provider <> 'internal' and n.settled <> n.amount) then
        perform treasury.refuse('TREASURY_SPEND_STATE', 'a payment is settled in whole');
    end if;
    if tg_op = 'INSERT' then
        for delta in
            select s.tenant_id, e.envelope_id, sum(s.amount) as reserved, 0 as spent
            from new_spends s join treasury.envelope leaf
                on leaf.tenant_id = s.tenant_id and leaf.envelope_id = s.envelope_id
            cross join lateral unnest(leaf.path) as e(envelope_id)
            where s.state = 'reserved' group by s.tenant_id, e.envelope_id
        loop
            update treasury.envelope e set reserved = e.reserved + delta.reserved
            where e.tenant_id = delta.tenant_id and e.envelope_id = delta.envelope_id;
        end loop;
        perform treasury.take_pace(min(s.tenant_id::text)::uuid, array_agg(s.payee_id), array_agg(s.category), array_agg(s.actor),
            array_agg(s.currency::text), array_agg(s.amount::bigint), array_agg(s.changed_at))
        from new_spends s where s.state in ('awaiting_approval', 'reserved') having count(*) > 0;
    else
        for delta in
            select d.tenant_id, e.envelope_id, sum(d.reserved) as reserved, sum(d.spent) as spent
            from (
                select s.tenant_id, s.envelope_id,
                    treasury.reserved_part(s.state, s.amount) - treasury.reserved_part(o.state, o.amount) as reserved,
                    treasury.spent_part(s.state, s.settled) - treasury.spent_part(o.state, o.settled) as spent
                from new_spends s join old_spends o on o.tenant_id = s.tenant_id and o.spend_id = s.spend_id
            ) d join treasury.envelope leaf on leaf.tenant_id = d.tenant_id and leaf.envelope_id = d.envelope_id
            cross join lateral unnest(leaf.path) as e(envelope_id)
            where d.reserved <> 0 or d.spent <> 0 group by d.tenant_id, e.envelope_id
        loop
            update treasury.envelope e set reserved = e.reserved + delta.reserved, spent = e.spent + delta.spent
            where e.tenant_id = delta.tenant_id and e.envelope_id = delta.envelope_id;
        end loop;
        perform treasury.take_pace(min(s.tenant_id::text)::uuid, array_agg(s.payee_id), array_agg(s.category), array_agg(s.actor),
            array_agg(s.currency::text), array_agg((s.amount - o.amount)::bigint), array_agg(s.changed_at))
        from new_spends s join old_spends o on o.tenant_id = s.tenant_id and o.spend_id = s.spend_id
        where s.step = 'renewed' having count(*) > 0;
    end if;
    insert into controlplane.event (tenant_id, type, version, occurred_at, actor, correlation, subject, payload)
    select s.tenant_id, 'treasury.spend.' || s.step, 1, s.changed_at, s.changed_by, s.spend_id, 'spend/' || s.spend_id,
        json_build_object('spend', s.spend_id, 'state', s.state, 'currency', s.currency, 'amount', s.amount,
            'settled', s.settled, 'envelope', s.envelope_id, 'payee', s.payee_id, 'maker', s.actor, 'hold', s.hold_id,
            'digest', encode(s.digest, 'hex'), 'rules', s.rules_version, 'decision', s.decision, 'code', s.code,
            'reference', s.provider_reference)
    from new_spends s;
    return null;
end
$$;
comment on function treasury.take_spend_steps is 'Refuses steps that may not be taken, and does what follows from the others: envelopes, pace, one event each';

create function treasury.reserved_part(state text, amount bigint) returns bigint
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select case when state in ('reserved', 'submitting', 'unknown', 'sent') then amount else 0 end $$;
comment on function treasury.reserved_part is 'What a spend takes of its envelopes'' room before it is settled';

create function treasury.spent_part(state text, settled bigint) returns bigint
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select case when state = 'settled' then settled else 0 end $$;
comment on function treasury.spent_part is 'What a spend takes of its envelopes'' room after it was settled';

create function treasury.take_pace(
    tenant uuid, payees uuid[], categories text[], actors text[], currencies text[], amounts bigint[], times timestamptz[]
) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
begin
    insert into treasury.pace (tenant_id, scope, subject, currency, at, count, total)
    select tenant, p.scope, p.subject, p.currency, p.at, coalesce(l.count, 0) + p.count, coalesce(l.total, 0) + p.total
    from (
        select k.scope, k.subject, s.currency, max(s.at) as at, count(*) as count, sum(s.amount) as total
        from unnest(payees, categories, actors, currencies, amounts, times) as s(payee, category, actor, currency, amount, at)
        cross join lateral (values
            ('payee', s.payee::text), ('category', s.category), ('agent', s.actor), ('venture', '')
        ) as k(scope, subject)
        group by k.scope, k.subject, s.currency
    ) p left join lateral (
        select l.count, l.total from treasury.pace l
        where l.tenant_id = tenant and l.scope = p.scope and l.subject = p.subject and l.currency = p.currency
        order by l.at desc, l.count desc limit 1
    ) l on true;
end
$$;
comment on function treasury.take_pace is 'Adds spends to the running counts and totals of payee, category, agent and venture';

create trigger take_new after insert on treasury.spend referencing new table as new_spends
    for each statement execute function treasury.take_spend_steps();
create trigger take_steps after update on treasury.spend referencing old table as old_spends new table as new_spends
    for each statement execute function treasury.take_spend_steps();

-- A hold of a spend and its spend end together. Whoever expires the one expires the other; any other end of one alone does not
-- survive the commit.

create function treasury.expire_spend() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
begin
    update treasury.spend s set state = 'expired', step = 'expired', changed_at = greatest(new.closed_at, s.changed_at),
        changed_by = 'system:ledger'
    where s.tenant_id = new.tenant_id and s.spend_id = new.spend_id;
    return null;
end
$$;
comment on function treasury.expire_spend is 'A reservation expires with its hold';
create trigger expire after update on treasury.hold
    for each row when (new.spend_id is not null and old.state = 'open' and new.state = 'expired')
    execute function treasury.expire_spend();

create function treasury.keep_together() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    spend treasury.spend;
    hold treasury.hold;
begin
    -- Whose the rows are, whatever the session has set since.
    perform set_config('parpour.tenant', new.tenant_id::text, true);
    select s.* into spend from treasury.spend s where s.tenant_id = new.tenant_id and s.spend_id = new.spend_id;
    for hold in select h.* from treasury.hold h
        where h.tenant_id = new.tenant_id and h.hold_id in (spend.hold_id, new.hold_id)
    loop
        if hold.spend_id is distinct from spend.spend_id
            or (hold.state = 'open') <> (spend.hold_id = hold.hold_id and spend.state in ('reserved', 'submitting', 'unknown'))
            or spend.hold_id = hold.hold_id and spend.state in ('sent', 'settled', 'returned') and hold.state <> 'settled'
            or spend.hold_id = hold.hold_id and (spend.state in ('submitting', 'unknown')) and hold.pinned_at is null
        then
            perform treasury.refuse('TREASURY_HOLD_OF_SPEND',
                format('hold %s is %s while spend %s is %s', hold.hold_id, hold.state, spend.spend_id, spend.state));
        end if;
    end loop;
    return null;
end
$$;
comment on function treasury.keep_together is 'Refuses, at the commit, a hold and a spend that tell different things';
create constraint trigger together after update on treasury.hold deferrable initially deferred
    for each row when (new.spend_id is not null) execute function treasury.keep_together();
create constraint trigger together after update on treasury.spend deferrable initially deferred
    for each row when (old.hold_id is not null and (new.state <> old.state or new.hold_id <> old.hold_id))
    execute function treasury.keep_together();

create index of_spend on treasury.hold (tenant_id, spend_id) where spend_id is not null;

grant select on treasury.decision, treasury.spend, treasury.approval, treasury.pace, treasury.spending_request to parpour_app;

-- The sweeper sees which requests are due, and the payment worker which spends are to be paid or under way; nothing more.
create policy due_for_sweeper on treasury.spend for select to parpour_sweeper
    using (state = 'awaiting_approval' and expires_at <= now());
grant select (tenant_id, spend_id, state, expires_at) on treasury.spend to parpour_sweeper;
create policy due_for_payment on treasury.spend for select to parpour_payment
    using (provider <> 'internal' and (state in ('submitting', 'unknown', 'sent') or state = 'reserved' and expires_at > now()));
grant select (tenant_id, spend_id, state, provider, expires_at, changed_at) on treasury.spend to parpour_payment;
grant usage on schema treasury to parpour_payment;
