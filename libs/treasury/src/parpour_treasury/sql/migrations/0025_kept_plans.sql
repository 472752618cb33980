-- Functions in SQL that the writing path calls are planned anew at each call, which takes longer than the call: PostgreSQL
-- keeps plans for functions in PL/pgSQL, and evaluates an expression without one. They say what they said before.

create or replace function treasury.static_faults(
    tenant uuid, at timestamptz, operations text[], hold_ids uuid[], expires timestamptz[], reversed bigint[], spends uuid[]
) returns table (command bigint, code text)
language plpgsql stable set search_path = pg_catalog, pg_temp
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    return query
    select c.command, case
        when c.operation = 'hold' and h.hold_id is not null then 'TREASURY_HOLD_EXISTS'
        when c.operation = 'hold' and c.expires <= at then 'TREASURY_HOLD_EXPIRED'
        when c.operation = 'hold' then null
        when h.hold_id is null then 'TREASURY_HOLD_UNKNOWN'
        when h.spend_id is distinct from c.spend_id then 'TREASURY_HOLD_OF_SPEND'
        when h.state = 'expired' or h.pinned_at is null and h.expires_at <= at then 'TREASURY_HOLD_EXPIRED'
        when h.state <> 'open' then 'TREASURY_HOLD_CLOSED'
    end
    from unnest(operations, hold_ids, expires, spends) with ordinality as c(operation, hold_id, expires, spend_id, command)
    left join lateral (
        select h.* from treasury.hold h where h.tenant_id = tenant and h.hold_id = c.hold_id offset 0
    ) h on true
    where c.operation in ('hold', 'settle', 'void')
    union all
    select c.command, case
        when j.number is null then 'TREASURY_JOURNAL_UNKNOWN'
        when j.reverses is not null then 'TREASURY_JOURNAL_IS_REVERSAL'
        when r.number is not null then 'TREASURY_JOURNAL_REVERSED'
    end
    from unnest(operations, reversed) with ordinality as c(operation, number, command)
    left join lateral (
        select j.* from treasury.journal j where j.tenant_id = tenant and j.number = c.number offset 0
    ) j on true
    left join lateral (
        select r.* from treasury.journal r where r.tenant_id = tenant and r.reverses = c.number offset 0
    ) r on true
    where c.operation = 'reverse';
end
$$;

create or replace function treasury.effects(
    tenant uuid, operations text[], hold_ids uuid[], releases boolean[], reversed bigint[], leg_counts integer[],
    leg_commands integer[], leg_positions integer[], leg_accounts bigint[], leg_amounts bigint[], leg_currencies text[]
) returns table (
    command integer, "position" integer, account_id bigint, currency text,
    posted bigint, debit bigint, credit bigint, rest bigint, code text
)
language plpgsql stable set search_path = pg_catalog, pg_temp
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    return query
    -- what is given: legs to post, legs to keep free
    select l.command, l.position, l.account_id, l.currency,
        case l.operation when 'post' then l.amount else 0 end,
        case l.operation when 'hold' then greatest(l.amount, 0) else 0 end,
        case l.operation when 'hold' then greatest(-l.amount, 0) else 0 end, 0::bigint, null
    from (
        select l.*, operations[l.command] as operation
        from unnest(leg_commands, leg_positions, leg_accounts, leg_amounts, leg_currencies)
            as l(command, position, account_id, amount, currency)
    ) l
    where l.operation in ('post', 'hold')
    union all
    -- the legs of a journal that is reversed
    select c.command::integer, l.position, l.account_id, l.currency, -l.amount, 0, 0, 0, null
    from unnest(operations, reversed) with ordinality as c(operation, number, command)
    cross join lateral (
        select l.* from treasury.leg l where l.tenant_id = tenant and l.journal = c.number offset 0
    ) l
    where c.operation = 'reverse'
    union all
    -- the legs of a hold that is settled or voided: what is posted, what becomes free, what stays kept
    select e.command::integer, e.position, e.account_id, e.currency, e.posted,
        case when e.amount > 0 then -e.freed else 0 end, case when e.amount < 0 then -e.freed else 0 end,
        abs(e.remaining) - e.freed,
        case
            when e.given not in (0, count(*) over of_command) then 'TREASURY_HOLD_EXCEEDED'
            when e.posted <> 0 and sign(e.posted) <> sign(e.amount) then 'TREASURY_HOLD_EXCEEDED'
            when abs(e.posted) > abs(e.remaining) then 'TREASURY_HOLD_EXCEEDED'
            when e.operation = 'void' then null
            when sum(abs(e.posted)) over of_command = 0 then 'TREASURY_JOURNAL_EMPTY'
            when sum(e.posted) over (partition by e.command, e.currency) <> 0 then 'TREASURY_JOURNAL_UNBALANCED'
        end
    from (
        select r.*, case when r.operation = 'void' or r.release then abs(r.remaining) else abs(r.posted) end as freed
        from (
            select c.command, c.operation, c.release, c.given, l.position::integer, l.account_id, l.currency::text,
                l.amount::bigint, (l.amount - l.settled)::bigint as remaining,
                case
                    when c.operation = 'void' then 0
                    when c.given = 0 then l.amount - l.settled
                    else coalesce(leg_amounts[c.first + l.position - 1], 0)
                end::bigint as posted
            from (
                select c.*, sum(c.given) over (order by c.command) - c.given + 1 as first
                from unnest(operations, hold_ids, releases, leg_counts) with ordinality
                    as c(operation, hold_id, release, given, command)
            ) c
            cross join lateral (
                select l.* from treasury.hold_leg l where l.tenant_id = tenant and l.hold_id = c.hold_id offset 0
            ) l
            where c.operation in ('settle', 'void')
        ) r
    ) e
    window of_command as (partition by e.command);
