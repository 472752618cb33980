-- Binds what a decision was made from, who approved it and what a provider told to the events of the steps that they led to:
-- the chain proves events, and with them the digest of each of these records.

alter table treasury.decision add column salt uuid not null default gen_random_uuid();
comment on column treasury.decision.salt is 'What nobody guesses: whoever follows events has a digest of the facts, and could try limits until one fits';

create function treasury.record_digest(fields text[]) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    select encode(sha256(convert_to(string_agg(length(f.field) || ':' || f.field, '' order by f.place), 'UTF8')), 'hex')
    from (select coalesce(field, '') as field, place from unnest(fields) with ordinality as f(field, place)) f
$$;
comment on function treasury.record_digest is 'SHA-256 of fields, each after its length, in hexadecimal; null is as empty';

create function treasury.record_time(at timestamptz) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$ select (extract(epoch from at) * 1000000)::bigint::text $$;
comment on function treasury.record_time is 'A time as records are digested: microseconds since 1970';

create function treasury.decision_record(decision treasury.decision) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    select treasury.record_digest(array['decision/1', decision.spend_id::text, decision.number::text, decision.rules_version::text,
        decision.asked::text, decision.facts::text, decision.answer::text, treasury.record_time(decision.decided_at),
        decision.salt::text])
$$;
comment on function treasury.decision_record is 'Digest of a decision with its facts, by the very text that is kept';

create function treasury.approval_record(approval treasury.approval) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    select treasury.record_digest(array['approval/1', approval.spend_id::text, approval.person, approval.actor,
        encode(approval.digest, 'hex'), approval.verdict, treasury.record_time(approval.authenticated_at),
        treasury.record_time(approval.decided_at)])
$$;
comment on function treasury.approval_record is 'Digest of an approval or a rejection';

create function treasury.outcome_record(outcome treasury.outcome) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    select treasury.record_digest(array['outcome/1', outcome.spend_id::text, outcome.reference, outcome.step,
        outcome.provider_reference, outcome.evidence::text, outcome.fee::text, outcome.actor,
        treasury.record_time(outcome.recorded_at)])
$$;
comment on function treasury.outcome_record is 'Digest of an outcome with its evidence, by the very text that is kept';

create function treasury.approving(tenant uuid, spend uuid, maker text, digest bytea) returns bigint
language sql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
    select count(distinct m.person) from treasury.approval a
    join treasury.member m on m.tenant_id = a.tenant_id and m.actor = a.actor
    where a.tenant_id = tenant and a.spend_id = spend and a.verdict = 'approve' and a.digest = approving.digest
        and m.revoked_at is null and m.actor <> maker and m.roles && array['owner', 'treasurer', 'approver']
        and m.person is distinct from (select o.person from treasury.member o where o.tenant_id = tenant and o.actor = maker)
$$;
comment on function treasury.approving is 'How many people approve a spend by what they are now: trusted with it, and not its maker';

create or replace function treasury.take_spend_steps() returns trigger
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
        when n.quorum > 0 and n.quorum > treasury.approving(n.tenant_id, n.spend_id, n.actor, n.digest)
            then 'TREASURY_APPROVAL_NEEDED'
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
    select s.tenant_id, 'treasury.spend.' || s.step, 2, s.changed_at, s.changed_by, s.spend_id, 'spend/' || s.spend_id,
        json_build_object('spend', s.spend_id, 'state', s.state, 'currency', s.currency, 'amount', s.amount,
            'settled', s.settled, 'envelope', s.envelope_id, 'payee', s.payee_id, 'maker', s.actor, 'hold', s.hold_id,
            'digest', encode(s.digest, 'hex'), 'rules', s.rules_version, 'decision', s.decision, 'code', s.code,
            'reference', s.provider_reference, 'decided', d.record, 'approved', a.record, 'told', o.record)
    from new_spends s left join lateral (
        select treasury.decision_record(d) as record from treasury.decision d
        where s.step in ('refused', 'awaiting', 'reserved', 'approved', 'renewed')
            and d.tenant_id = s.tenant_id and d.spend_id = s.spend_id and d.number = s.decision offset 0
    ) d on true left join lateral (
        select treasury.approval_record(a) as record from treasury.approval a
        where s.step in ('refused', 'reserved', 'approved', 'rejected') and a.tenant_id = s.tenant_id and a.spend_id = s.spend_id
            and a.actor = s.changed_by and a.decided_at = s.changed_at offset 0
    ) a on true left join lateral (
        select treasury.outcome_record(o) as record from treasury.outcome o
        where s.step in ('sent', 'unknown', 'failed', 'settled', 'returned')
            and o.tenant_id = s.tenant_id and o.spend_id = s.spend_id and o.step = s.step offset 0
    ) o on true;
    return null;
end
$$;

