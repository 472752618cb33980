-- A spend that is granted at once places one hold, and most batches do nothing else in the books. That plain case takes a
-- few statements; as soon as anything is not plain, treasury.carry_out decides as before, and says what is wrong.

create function treasury.place_holds(
    tenant uuid, at timestamptz, spends uuid[], actors text[], keys text[], digests bytea[], descriptions text[],
    correlations uuid[], hold_ids uuid[], expires timestamptz[], leg_accounts bigint[], leg_amounts bigint[],
    leg_currencies text[]
) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
    most constant bigint := 4611686018427387903;
    n constant integer := cardinality(keys);
    ids bigint[];
    debits numeric[];
    credits numeric[];
    plain boolean;
begin
    if array_position(spends, null) is not null or at < all(expires) is not true or cardinality(leg_accounts) <> 2 * n then
        return false;
    end if;
    if exists (
        select from unnest(hold_ids, keys) as c(hold_id, key) left join lateral (
            select true as stands from treasury.hold h where h.tenant_id = tenant and h.hold_id = c.hold_id offset 0
        ) h on true left join lateral (
            select true as used from treasury.request r where r.tenant_id = tenant and r.key = c.key offset 0
        ) r on true
        where h.stands or r.used
    ) then
        return false;
    end if;
    -- What holds keep free only grows, so limits that hold after the last of them have held after each.
    select array_agg(l.account_id), array_agg(l.debit), array_agg(l.credit), bool_and(coalesce(
            a.closed_at is null and a.currency = l.first_currency and a.currency = l.last_currency
            and a.pending_debit + l.debit <= most and a.pending_credit + l.credit <= most
            and a.posted - a.pending_credit - l.credit >= coalesce(a.lower_bound, -most)
            and a.posted + a.pending_debit + l.debit <= coalesce(a.upper_bound, most), false))
    into ids, debits, credits, plain
    from (
        select l.account_id, sum(greatest(l.amount, 0)) as debit, sum(greatest(-l.amount, 0)) as credit,
            min(l.currency) as first_currency, max(l.currency) as last_currency
        from unnest(leg_accounts, leg_amounts, leg_currencies) as l(account_id, amount, currency) group by l.account_id
    ) l left join lateral (
        select a.* from treasury.account a where a.tenant_id = tenant and a.account_id = l.account_id offset 0
    ) a on true;
    if not plain then
        return false;
    end if;
    insert into treasury.hold_leg (tenant_id, hold_id, account_id, amount, position, currency)
    select tenant, hold_ids[(l.place + 1) / 2], l.account_id, l.amount, 2 - l.place % 2, l.currency
    from unnest(leg_accounts, leg_amounts, leg_currencies) with ordinality as l(account_id, amount, currency, place);
    insert into treasury.hold (tenant_id, hold_id, state, description, actor, correlation, placed_at, expires_at, spend_id)
    select tenant, c.hold_id, 'open', c.description, c.actor, c.correlation, at, c.expires_at, c.spend_id
    from unnest(hold_ids, descriptions, actors, correlations, expires, spends)
        as c(hold_id, description, actor, correlation, expires_at, spend_id);
    for slot in 1 .. cardinality(ids) loop
        update treasury.account a
        set pending_debit = a.pending_debit + debits[slot], pending_credit = a.pending_credit + credits[slot]
        where a.tenant_id = tenant and a.account_id = ids[slot];
    end loop;
    insert into treasury.request (tenant_id, key, digest, operation, recorded_at)
    select tenant, c.key, c.digest, 'hold', at from unnest(keys, digests) as c(key, digest);
    insert into controlplane.event (tenant_id, type, version, occurred_at, actor, correlation, subject, payload)
    select tenant, 'treasury.hold.placed', 1, at, c.actor, c.correlation, 'hold/' || c.hold_id,
        ('{"journal":null,"effectiveAt":null,"description":' || to_json(c.description)::text || ',"hold":"' || c.hold_id
            || '","reverses":null,"legs":[[' || leg_accounts[2 * c.place - 1] || ',' || leg_amounts[2 * c.place - 1]
            || ',"' || leg_currencies[2 * c.place - 1] || '"],[' || leg_accounts[2 * c.place] || ','
            || leg_amounts[2 * c.place] || ',"' || leg_currencies[2 * c.place] || '"]]}')::json
    from unnest(actors, correlations, hold_ids, descriptions) with ordinality
        as c(actor, correlation, hold_id, description, place);
    return true;
