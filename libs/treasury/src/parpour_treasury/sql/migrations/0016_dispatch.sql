-- Restore mode. A restored database, or one that took over, forgets payments that were sent: sending from it would pay twice.
--
-- Each dispatch raises the tenant's counter in the commit of `submitting`, and the payment worker keeps (epoch, counter)
-- outside the database before it calls the provider. A database whose counter is behind the worker's token has forgotten.
-- Then nothing is sent until people have reviewed every provider, what was found there is recorded, and two of them
-- have unlocked, which begins a new epoch.

grant usage on schema treasury to parpour_payment;

create table treasury.dispatch (
    tenant_id uuid primary key references treasury.ledger,
    epoch bigint not null check (epoch > 0),
    token_epoch bigint not null default 0 check (token_epoch between 0 and 4611686018427387903),
    epoch_id uuid not null,
    counter bigint not null check (counter >= 0),
    began bigint not null default 0 check (began between 0 and counter),
    providers text[] not null,
    locked_at timestamptz,
    locked_by text,
    reason text check (length(reason) between 1 and 2000),
    proposed_by text,
    evidence text check (length(evidence) between 1 and 2000),
    check ((locked_at is null) = (locked_by is null) and (locked_at is null) = (reason is null)),
    check ((proposed_by is null) = (evidence is null)),
    check (proposed_by is null or locked_at is not null)
);
comment on table treasury.dispatch is 'Whether a tenant''s payments may be sent, and how many were';
comment on column treasury.dispatch.epoch is 'Raised each time that people unlock; a lower one is of an older database';
comment on column treasury.dispatch.token_epoch is 'The highest epoch that a worker''s token had when it locked: the next one is above it';
comment on column treasury.dispatch.epoch_id is 'Tells apart two databases that both came to an epoch';
comment on column treasury.dispatch.counter is 'Payments that were allowed to be sent';
comment on column treasury.dispatch.began is 'The counter when the epoch began';
comment on column treasury.dispatch.providers is 'Providers to which payments were sent';
call controlplane.guard('treasury.dispatch');
create trigger goes_forward before update on treasury.dispatch for each row when (
    new.tenant_id <> old.tenant_id or new.epoch < old.epoch or new.counter < old.counter or new.began < old.began or not new.providers @> old.providers
    or (new.epoch = old.epoch) <> (new.epoch_id = old.epoch_id)
) execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.dispatch
    for each statement execute function controlplane.refuse_change();

create table treasury.provider_review (
    tenant_id uuid not null,
    review bigint not null,
    provider text not null check (length(provider) between 1 and 35),
    as_of timestamptz not null,
    payments integer not null check (payments >= 0),
    unknown integer not null check (unknown between 0 and payments),
    digest bytea not null check (length(digest) = 32),
    made_at timestamptz not null,
    made_by text not null,
    primary key (tenant_id, review),
    foreign key (tenant_id) references treasury.ledger (tenant_id)
);
comment on table treasury.provider_review is 'A provider''s list of payments, compared with the books';
comment on column treasury.provider_review.as_of is 'When the provider gave the list';
comment on column treasury.provider_review.digest is 'SHA-256 of the list';
call controlplane.guard('treasury.provider_review');
create trigger immutable before update or delete or truncate on treasury.provider_review
    for each statement execute function controlplane.refuse_change();

create table treasury.found_payment (
    tenant_id uuid not null,
    provider text not null check (length(provider) between 1 and 35),
    reference text not null check (length(reference) between 1 and 200),
    review bigint not null,
    correlation uuid,
    amount treasury.amount not null check (amount > 0),
    currency treasury.currency not null,
    sent_at timestamptz not null,
    journal bigint,
    evidence text check (length(evidence) between 1 and 2000),
    recorded_at timestamptz,
    recorded_by text,
    primary key (tenant_id, provider, reference),
    foreign key (tenant_id, review) references treasury.provider_review (tenant_id, review) deferrable initially deferred,
    foreign key (tenant_id, journal) references treasury.journal (tenant_id, number),
    check ((recorded_at is null) = (recorded_by is null) and (recorded_at is null) = (evidence is null)),
    check (journal is null or recorded_at is not null)
);
comment on table treasury.found_payment is 'Payments that a provider knows and the books did not';
comment on column treasury.found_payment.correlation is 'The spend that the provider''s data names, if it names one';
comment on column treasury.found_payment.journal is 'The journal that brought it into the books';
call controlplane.guard('treasury.found_payment');
create index about_spend on treasury.found_payment (tenant_id, correlation);
create trigger identity_immutable
    before update of tenant_id, provider, reference, review, correlation, amount, currency, sent_at on treasury.found_payment
    for each statement execute function controlplane.refuse_change();
