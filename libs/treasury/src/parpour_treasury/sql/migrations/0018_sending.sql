-- The payment worker's calls around a payment: whether a tenant's payments may be sent at all, what is to be done now, and the
-- one transaction in which an attempt begins and is counted. The worker keeps that count outside before the provider is called.

create function treasury.open_dispatch(
    context text, token_epoch bigint, token_epoch_id uuid, token_counter bigint,
    out code text, out epoch bigint, out epoch_id uuid, out counter bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    standing treasury.dispatch;
begin
    select d.* into standing from treasury.dispatch d where d.tenant_id = tenant;
    code := treasury.judge_dispatch(found, standing.locked_at is not null, standing.epoch, standing.epoch_id, standing.counter,
        standing.began, token_epoch, token_epoch_id, token_counter);
    if code is null and token_epoch is null then
        -- The ledger's head before anything else, as on every path.
        perform from treasury.ledger h where h.tenant_id = tenant for update;
        insert into treasury.dispatch (tenant_id, epoch, epoch_id, counter, providers)
        values (tenant, 1, gen_random_uuid(), 0, '{}') on conflict do nothing;
        select d.epoch, d.epoch_id, d.counter into epoch, epoch_id, counter from treasury.dispatch d where d.tenant_id = tenant;
    end if;
end
$$;
comment on function treasury.open_dispatch is
    'Why nothing of a tenant may be claimed or sent, if so. To a worker without a token, the one to keep before anything is counted: one that crashed after its first count would look as if it had lost it';

create function treasury.begin_attempt(
    context text, spend_id uuid, version integer, history json, next_at timestamptz,
    token_epoch bigint, token_epoch_id uuid, token_counter bigint,
    out answer text, out epoch bigint, out epoch_id uuid, out counter bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    spend treasury.spend;
    code text;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    -- First of all: what a database that has forgotten says of a payment leads to nothing.
    select d.code into code from treasury.open_dispatch(context, token_epoch, token_epoch_id, token_counter) d;
    if code is not null then
        perform treasury.refuse(code, 'nothing is sent');
    end if;
    select s.* into spend from treasury.spend s where s.tenant_id = tenant and s.spend_id = begin_attempt.spend_id;
    if not found or spend.state not in ('submitting', 'unknown') then
        answer := 'moved';
        return;
    end if;
    perform from treasury.control c where c.tenant_id = tenant and c.frozen_at is null and c.stopped_at is null;
    if not found then
        answer := 'stopped';
        return;
    end if;
    perform from treasury.payee p where p.tenant_id = tenant and p.payee_id = spend.payee_id and p.held_at is null;
    if not found then
        answer := 'stopped';
        return;
    end if;
    -- Neither what a revoked account has asked for, nor what it has approved.
    perform from treasury.member m where m.tenant_id = tenant and m.actor = spend.actor and m.revoked_at is null
        and spend.quorum <= (
            select count(distinct a.person) from treasury.approval a
            join treasury.member o on o.tenant_id = a.tenant_id and o.actor = a.actor and o.revoked_at is null
            where a.tenant_id = tenant and a.spend_id = spend.spend_id and a.verdict = 'approve' and a.digest = spend.digest
        );
    if not found then
        answer := 'stopped';
        return;
    end if;
    if not treasury.keep_course(tenant, spend_id, version, history, next_at, false) then
        answer := 'moved';
        return;
    end if;
    select d.epoch, d.epoch_id, d.counter into epoch, epoch_id, counter
    from treasury.dispatch_allowed(context, spend.provider, spend_id, token_epoch, token_epoch_id, token_counter) d;
    answer := 'begun';
end
$$;
comment on function treasury.begin_attempt is
    'Notes and counts that a payment is about to be sent: begun, with the token to keep; stopped, if people have stopped it; moved, if another worker has it; refuses what dispatch_allowed refuses';

create function treasury.due_payments(context text, most integer, sending boolean) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    return (
        select coalesce(json_agg(d.payment), '[]') from (
            select json_build_object('payment', treasury.payment_of(s, p), 'version', coalesce(c.version, 0),
                'history', c.history, 'found', f.reference) as payment
            from treasury.spend s
            join treasury.payee p on p.tenant_id = s.tenant_id and p.payee_id = s.payee_id
            left join treasury.payment_course c on c.tenant_id = s.tenant_id and c.spend_id = s.spend_id
            left join lateral (
                select min(f.reference) as reference from treasury.found_payment f
                where f.tenant_id = s.tenant_id and f.correlation = s.spend_id and f.provider = s.provider and f.recorded_at is not null
            ) f on true
            where s.tenant_id = tenant and s.provider <> 'internal' and (
                c.spend_id is null and (s.state in ('unknown', 'sent') or s.state = 'submitting' and (sending or f.reference is not null))
                or c.next_at <= clock_timestamp()
            )
            order by c.next_at nulls first, s.submitted_at limit most
        ) d
    );
end
$$;
comment on function treasury.due_payments is
    'Payments of which something is to be done now, each with its course; unless `sending`, without those of which nothing was sent';

create function treasury.resolve(tenant uuid, actor text, change uuid, body json) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
    perform from treasury.spend s
    where s.tenant_id = tenant and s.spend_id = (body ->> 'spend')::uuid and (s.state = 'unknown' or s.state = 'sent' and exists (
        select from treasury.payment_course c where c.tenant_id = tenant and c.spend_id = s.spend_id and c.asks_person
    ));
    if not found then
        perform treasury.refuse('TREASURY_SPEND_STATE', 'people resolve what is unknown, and what a provider tells nothing of');
    end if;
    perform treasury.advance_spend(tenant, actor, (body ->> 'spend')::uuid, 'change/' || change, body ->> 'outcome',
        body ->> 'providerReference', body -> 'evidence', 0);
    -- Nobody is asked any more; what was sent is followed to its end.
    update treasury.payment_course c
    set asks_person = false, next_at = case when body ->> 'outcome' = 'sent' then clock_timestamp() end
    where c.tenant_id = tenant and c.spend_id = (body ->> 'spend')::uuid;
end
$$;
comment on function treasury.resolve is 'What two people found out about a payment of which the provider tells nothing';

grant execute on function treasury.open_dispatch(text, bigint, uuid, bigint), treasury.due_payments(text, integer, boolean),
    treasury.begin_attempt(text, uuid, integer, json, timestamptz, bigint, uuid, bigint) to parpour_payment;