end
$$;
comment on function treasury.place_holds is 'Places holds of spends with two legs each, if nothing stands against any; otherwise says false and does nothing';

-- One verification of a context serves for its tenant and for its actors. treasury.check_actors stays for what is under way
-- while this file is applied.
create or replace function treasury.execute(
    context text,
    actors text[], keys text[], digests bytea[], operations text[], effective timestamptz[], descriptions text[],
    correlations uuid[],
    hold_ids uuid[], expires timestamptz[], releases boolean[], reversed bigint[], leg_counts integer[],
    leg_accounts bigint[], leg_amounts bigint[], leg_currencies text[],
    out codes text[], out refused_accounts bigint[], out journals bigint[], out replayed boolean[], out recorded_at timestamptz
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter_several(context, actors);
    head treasury.ledger;
begin
    select h.* into head from treasury.ledger h where h.tenant_id = tenant for update;
    if not found then
        perform treasury.refuse('TREASURY_LEDGER_UNKNOWN', 'this tenant has no books');
    end if;
    -- A clock that was set back puts nothing before what was recorded, nor into a locked period.
    recorded_at := greatest(clock_timestamp(), head.recorded_at, head.locked_until);
    perform treasury.expire_holds(tenant, recorded_at);
    select c.codes, c.refused_accounts, c.journals, c.replayed into codes, refused_accounts, journals, replayed
    from treasury.carry_out(tenant, recorded_at, array_fill(null::uuid, array[cardinality(keys)]), actors, keys, digests,
        operations, effective, descriptions, correlations, hold_ids, expires, releases, reversed, leg_counts,
        leg_accounts, leg_amounts, leg_currencies) c;
end
$$;

create or replace function treasury.spending_facts(
    context text, actors text[], keys text[], spends uuid[], payees uuid[], envelopes uuid[], currencies text[], known integer
) returns json
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter_several(context, actors);
    head treasury.ledger;
    at timestamptz;
begin
    select h.* into head from treasury.ledger h where h.tenant_id = tenant for update;
    if not found then
        perform treasury.refuse('TREASURY_LEDGER_UNKNOWN', 'this tenant has no books');
    end if;
    update treasury.control c
    set decided_at = greatest(clock_timestamp(), head.recorded_at, head.locked_until, c.decided_at),
        decided_in = pg_current_xact_id()
    where c.tenant_id = tenant returning c.decided_at into at;
    perform treasury.expire_holds(tenant, at), treasury.expire_waiting(tenant, at);
    return treasury.gather(tenant, at, actors, keys, spends, payees, envelopes, currencies, known);
end
$$;

create or replace function treasury.record_decisions(
    context text, actors text[], plan json, ledger_spends uuid[], ledger_actors text[], keys text[], digests bytea[],
    operations text[], effective timestamptz[], descriptions text[], correlations uuid[], hold_ids uuid[],
    expires timestamptz[], releases boolean[], reversed bigint[], leg_counts integer[], leg_accounts bigint[],
    leg_amounts bigint[], leg_currencies text[]
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
    tenant constant uuid := controlplane.enter_several(context, actors);
    at timestamptz;
    done text[];
    parts record;
    again boolean;
begin
    -- The transaction that gathered the facts still has the head.
    select c.decided_at into at from treasury.control c where c.tenant_id = tenant and c.decided_in = pg_current_xact_id();
    if not found or not ledger_actors <@ actors then
        perform treasury.refuse('TREASURY_BATCH_MALFORMED', 'decisions are recorded by the transaction that gathered their facts');
    end if;
    if cardinality(keys) > 0 and not (
        operations <@ array['hold'] and leg_counts <@ array[2]
        and treasury.place_holds(tenant, at, ledger_spends, ledger_actors, keys, digests, descriptions, correlations, hold_ids,
            expires, leg_accounts, leg_amounts, leg_currencies)
    ) then
        select c.codes into done from treasury.carry_out(tenant, at, ledger_spends, ledger_actors, keys, digests, operations,
            effective, descriptions, correlations, hold_ids, expires, releases, reversed, leg_counts, leg_accounts,
            leg_amounts, leg_currencies) c;
        if array_to_string(done, '') <> '' then
            perform treasury.refuse((select code from unnest(done) as d(code) where code is not null limit 1), 'the books refuse what was decided');
        end if;
    end if;
    select p.* into parts
    from json_to_record(plan) as p(decisions json, approvals json, spends json, steps json, requests json);
    with written as (
        insert into treasury.decision (tenant_id, spend_id, number, verdict, rules_version, asked, facts, answer, decided_at)
        select tenant, d.spend, d.number, d.answer ->> 'verdict', d.version, d.asked, d.facts, d.answer, at
        from json_to_recordset(parts.decisions)
            as d(spend uuid, number smallint, version integer, asked json, facts json, answer json)
        returning number
    )
    select max(w.number) > 1 into again from written w;
    if json_array_length(parts.approvals) > 0 then
        insert into treasury.approval (tenant_id, spend_id, person, actor, digest, verdict, authenticated_at, decided_at)
        select tenant, a.spend, a.person, a.actor, decode(a.digest, 'hex'), a.verdict, a.authenticated_at, at
        from json_to_recordset(parts.approvals)
            as a(spend uuid, person text, actor text, digest text, verdict text, authenticated_at timestamptz)
        where a.actor = any(actors);
    end if;
    if json_array_length(parts.spends) > 0 then
        insert into treasury.spend (tenant_id, spend_id, state, step, envelope_id, payee_id, provider, fingerprint, currency, amount,
            purpose, category, actor, person, rules_version, decision, quorum, digest, hold_id, code, requested_at, expires_at,
            changed_at, changed_by)
        select tenant, s.spend, s.state, s.step, s.envelope, s.payee, s.provider, decode(s.fingerprint, 'hex'), s.currency, s.amount,
            s.purpose, s.category, s.actor, s.person, s.version, 1, s.quorum, decode(s.digest, 'hex'), s.hold, s.code, at,
            s.expires_at, at, s.actor
        from json_to_recordset(parts.spends)
            as s(spend uuid, state text, step text, envelope uuid, payee uuid, provider text, fingerprint text, currency text,
                amount bigint, purpose text, category text, actor text, person text, version integer, quorum smallint,
                digest text, hold uuid, code text, expires_at timestamptz)
        where s.actor = any(actors);
    end if;
    if json_array_length(parts.steps) > 0 then
        update treasury.spend s set state = t.state, step = t.step, decision = t.decision, quorum = t.quorum, hold_id = t.hold,
            amount = t.amount, expires_at = t.expires_at, digest = decode(t.digest, 'hex'), settled = t.settled, code = t.code,
            changed_at = at, changed_by = t.actor
        from json_to_recordset(parts.steps)
            as t(spend uuid, state text, step text, decision smallint, quorum smallint, hold uuid, amount bigint,
                expires_at timestamptz, digest text, settled bigint, code text, actor text)
        where s.tenant_id = tenant and s.spend_id = t.spend and t.actor = any(actors);
    end if;
    insert into treasury.spending_request (tenant_id, key, digest, operation, spend_id, state, codes, recorded_at)
    select tenant, r.key, decode(r.digest, 'hex'), r.operation, r.spend, r.state, r.codes, at
    from json_to_recordset(parts.requests)
        as r(key text, digest text, operation text, spend uuid, state text, codes text[]);
    -- A renewal that was refused leaves its spend as it was, so no step of it tells of the decision.
    if again then
        insert into controlplane.event (tenant_id, type, version, occurred_at, actor, correlation, subject, payload)
        select tenant, 'treasury.renewal.refused', 1, at, r.actor, r.spend_id, 'spend/' || r.spend_id,
            json_build_object('spend', r.spend_id, 'decision', r.number, 'decided', r.record)
        from json_to_recordset(parts.decisions) as p(spend uuid, number smallint) cross join lateral (
            select s.actor, d.spend_id, d.number, treasury.decision_record(d) as record
            from treasury.spend s join treasury.decision d on d.tenant_id = s.tenant_id and d.spend_id = s.spend_id
            where p.number > 1 and s.tenant_id = tenant and s.spend_id = p.spend and s.decision <> p.number
                and d.number = p.number offset 0
        ) r;
    end if;
end
$$;

-- What comes with a new spend, which has neither approvals nor outcomes yet: all that stands against it is found by one
-- statement. treasury.take_spend_steps goes on to take the steps of those that stand.
create function treasury.take_new_spends() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
    fault record;
    delta record;
begin
    select case
        when t.leads_to is distinct from n.state then 'TREASURY_SPEND_STATE'
        when n.digest <> treasury.spend_digest(row(n.*)::treasury.spend) then 'TREASURY_APPROVAL_MISMATCH'
        when d.verdict is distinct from case n.step when 'awaiting' then 'await' when 'refused' then 'refuse' else 'reserve' end
            then 'TREASURY_SPEND_STATE'
        when n.step <> 'reserved' then null
        when n.quorum > 0 then 'TREASURY_APPROVAL_NEEDED'
        when p.fingerprint is distinct from n.fingerprint or p.held_at is not null or p.retired_at is not null
            or p.usable_from > n.changed_at then 'TREASURY_PAYEE_CHANGED'
        when c.tenant_id is null or c.frozen_at is not null or c.stopped_at is not null then 'TREASURY_VENTURE_FROZEN'
        when h.amount is distinct from n.amount then 'TREASURY_HOLD_OF_SPEND'
    end as code, n.step into fault
    from new_spends n left join lateral (
        select t.leads_to from treasury.step t
        where t.state is null and t.step = n.step and t.internal = (n.provider is not distinct from 'internal') offset 0
    ) t on true left join lateral (
        select d.verdict from treasury.decision d
        where d.tenant_id = n.tenant_id and d.spend_id = n.spend_id and d.number = n.decision offset 0
    ) d on true left join lateral (
        select p.* from treasury.payee p where p.tenant_id = n.tenant_id and p.payee_id = n.payee_id offset 0
    ) p on true left join lateral (
        select c.* from treasury.control c where c.tenant_id = n.tenant_id offset 0
    ) c on true left join lateral (
        select l.amount from treasury.hold h
        join treasury.hold_leg l on l.tenant_id = h.tenant_id and l.hold_id = h.hold_id
        where h.tenant_id = n.tenant_id and h.hold_id = n.hold_id and h.spend_id = n.spend_id and h.state = 'open'
            and h.expires_at = n.expires_at and l.amount > 0 and l.settled = 0 and l.currency = n.currency offset 0
    ) h on true
    order by 1 nulls last limit 1;
    if fault.code is not null then
        perform treasury.refuse(fault.code, format('a spend cannot be %s without what that stands on: its decision, its payee, an open hold of its amount', fault.step));
    end if;
    for delta in
        select s.tenant_id, e.envelope_id, sum(s.amount) as reserved
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
    insert into controlplane.event (tenant_id, type, version, occurred_at, actor, correlation, subject, payload)
    select s.tenant_id, 'treasury.spend.' || s.step, 2, s.changed_at, s.changed_by, s.spend_id, 'spend/' || s.spend_id,
        json_build_object('spend', s.spend_id, 'state', s.state, 'currency', s.currency, 'amount', s.amount,
            'settled', s.settled, 'envelope', s.envelope_id, 'payee', s.payee_id, 'maker', s.actor, 'hold', s.hold_id,
            'digest', encode(s.digest, 'hex'), 'rules', s.rules_version, 'decision', s.decision, 'code', s.code,
            'reference', s.provider_reference, 'decided', d.record, 'approved', null, 'told', null)
    from new_spends s cross join lateral (
        select treasury.decision_record(d) as record from treasury.decision d
        where d.tenant_id = s.tenant_id and d.spend_id = s.spend_id and d.number = s.decision offset 0
    ) d;
    return null;
end
$$;
comment on function treasury.take_new_spends is 'Holds new spends to their decisions and holds, and writes what follows: envelopes, pace, events';
create or replace trigger take_new after insert on treasury.spend referencing new table as new_spends
    for each statement execute function treasury.take_new_spends();
