-- Steps of payments: a reservation is claimed before anything is sent, and what the provider says moves spend, books and
-- envelopes in one transaction. What happened outside is always recorded, whether the venture is frozen or not.

create table treasury.outcome (
    tenant_id uuid not null,
    spend_id uuid not null,
    reference text not null check (length(reference) between 1 and 255),
    step text not null check (step in ('sent', 'unknown', 'failed', 'settled', 'returned')),
    digest bytea not null check (length(digest) = 32),
    provider_reference text,
    evidence json not null,
    fee treasury.amount not null check (fee >= 0),
    actor text not null,
    recorded_at timestamptz not null,
    primary key (tenant_id, spend_id, reference),
    foreign key (tenant_id, spend_id) references treasury.spend (tenant_id, spend_id)
);
comment on table treasury.outcome is 'What became of payments, with the evidence';
comment on column treasury.outcome.reference is 'Names what told it, for example the provider''s event: a second time changes nothing';
comment on column treasury.outcome.digest is 'SHA-256 of step, provider''s reference and fee';
call controlplane.guard('treasury.outcome');
create trigger immutable before update or delete or truncate on treasury.outcome
    for each statement execute function controlplane.refuse_change();
grant select on treasury.outcome to parpour_app;

create function treasury.account_of(tenant uuid, code text, currency text) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    id bigint;
begin
    select a.account_id into id from treasury.account a
    where a.tenant_id = tenant and a.code = account_of.code || ':' || lower(account_of.currency);
    if not found then
        perform treasury.refuse('TREASURY_ACCOUNT_UNKNOWN', format('no account %s:%s', code, lower(currency)));
    end if;
    return id;
end
$$;
comment on function treasury.account_of is 'Number of one of the standard accounts';

create function treasury.book(
    tenant uuid, at timestamptz, actor text, spend treasury.spend, reference text, operation text, hold uuid,
    debit text, credit text, amount bigint, description text
) returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
    posts constant boolean := operation = 'post';
    key constant text := 'spend/' || spend.spend_id || '/' || encode(sha256(convert_to(reference, 'UTF8')), 'hex');
    code text;
begin
    select c.codes[1] into code from treasury.carry_out(tenant, at, array[spend.spend_id], array[actor], array[key],
        array[sha256(convert_to(key, 'UTF8'))], array[operation], array[null::timestamptz], array[description],
        array[spend.spend_id], array[hold], array[null::timestamptz], array[true], array[null::bigint],
        array[case when posts then 2 else 0 end],
        case when posts then array[treasury.account_of(tenant, debit, spend.currency),
            treasury.account_of(tenant, credit, spend.currency)] else '{}' end,
        case when posts then array[amount, -amount] else '{}' end,
        case when posts then array[spend.currency::text, spend.currency::text] else '{}' end) c;
    return code;
end
$$;
comment on function treasury.book is 'One journal of a spend, or the end of its hold; its refusal, if the books refuse it';

create function treasury.advance_spend(
    tenant uuid, actor text, spend_id uuid, reference text, step text, provider_reference text, evidence json, fee bigint
) returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    head treasury.ledger;
    spend treasury.spend;
    earlier treasury.outcome;
    at timestamptz;
    mark bytea;
    reached text;
    code text;