create or replace function treasury.record_decisions(
    context text, actors text[], plan json, ledger_spends uuid[],
    ledger_actors text[], keys text[], digests bytea[], operations text[], effective timestamptz[], descriptions text[],
    correlations uuid[],
    hold_ids uuid[], expires timestamptz[], releases boolean[], reversed bigint[], leg_counts integer[],
    leg_accounts bigint[], leg_amounts bigint[], leg_currencies text[]
) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    at timestamptz;
    done text[];
begin
    perform treasury.check_actors(context, actors);
    -- The transaction that gathered the facts still has the head.
    select c.decided_at into at from treasury.control c where c.tenant_id = tenant and c.decided_in = pg_current_xact_id();
    if not found or not ledger_actors <@ actors then
        perform treasury.refuse('TREASURY_BATCH_MALFORMED', 'decisions are recorded by the transaction that gathered their facts');
    end if;
    if cardinality(keys) > 0 then
        select c.codes into done from treasury.carry_out(tenant, at, ledger_spends, ledger_actors, keys, digests, operations,
            effective, descriptions, correlations, hold_ids, expires, releases, reversed, leg_counts, leg_accounts,
            leg_amounts, leg_currencies) c;
        if array_to_string(done, '') <> '' then
            perform treasury.refuse((select code from unnest(done) as d(code) where code is not null limit 1), 'the books refuse what was decided');
        end if;
    end if;
    insert into treasury.decision (tenant_id, spend_id, number, verdict, rules_version, asked, facts, answer, decided_at)
    select tenant, d.spend, d.number, d.answer ->> 'verdict', d.version, d.asked, d.facts, d.answer, at
    from json_to_recordset(plan -> 'decisions')
        as d(spend uuid, number smallint, version integer, asked json, facts json, answer json);
    if json_array_length(plan -> 'approvals') > 0 then
        insert into treasury.approval (tenant_id, spend_id, person, actor, digest, verdict, authenticated_at, decided_at)
        select tenant, a.spend, a.person, a.actor, decode(a.digest, 'hex'), a.verdict, a.authenticated_at, at
        from json_to_recordset(plan -> 'approvals')
            as a(spend uuid, person text, actor text, digest text, verdict text, authenticated_at timestamptz)
        where a.actor = any(actors);
    end if;
    insert into treasury.spend (tenant_id, spend_id, state, step, envelope_id, payee_id, provider, fingerprint, currency, amount,
        purpose, category, actor, person, rules_version, decision, quorum, digest, hold_id, code, requested_at, expires_at,
        changed_at, changed_by)
    select tenant, s.spend, s.state, s.step, s.envelope, s.payee, s.provider, decode(s.fingerprint, 'hex'), s.currency, s.amount,
        s.purpose, s.category, s.actor, s.person, s.version, 1, s.quorum, decode(s.digest, 'hex'), s.hold, s.code, at,
        s.expires_at, at, s.actor
    from json_to_recordset(plan -> 'spends')
        as s(spend uuid, state text, step text, envelope uuid, payee uuid, provider text, fingerprint text, currency text,
            amount bigint, purpose text, category text, actor text, person text, version integer, quorum smallint,
            digest text, hold uuid, code text, expires_at timestamptz)
    where s.actor = any(actors);
    if json_array_length(plan -> 'steps') > 0 then
        update treasury.spend s set state = t.state, step = t.step, decision = t.decision, quorum = t.quorum, hold_id = t.hold,
            amount = t.amount, expires_at = t.expires_at, digest = decode(t.digest, 'hex'), settled = t.settled, code = t.code,
            changed_at = at, changed_by = t.actor
        from json_to_recordset(plan -> 'steps')
            as t(spend uuid, state text, step text, decision smallint, quorum smallint, hold uuid, amount bigint,
                expires_at timestamptz, digest text, settled bigint, code text, actor text)
        where s.tenant_id = tenant and s.spend_id = t.spend and t.actor = any(actors);
    end if;
    insert into treasury.spending_request (tenant_id, key, digest, operation, spend_id, state, codes, recorded_at)
    select tenant, r.key, decode(r.digest, 'hex'), r.operation, r.spend, r.state, r.codes, at
    from json_to_recordset(plan -> 'requests')
        as r(key text, digest text, operation text, spend uuid, state text, codes text[]);
    -- A renewal that was refused leaves its spend as it was, so no step of it tells of the decision.
    insert into controlplane.event (tenant_id, type, version, occurred_at, actor, correlation, subject, payload)
    select tenant, 'treasury.renewal.refused', 1, at, r.actor, r.spend_id, 'spend/' || r.spend_id,
        json_build_object('spend', r.spend_id, 'decision', r.number, 'decided', r.record)
    from json_to_recordset(plan -> 'decisions') as p(spend uuid, number smallint) cross join lateral (
        select s.actor, d.spend_id, d.number, treasury.decision_record(d) as record
        from treasury.spend s join treasury.decision d on d.tenant_id = s.tenant_id and d.spend_id = s.spend_id
        where p.number > 1 and s.tenant_id = tenant and s.spend_id = p.spend and s.decision <> p.number
            and d.number = p.number offset 0
    ) r;
end
$$;