create trigger recorded_once before update on treasury.found_payment
    for each row when (old.recorded_at is not null) execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.found_payment
    for each statement execute function controlplane.refuse_change();

create function treasury.judge_dispatch(
    known boolean, locked boolean, epoch bigint, epoch_id uuid, counter bigint, began bigint,
    token_epoch bigint, token_epoch_id uuid, token_counter bigint
) returns text
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    select case
        when locked then 'DISPATCH_LOCKED'
        when token_epoch is null and known and counter > began then 'DISPATCH_TOKEN_MISSING'
        when token_epoch is null then null
        when not known or token_epoch > epoch then 'DISPATCH_ROLLED_BACK'
        when token_epoch < epoch then null
        when token_epoch_id <> epoch_id then 'DISPATCH_FORKED'
        when token_counter > counter then 'DISPATCH_ROLLED_BACK'
    end
$$;
comment on function treasury.judge_dispatch is 'Why nothing may be sent; null if it may. parpour_treasury.reconciliation.restore says the same';

create function treasury.dispatch_allowed(
    context text, provider text, correlation uuid, token_epoch bigint, token_epoch_id uuid, token_counter bigint,
    out epoch bigint, out epoch_id uuid, out counter bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    standing treasury.dispatch;
    code text;
    fresh boolean;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    if not found then
        perform treasury.refuse('TREASURY_LEDGER_UNKNOWN', 'this tenant has no books');
    end if;
    select d.* into standing from treasury.dispatch d where d.tenant_id = tenant;
    fresh := not found;
    code := treasury.judge_dispatch(not fresh, standing.locked_at is not null, standing.epoch, standing.epoch_id, standing.counter,
        standing.began, token_epoch, token_epoch_id, token_counter);
    if code is not null then
        perform treasury.refuse(code, 'nothing is sent');
    end if;
    if exists (
        select from treasury.found_payment f where f.tenant_id = tenant and f.correlation = dispatch_allowed.correlation
    ) then
        perform treasury.refuse('DISPATCH_PAYMENT_SENT', 'a payment of this spend was found at the provider');
    end if;
    if fresh then
        insert into treasury.dispatch as d (tenant_id, epoch, epoch_id, counter, providers)
        values (tenant, 1, gen_random_uuid(), 1, array[dispatch_allowed.provider])
        returning d.epoch, d.epoch_id, d.counter into epoch, epoch_id, counter;
        return;
    end if;
    update treasury.dispatch d
    set counter = d.counter + 1,
        providers = case when dispatch_allowed.provider = any(d.providers) then d.providers else d.providers || dispatch_allowed.provider end
    where d.tenant_id = tenant
    returning d.epoch, d.epoch_id, d.counter into epoch, epoch_id, counter;
end
$$;
comment on function treasury.dispatch_allowed is 'Counts one payment that is about to be sent, in the commit of submitting; refuses where the database may have forgotten some. The worker keeps the answer before it sends';

create function treasury.lock_dispatch(context text, reason text, token_epoch bigint default 0) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    standing treasury.dispatch;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    if not found then
        perform treasury.refuse('TREASURY_LEDGER_UNKNOWN', 'this tenant has no books');
    end if;
    insert into treasury.dispatch (tenant_id, epoch, epoch_id, counter, providers)
    values (tenant, 1, gen_random_uuid(), 0, '{}') on conflict do nothing;
    select d.* into standing from treasury.dispatch d where d.tenant_id = tenant;
    if lock_dispatch.token_epoch > standing.token_epoch then
        update treasury.dispatch d set token_epoch = lock_dispatch.token_epoch where d.tenant_id = tenant;
    end if;
    if standing.locked_at is not null then
        return false;
    end if;
    update treasury.dispatch d
    set locked_at = clock_timestamp(), locked_by = controlplane.current_actor(), reason = lock_dispatch.reason
    where d.tenant_id = tenant;
    perform treasury.note(tenant, 'treasury.dispatch.locked', 'dispatch', json_build_object('reason', lock_dispatch.reason));
    return true;
end
$$;
comment on function treasury.lock_dispatch is 'Nothing is sent any more; false if it was so';

create function treasury.review_provider(context text, provider text, as_of timestamptz, payments jsonb, out review bigint, out unknown integer)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    standing treasury.dispatch;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    select d.* into standing from treasury.dispatch d where d.tenant_id = tenant;
    if standing.locked_at is null then
        perform treasury.refuse('DISPATCH_NOT_LOCKED', 'a provider is reviewed while nothing is sent');
    end if;
    if as_of is null or as_of < standing.locked_at or as_of > clock_timestamp() then
        perform treasury.refuse('DISPATCH_NOT_RECONCILED', 'the list is from before the lock, or from the future');
    end if;
    select coalesce(max(r.review), 0) + 1 into review from treasury.provider_review r where r.tenant_id = tenant;
    -- A payment that left has a journal under its spend's correlation: the settlement of its hold, or a posting. All are looked
    -- for in one pass, because an index of journals by correlation would cost every posting something.
    insert into treasury.found_payment (tenant_id, provider, reference, review, correlation, amount, currency, sent_at)
    select tenant, review_provider.provider, p.reference, review_provider.review, p.correlation, p.amount, p.currency, p."sentAt"
    from jsonb_to_recordset(payments) as p(reference text, correlation uuid, amount bigint, currency text, "sentAt" timestamptz)
    where not exists (select from treasury.journal j where j.tenant_id = tenant and j.correlation = p.correlation)
        and not exists (
            select from treasury.found_payment f
            where f.tenant_id = tenant and f.provider = review_provider.provider and f.reference = p.reference
        );
    get diagnostics unknown = row_count;
    insert into treasury.provider_review (tenant_id, review, provider, as_of, payments, unknown, digest, made_at, made_by)
    values (tenant, review_provider.review, review_provider.provider, review_provider.as_of, jsonb_array_length(payments),
        review_provider.unknown, sha256(convert_to(payments::text, 'UTF8')), clock_timestamp(), controlplane.current_actor());
    perform treasury.note(tenant, 'treasury.provider.reviewed', 'dispatch', json_build_object('review', review_provider.review,
        'provider', review_provider.provider, 'asOf', as_of, 'payments', jsonb_array_length(payments), 'unknown', unknown));
end
$$;
comment on function treasury.review_provider is 'Compares a provider''s list of payments with the books, and keeps what is found there alone';

create function treasury.record_found(context text, provider text, reference text, journal bigint, evidence text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    person constant text := treasury.person_acting();
    standing treasury.found_payment;
    spend treasury.spend;
    brings boolean;
    at timestamptz;
begin
    select greatest(clock_timestamp(), h.recorded_at, h.locked_until) into at
    from treasury.ledger h where h.tenant_id = tenant for update;
    select f.* into standing from treasury.found_payment f
    where f.tenant_id = tenant and f.provider = record_found.provider and f.reference = record_found.reference;
    if not found then
        perform treasury.refuse('DISPATCH_PAYMENT_UNKNOWN', 'no such payment was found');
    end if;
    if coalesce(length(trim(evidence)), 0) not between 1 and 2000 then
        perform treasury.refuse('RECONCILIATION_EVIDENCE_MISSING', 'a decision states its evidence');
    end if;
    if standing.recorded_at is not null then
        return;
    end if;
    select s.* into spend from treasury.spend s where s.tenant_id = tenant and s.spend_id = standing.correlation;
    brings := spend.state in ('reserved', 'submitting', 'unknown')
        and (spend.provider, spend.currency, spend.amount) = (standing.provider, standing.currency, standing.amount);
    if record_found.journal is null then
        if not exists (
            select from treasury.hold h
            where h.tenant_id = tenant and h.correlation = standing.correlation and h.state = 'open'
        ) or spend.spend_id is not null and brings is not true then
            perform treasury.refuse('RECONCILIATION_PROPOSAL_MISMATCH', 'no hold keeps it, so a journal takes it out');
        end if;
    elsif brings then
        perform treasury.refuse('RECONCILIATION_PROPOSAL_MISMATCH', 'the hold of its spend keeps it: a journal would take it out twice');
    elsif not exists (
        select from treasury.leg l where l.tenant_id = tenant and l.journal = record_found.journal
            and l.currency = standing.currency and l.amount = -standing.amount
    ) then
        perform treasury.refuse('RECONCILIATION_PROPOSAL_MISMATCH', format('journal %s takes no such amount out', record_found.journal));
    end if;
    -- What was sent is neither approved nor sent any more, and its hold does not expire.
    if spend.state = 'reserved' and record_found.journal is null then
        update treasury.hold h set pinned_at = at where h.tenant_id = tenant and h.hold_id = spend.hold_id;
        update treasury.spend s
        set state = 'submitting', step = 'submitted', submitted_at = at, changed_at = at, changed_by = controlplane.current_actor()
        where s.tenant_id = tenant and s.spend_id = spend.spend_id;
    elsif spend.state = 'awaiting_approval' then
        update treasury.spend s
        set state = 'cancelled', step = 'cancelled', code = 'DISPATCH_PAYMENT_SENT', changed_at = at,
            changed_by = controlplane.current_actor()
        where s.tenant_id = tenant and s.spend_id = spend.spend_id;
    end if;
    update treasury.found_payment f
    set journal = record_found.journal, evidence = record_found.evidence, recorded_at = clock_timestamp(), recorded_by = person
    where f.tenant_id = tenant and f.provider = record_found.provider and f.reference = record_found.reference;
    perform treasury.note(tenant, 'treasury.payment.recorded', 'dispatch', json_build_object('provider', record_found.provider,
        'reference', record_found.reference, 'journal', record_found.journal, 'evidence', evidence));
end
$$;
comment on function treasury.record_found is 'A person says how a payment that was found at a provider came into the books';

create function treasury.unlock_fault(tenant uuid) returns text
language sql stable set search_path = pg_catalog, pg_temp
as $$
    select case
        when d.locked_at is null then 'DISPATCH_NOT_LOCKED'
        when not exists (
            select from treasury.provider_review r where r.tenant_id = d.tenant_id and r.as_of >= d.locked_at
        ) or exists (
            select from unnest(d.providers) p where not exists (
                select from treasury.provider_review r
                where r.tenant_id = d.tenant_id and r.provider = p and r.as_of >= d.locked_at)
        ) then 'DISPATCH_NOT_RECONCILED a provider was not reviewed since the lock'
        when exists (
            select from treasury.found_payment f where f.tenant_id = d.tenant_id and f.recorded_at is null
        ) then 'DISPATCH_NOT_RECONCILED a payment that was found is not recorded'
    end
    from (select unlock_fault.tenant as id) t left join treasury.dispatch d on d.tenant_id = t.id
$$;
comment on function treasury.unlock_fault is 'Why payments may not be unlocked; null if they may';

create function treasury.propose_unlock(context text, evidence text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    person constant text := treasury.person_acting();
    fault text;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    if coalesce(length(trim(evidence)), 0) not between 1 and 2000 then
        perform treasury.refuse('RECONCILIATION_EVIDENCE_MISSING', 'a decision states its evidence');
    end if;
    fault := treasury.unlock_fault(tenant);
    if fault is not null then
        perform treasury.refuse(split_part(fault, ' ', 1), fault);
    end if;
    update treasury.dispatch d set proposed_by = person, evidence = propose_unlock.evidence where d.tenant_id = tenant;
    perform treasury.note(tenant, 'treasury.dispatch.proposed', 'dispatch', json_build_object('evidence', evidence));
end
$$;
comment on function treasury.propose_unlock is 'A person proposes to send again, once every provider was reviewed';

create function treasury.confirm_unlock(context text, out epoch bigint, out epoch_id uuid, out counter bigint)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    person constant text := treasury.person_acting();
    standing treasury.dispatch;
    fault text;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    fault := treasury.unlock_fault(tenant);
    if fault is not null then
        perform treasury.refuse(split_part(fault, ' ', 1), fault);
    end if;
    select d.* into standing from treasury.dispatch d where d.tenant_id = tenant;
    if standing.proposed_by is null or standing.proposed_by = person then
        perform treasury.refuse('RECONCILIATION_SECOND_PERSON_REQUIRED', 'one person proposes, another confirms');
    end if;
    update treasury.dispatch d
    set epoch = greatest(d.epoch, d.token_epoch) + 1, epoch_id = gen_random_uuid(), began = d.counter, locked_at = null, locked_by = null, reason = null,
        proposed_by = null, evidence = null
    where d.tenant_id = tenant
    returning d.epoch, d.epoch_id, d.counter into epoch, epoch_id, counter;
    perform treasury.note(tenant, 'treasury.dispatch.unlocked', 'dispatch', json_build_object('epoch', epoch,
        'proposedBy', standing.proposed_by, 'evidence', standing.evidence));
end
$$;
comment on function treasury.confirm_unlock is 'Another person lets payments be sent again; a new epoch begins';

grant select on treasury.dispatch, treasury.provider_review, treasury.found_payment to parpour_app;
grant execute on function treasury.dispatch_allowed(text, text, uuid, bigint, uuid, bigint) to parpour_payment;
grant execute on function treasury.lock_dispatch(text, text, bigint) to parpour_app, parpour_payment;
grant execute on function treasury.review_provider(text, text, timestamptz, jsonb),
    treasury.record_found(text, text, text, bigint, text), treasury.propose_unlock(text, text), treasury.confirm_unlock(text)
    to parpour_app;