begin
    select h.* into head from treasury.ledger h where h.tenant_id = tenant for update;
    select s.* into spend from treasury.spend s where s.tenant_id = tenant and s.spend_id = advance_spend.spend_id;
    if not found then
        perform treasury.refuse('TREASURY_SPEND_UNKNOWN', 'no such spend');
    end if;
    select sha256(convert_to(string_agg(length(field) || ':' || field, '' order by place), 'UTF8')) into mark
    from unnest(array[step, coalesce(provider_reference, ''), fee::text]) with ordinality as f(field, place);
    select o.* into earlier from treasury.outcome o
    where o.tenant_id = tenant and o.spend_id = spend.spend_id and o.reference = advance_spend.reference;
    if found then
        if earlier.digest <> mark then
            perform treasury.refuse('TREASURY_OUTCOME_CONFLICT', 'the same reference told something else before');
        end if;
        return spend.state;
    end if;
    reached := treasury.next_state(spend.state, step, spend.provider = 'internal');
    if reached is null or spend.provider = 'internal' then
        perform treasury.refuse('TREASURY_SPEND_STATE', format('no step %s from %s', step, spend.state));
    end if;
    at := greatest(clock_timestamp(), head.recorded_at, head.locked_until, spend.changed_at);
    code := case
        when step = 'sent' then
            treasury.book(tenant, at, actor, spend, step, 'settle', spend.hold_id, null, null, null, spend.purpose)
        when step = 'failed' and spend.state in ('submitting', 'unknown') then
            treasury.book(tenant, at, actor, spend, step, 'void', spend.hold_id, null, null, null, '')
        when step = 'settled' then
            treasury.book(tenant, at, actor, spend, step, 'post', null, 'expenses:spending', 'assets:in-transit',
                spend.amount, spend.purpose)
        when step in ('failed', 'returned') and spend.state = 'sent' then
            treasury.book(tenant, at, actor, spend, step, 'post', null, 'assets:bank', 'assets:in-transit',
                spend.amount, step || ': ' || spend.purpose)
        when step in ('failed', 'returned') then
            treasury.book(tenant, at, actor, spend, step, 'post', null, 'assets:returns', 'expenses:spending',
                spend.amount, step || ': ' || spend.purpose)
    end;
    if code is null and fee > 0 then
        code := treasury.book(tenant, at, actor, spend, 'fee/' || reference, 'post', null, 'expenses:fees', 'assets:bank',
            fee, 'fee: ' || spend.purpose);
        if code = 'TREASURY_LIMIT_EXCEEDED' then
            -- The provider took it whatever our books keep free: what the bank lacks is owed in clearing.
            code := treasury.book(tenant, at, actor, spend, 'owed fee/' || reference, 'post', null, 'expenses:fees',
                'assets:clearing', fee, 'fee: ' || spend.purpose);
        end if;
    end if;
    if code is not null then
        perform treasury.refuse(code, 'the books refuse what the provider says');
    end if;
    insert into treasury.outcome
        (tenant_id, spend_id, reference, step, digest, provider_reference, evidence, fee, actor, recorded_at)
    values (tenant, spend.spend_id, reference, step, mark, provider_reference, evidence, fee, actor, at);
    update treasury.spend s set state = reached, step = advance_spend.step, changed_at = at, changed_by = advance_spend.actor,
        settled = case when advance_spend.step = 'settled' then s.amount else s.settled end,
        provider_reference = coalesce(advance_spend.provider_reference, s.provider_reference)
    where s.tenant_id = tenant and s.spend_id = spend.spend_id;
    return reached;
end
$$;
comment on function treasury.advance_spend is 'Records an outcome with its journals, envelopes and event; the state that it leads to';

