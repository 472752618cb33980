-- Courses of payments: what the payment worker knows of each, so that another worker goes on where one was killed; and the
-- providers' hints. Nothing here moves money: that is treasury.advance_spend, in the same transaction.

create table treasury.payment_course (
    tenant_id uuid not null,
    spend_id uuid not null,
    version integer not null check (version > 0),
    history json not null,
    next_at timestamptz,
    asks_person boolean not null default false,
    updated_at timestamptz not null,
    primary key (tenant_id, spend_id),
    foreign key (tenant_id, spend_id) references treasury.spend (tenant_id, spend_id)
);
comment on table treasury.payment_course is 'What is known of a payment: attempts, questions and answers so far';
comment on column treasury.payment_course.version is 'Counts changes: whoever changes it says which one was read';
comment on column treasury.payment_course.next_at is 'When there is something to do again; null if there is not';
comment on column treasury.payment_course.asks_person is 'Whether only a person can tell what became of it';
call controlplane.guard('treasury.payment_course');
create index due_course on treasury.payment_course (tenant_id, next_at) where next_at is not null;
create trigger immutable before delete or truncate on treasury.payment_course
    for each statement execute function controlplane.refuse_change();

create table treasury.provider_event (
    tenant_id uuid not null,
    provider text not null check (provider in ('stripe', 'mercury')),
    event_id text not null check (length(event_id) between 1 and 255),
    kind text not null check (length(kind) <= 255),
    reference text not null check (length(reference) <= 255),
    received_at timestamptz not null,
    primary key (tenant_id, provider, event_id)
);
comment on table treasury.provider_event is 'Webhooks that were taken: a second delivery changes nothing';
call controlplane.guard('treasury.provider_event');
create index about on treasury.provider_event (tenant_id, provider, reference, received_at);
create trigger immutable before update or delete or truncate on treasury.provider_event
    for each statement execute function controlplane.refuse_change();

create function treasury.hint(context text, provider text, event_id text, kind text, reference text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    insert into treasury.provider_event (tenant_id, provider, event_id, kind, reference, received_at)
    values (tenant, hint.provider, hint.event_id, hint.kind, hint.reference, clock_timestamp()) on conflict do nothing;
    if not found then
        return false;
    end if;
    update treasury.payment_course c set next_at = clock_timestamp()
    from treasury.spend s
    where s.tenant_id = tenant and s.provider = hint.provider and s.provider_reference = hint.reference
        and c.tenant_id = s.tenant_id and c.spend_id = s.spend_id;
    if not found and hint.provider = 'mercury' then
        -- A request that awaits approval becomes a transaction, whose id nobody here has heard of. It may be any of them.
        update treasury.payment_course c set next_at = clock_timestamp()
        from (
            select c.tenant_id, c.spend_id from treasury.payment_course c cross join lateral (
                select from treasury.spend s
                where s.tenant_id = c.tenant_id and s.spend_id = c.spend_id and s.provider = 'mercury' and s.state = 'sent'
                    and s.provider_reference like 'request:%' offset 0
            ) s
            where c.tenant_id = tenant and c.next_at > clock_timestamp() order by c.next_at limit 20
        ) w
        where c.tenant_id = w.tenant_id and c.spend_id = w.spend_id;
    end if;
    return true;
end
$$;
comment on function treasury.hint is 'Takes a webhook as a reason to look; false if it was taken before';
create index referred on treasury.spend (tenant_id, provider_reference) where provider_reference is not null;

create function treasury.keep_course(
    tenant uuid, spend_id uuid, version integer, history json, next_at timestamptz, asks_person boolean
) returns boolean
language plpgsql volatile set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    known treasury.payment_course;
    at constant timestamptz := clock_timestamp();
    due timestamptz := next_at;
begin
    select c.* into known from treasury.payment_course c
    where c.tenant_id = tenant and c.spend_id = keep_course.spend_id for update;
    if coalesce(known.version, 0) <> version then
        return false;
    end if;
    -- A webhook may have come before the answer that names its reference.
    perform from treasury.spend s join treasury.provider_event e
        on e.tenant_id = s.tenant_id and e.provider = s.provider and e.reference = s.provider_reference
    where s.tenant_id = tenant and s.spend_id = keep_course.spend_id and e.received_at > coalesce(known.updated_at, '-infinity');
    if found then
        due := least(due, at);
    end if;
    if version = 0 then
        insert into treasury.payment_course (tenant_id, spend_id, version, history, next_at, asks_person, updated_at)
        values (tenant, spend_id, 1, history, due, asks_person, at) on conflict do nothing;
        return found;
    end if;
    update treasury.payment_course c
    set version = c.version + 1, history = keep_course.history, next_at = due, asks_person = keep_course.asks_person,
        updated_at = at
    where c.tenant_id = tenant and c.spend_id = keep_course.spend_id;
    return true;
end
$$;
comment on function treasury.keep_course is 'Writes a course over the version that was read; false if another has written since';

create function treasury.learn(
    context text, spend_id uuid, version integer, history json, next_at timestamptz, asks_person boolean, outcomes json
) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    who constant text := controlplane.current_actor();
    known treasury.payment_course;
    outcome json;
    reached text;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    select c.* into known from treasury.payment_course c where c.tenant_id = tenant and c.spend_id = learn.spend_id;
    if coalesce(known.version, 0) <> version then
        perform treasury.refuse('TREASURY_COURSE_MOVED', 'another worker has gone on with this payment');
    end if;
    for outcome in select json_array_elements(outcomes) loop
        reached := treasury.advance_spend(tenant, who, spend_id, outcome ->> 'reference', outcome ->> 'step',
            outcome ->> 'providerReference', outcome -> 'evidence', (outcome ->> 'fee')::bigint);
    end loop;
    perform treasury.keep_course(tenant, spend_id, version, history, next_at, asks_person);
    if asks_person and known.asks_person is not true then
        insert into controlplane.event (tenant_id, type, version, occurred_at, actor, correlation, subject, payload)
        values (tenant, 'treasury.payment.unresolved', 1, clock_timestamp(), who, spend_id, 'spend/' || spend_id,
            json_build_object('spend', spend_id));
    end if;
    select s.state into reached from treasury.spend s where s.tenant_id = tenant and s.spend_id = learn.spend_id;
    return reached;
end
$$;
comment on function treasury.learn is 'What an answer tells: outcomes, journals, envelopes, events and the course, or none of them';

create policy due_for_payment on treasury.payment_course for select to parpour_payment using (next_at <= now());
grant select (tenant_id, spend_id, next_at) on treasury.payment_course to parpour_payment;
grant select on treasury.payment_course, treasury.provider_event to parpour_app;
grant execute on function treasury.hint(text, text, text, text, text) to parpour_app;
grant execute on function treasury.learn(text, uuid, integer, json, timestamptz, boolean, json) to parpour_payment;