end
$$;

create or replace function treasury.spend_digest(spend treasury.spend) returns bytea
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
    return sha256(convert_to(
        '7:spend/136:' || spend.tenant_id || '36:' || spend.spend_id
        || coalesce('36:' || spend.envelope_id, '0:') || coalesce('36:' || spend.payee_id, '0:')
        || coalesce('64:' || encode(spend.fingerprint, 'hex'), '0:') || '3:' || spend.currency
        || length(spend.amount::text) || ':' || spend.amount || length(spend.purpose) || ':' || spend.purpose
        || length(spend.rules_version::text) || ':' || spend.rules_version
        || length((extract(epoch from spend.expires_at) * 1000000)::bigint::text) || ':'
        || (extract(epoch from spend.expires_at) * 1000000)::bigint, 'UTF8'));
end
$$;

create or replace function treasury.record_time(at timestamptz) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
    return (extract(epoch from at) * 1000000)::bigint::text;
end
$$;

create or replace function treasury.decision_record(decision treasury.decision) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
    return treasury.record_digest(array['decision/1', decision.spend_id::text, decision.number::text, decision.rules_version::text,
        decision.asked::text, decision.facts::text, decision.answer::text, treasury.record_time(decision.decided_at),
        decision.salt::text]);
end
$$;

create or replace function treasury.approval_record(approval treasury.approval) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
    return treasury.record_digest(array['approval/1', approval.spend_id::text, approval.person, approval.actor,
        encode(approval.digest, 'hex'), approval.verdict, treasury.record_time(approval.authenticated_at),
        treasury.record_time(approval.decided_at)]);
end
$$;

create or replace function treasury.outcome_record(outcome treasury.outcome) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp
as $$
begin
    return treasury.record_digest(array['outcome/1', outcome.spend_id::text, outcome.reference, outcome.step,
        outcome.provider_reference, outcome.evidence::text, outcome.fee::text, outcome.actor,
        treasury.record_time(outcome.recorded_at)]);
end
$$;

create or replace function treasury.record_digest(fields text[]) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
as $$
begin
    return (
        select encode(sha256(convert_to(string_agg(length(f.field) || ':' || f.field, '' order by f.place), 'UTF8')), 'hex')
        from (select coalesce(field, '') as field, place from unnest(fields) with ordinality as f(field, place)) f
    );
end
$$;

create or replace function treasury.approving(tenant uuid, spend uuid, maker text, digest bytea) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    return (
        select count(distinct m.person) from treasury.approval a
        join treasury.member m on m.tenant_id = a.tenant_id and m.actor = a.actor
        where a.tenant_id = tenant and a.spend_id = spend and a.verdict = 'approve' and a.digest = approving.digest
            and m.revoked_at is null and m.actor <> maker and m.roles && array['owner', 'treasurer', 'approver']
            and m.person is distinct from (
                select o.person from treasury.member o where o.tenant_id = tenant and o.actor = maker
            )
    );
end
$$;