create function treasury.advance(
    context text, spend_id uuid, reference text, step text, provider_reference text, evidence json, fee bigint
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    return treasury.advance_spend(tenant, controlplane.current_actor(), spend_id, reference, step, provider_reference,
        evidence, fee);
end
$$;
comment on function treasury.advance is 'What a provider says of a payment: idempotent for each reference';

create function treasury.payment_of(spend treasury.spend, payee treasury.payee) returns json
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select json_build_object('spend', spend.spend_id, 'state', spend.state, 'provider', spend.provider,
        'key', spend.spend_id, 'currency', spend.currency, 'amount', spend.amount, 'purpose', spend.purpose,
        'payee', payee.payee_id, 'name', payee.name, 'destination', payee.destination,
        'fingerprint', encode(payee.fingerprint, 'hex'), 'providerReference', spend.provider_reference,
        'submittedAt', spend.submitted_at, 'changedAt', spend.changed_at, 'digest', encode(spend.digest, 'hex'))
$$;
comment on function treasury.payment_of is 'What the payment worker needs of a spend; `key` is the provider''s idempotency key';

create function treasury.claim(context text, providers text[], most integer) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    who constant text := controlplane.current_actor();
    head treasury.ledger;
    at timestamptz;
    spend treasury.spend;
    now_payee treasury.payee;
    fault text;
    claimed json[] := '{}';
begin
    select h.* into head from treasury.ledger h where h.tenant_id = tenant for update;
    at := greatest(clock_timestamp(), head.recorded_at, head.locked_until);
    perform treasury.expire_holds(tenant, at);
    perform from treasury.control c where c.tenant_id = tenant and c.frozen_at is null and c.stopped_at is null;
    if not found then
        return '[]'::json;
    end if;
    for spend in
        select s.* from treasury.spend s
        where s.tenant_id = tenant and s.state = 'reserved' and s.provider = any(providers) and s.provider <> 'internal'
            and s.expires_at > at
            and exists (select from treasury.payee p
                where p.tenant_id = s.tenant_id and p.payee_id = s.payee_id and p.held_at is null)
            and exists (select from treasury.member m
                where m.tenant_id = s.tenant_id and m.actor = s.actor and m.revoked_at is null)
        order by s.requested_at, s.spend_id limit most
    loop
        select p.* into strict now_payee from treasury.payee p
        where p.tenant_id = tenant and p.payee_id = spend.payee_id;
        -- The digest of the spend as it is, but of the payee as it is now.
        spend.fingerprint := now_payee.fingerprint;
        fault := case
            when now_payee.retired_at is not null then 'TREASURY_PAYEE_RETIRED'
            when treasury.spend_digest(spend) <> spend.digest then 'TREASURY_PAYEE_CHANGED'
            when spend.quorum > (
                select count(distinct a.person) from treasury.approval a
                join treasury.member m on m.tenant_id = a.tenant_id and m.actor = a.actor and m.revoked_at is null
                where a.tenant_id = tenant and a.spend_id = spend.spend_id and a.verdict = 'approve' and a.digest = spend.digest
            ) then 'TREASURY_APPROVAL_NEEDED'
        end;
        if fault is not null then
            -- What was approved is not what would be paid: it is taken back, and can be asked for anew.
            if treasury.book(tenant, at, who, spend, 'cancelled', 'void', spend.hold_id, null, null, null, '') is not null then
                perform treasury.refuse('TREASURY_SPEND_STATE', 'its hold cannot be voided');
            end if;
            update treasury.spend s set state = 'cancelled', step = 'cancelled', code = fault,
                changed_at = greatest(at, s.changed_at), changed_by = who
            where s.tenant_id = tenant and s.spend_id = spend.spend_id;
        else
            update treasury.hold h set pinned_at = at where h.tenant_id = tenant and h.hold_id = spend.hold_id;
            update treasury.spend s set state = 'submitting', step = 'submitted', submitted_at = at,
                changed_at = greatest(at, s.changed_at), changed_by = who
            where s.tenant_id = tenant and s.spend_id = spend.spend_id returning s.* into spend;
            claimed := claimed || treasury.payment_of(spend, now_payee);
        end if;
    end loop;
    return array_to_json(claimed);
end
$$;
comment on function treasury.claim is 'Takes reservations that may be paid now, oldest first; from here on their holds stay';

create function treasury.payment(context text, spend_id uuid) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    found_one json;
begin
    select treasury.payment_of(s, p) into found_one
    from treasury.spend s join treasury.payee p on p.tenant_id = s.tenant_id and p.payee_id = s.payee_id
    where s.tenant_id = tenant and s.spend_id = payment.spend_id;
    if not found then
        perform treasury.refuse('TREASURY_SPEND_UNKNOWN', 'no such spend');
    end if;
    return found_one;
end
$$;
comment on function treasury.payment is 'A spend as the payment worker sees it, to look it up at the provider';

grant execute on function treasury.claim(text, text[], integer), treasury.payment(text, uuid),
    treasury.advance(text, uuid, text, text, text, json, bigint) to parpour_payment;
