-- Trust is asked for where it is used: an approval counts as long as its giver may approve, and is somebody else than the maker
-- and the other approvers, by what the venture knows of them now; and who proposed a change may still do so when it is
-- confirmed.

create or replace function treasury.claim(context text, providers text[], most integer) returns json
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
            when spend.quorum > treasury.approving(tenant, spend.spend_id, spend.actor, spend.digest)
                then 'TREASURY_APPROVAL_NEEDED'
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

create or replace function treasury.begin_attempt(
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
        and spend.quorum <= treasury.approving(tenant, spend.spend_id, spend.actor, spend.digest);
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

create or replace function treasury.decide_change(context text, change uuid, digest bytea, confirm boolean, authenticated_at timestamptz)
returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    member constant treasury.member := treasury.acting(tenant, array['owner', 'treasurer']);
    at constant timestamptz := clock_timestamp();
    standing treasury.change;
    proposer treasury.member;
    book json;
begin
    select r.body into book from treasury.rules r where r.tenant_id = tenant order by r.version desc limit 1;
    select c.* into standing from treasury.change c where c.tenant_id = tenant and c.change_id = change;
    if not found then
        perform treasury.refuse('TREASURY_CHANGE_UNKNOWN', 'no such change');
    end if;
    if standing.state <> 'proposed' then
        if standing.state = (case when confirm then 'applied' else 'rejected' end) and standing.decided_by = member.actor then
            return;
        end if;
        perform treasury.refuse('TREASURY_CHANGE_CLOSED', 'the change was decided before');
    end if;
    if standing.expires_at <= at then
        perform treasury.refuse('TREASURY_CHANGE_CLOSED', 'the change was not confirmed in time');
    end if;
    if standing.digest is distinct from decide_change.digest then
        perform treasury.refuse('TREASURY_APPROVAL_MISMATCH', 'the confirmation is of something else');
    end if;
    if confirm then
        if standing.proposed_person = member.person then
            perform treasury.refuse('TREASURY_CHANGE_OWN', 'another person confirms what one proposes');
        end if;
        -- The proposer is still trusted with it, and still another person.
        select m.* into proposer from treasury.member m where m.tenant_id = tenant and m.actor = standing.proposed_by;
        if not found or proposer.revoked_at is not null then
            perform treasury.refuse('TREASURY_MEMBER_REVOKED', 'who proposed it was revoked');
        elsif not proposer.roles && array['owner', 'treasurer'] then
            perform treasury.refuse('TREASURY_ROLE_MISSING', 'who proposed it may propose nothing any more');
        elsif proposer.person = member.person then
            perform treasury.refuse('TREASURY_CHANGE_OWN', 'another person confirms what one proposes');
        end if;
        if standing.kind in ('rules', 'member') and not 'owner' = any(member.roles) then
            perform treasury.refuse('TREASURY_ROLE_MISSING', 'an owner confirms rules and members');
        end if;
        if authenticated_at is null or authenticated_at > at + interval '60 seconds'
            or authenticated_at < at - make_interval(secs => (book ->> 'stepUpSeconds')::integer)
        then
            perform treasury.refuse('TREASURY_STEP_UP_NEEDED', 'authenticate again');
        end if;
    end if;
    update treasury.change c set state = case when confirm then 'applied' else 'rejected' end, decided_by = member.actor,
        decided_person = member.person, decided_at = at, authenticated_at = decide_change.authenticated_at
    where c.tenant_id = tenant and c.change_id = change;
    perform treasury.note(tenant, case when confirm then 'treasury.change.applied' else 'treasury.change.rejected' end,
        'change/' || change, json_build_object('change', change, 'kind', standing.kind));
    if not confirm then
        return;
    end if;
    case standing.kind
        when 'rules' then
            perform treasury.put_rules(tenant, at, standing.proposed_by, member.actor, standing.body);
        when 'member' then
            perform treasury.put_member(tenant, at, standing.body);
            if (select count(distinct m.person) < 2 or not bool_or('owner' = any(m.roles)) from treasury.member m
                where m.tenant_id = tenant and m.revoked_at is null and m.actor like 'user:%'
                    and m.roles && array['owner', 'treasurer'])
            then
                perform treasury.refuse('TREASURY_TWO_PEOPLE_NEEDED', 'an owner, and another owner or treasurer, stay');
            end if;
        when 'envelope' then
            perform treasury.put_envelope(tenant, standing.body);
        when 'payee' then
            perform treasury.put_payee(tenant, at, (book ->> 'payeeCoolOffSeconds')::integer, standing.body);
        when 'release' then
            perform treasury.release(tenant, at, standing.body);
        when 'resolution' then
            perform treasury.resolve(tenant, member.actor, standing.change_id, standing.body);
        when 'limits' then
            perform treasury.put_limits(tenant, (standing.body ->> 'account')::bigint,
                (standing.body ->> 'minimum')::bigint, (standing.body ->> 'maximum')::bigint);
    end case;
end
$$;

create function treasury.check_proposer(tenant uuid, person text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
begin
    perform from treasury.member m where m.tenant_id = tenant and m.person = check_proposer.person and m.actor like 'user:%'
        and m.revoked_at is null and m.roles && array['owner', 'treasurer'];
    if not found then
        perform treasury.refuse('TREASURY_MEMBER_REVOKED', 'who proposed it has no account any more that may');
    end if;
end
$$;
comment on function treasury.check_proposer is 'Refuses what a person proposed who may propose nothing any more';

create or replace function treasury.confirm_exception(context text, exception_id uuid, journal bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    person constant text := treasury.person_acting();
    standing treasury.exception := treasury.held_exception(tenant, confirm_exception.exception_id);
    posted jsonb;
    ours bigint[];
    places integer[];
    moved numeric;
begin
    if standing.state <> 'proposed' then
        perform treasury.refuse('RECONCILIATION_EXCEPTION_CLOSED', format('it is %s', standing.state));
    end if;
    if standing.proposed_by = person then
        perform treasury.refuse('RECONCILIATION_SECOND_PERSON_REQUIRED', 'another person confirms');
    end if;
    perform treasury.check_proposer(tenant, standing.proposed_by);
    select jsonb_agg(jsonb_build_array(l.account_id, l.amount, l.currency) order by l.position),
        array_agg(l.journal order by l.position) filter (where l.account_id = standing.account_id),
        array_agg(l.position::integer order by l.position) filter (where l.account_id = standing.account_id),
        coalesce(sum(l.amount) filter (where l.account_id = standing.account_id), 0)
    into posted, ours, places, moved
    from treasury.leg l join treasury.journal j on j.tenant_id = l.tenant_id and j.number = l.journal
    where l.tenant_id = tenant and l.journal = confirm_exception.journal and j.correlation = standing.exception_id;
    -- A journal moves what the bank has moved; or takes back what it has not.
    if posted is distinct from standing.proposal -> 'legs'
        or moved <> (case when standing.number is null then -standing.amount else standing.amount end)
    then
        perform treasury.refuse('RECONCILIATION_PROPOSAL_MISMATCH', format('journal %s', confirm_exception.journal));
    end if;
    update treasury.exception x
    set state = standing.proposal ->> 'outcome', closed_at = clock_timestamp(), closed_by = person,
        closing_journal = confirm_exception.journal
    where x.tenant_id = tenant and x.exception_id = confirm_exception.exception_id;
    if standing.number is null then
        ours := ours || standing.journal;
        places := places || standing.leg::integer;
    end if;
    perform treasury.make_match(tenant, standing.account_id, 'decision',
        jsonb_build_object('rule', 'decision', 'exception', standing.exception_id, 'evidence', standing.evidence),
        case when standing.number is null then '{}' else array[standing.number] end,
        case when standing.number is null then '{}' else array[standing.position] end, ours, places);
    perform treasury.note_exception(tenant, confirm_exception.exception_id, standing.proposal ->> 'outcome',
        jsonb_build_object('evidence', standing.evidence, 'proposedBy', standing.proposed_by, 'closingJournal', confirm_exception.journal));
end
$$;

create or replace function treasury.confirm_unlock(context text, out epoch bigint, out epoch_id uuid, out counter bigint)
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
    perform treasury.check_proposer(tenant, standing.proposed_by);
    update treasury.dispatch d
    set epoch = greatest(d.epoch, d.token_epoch) + 1, epoch_id = gen_random_uuid(), began = d.counter, locked_at = null, locked_by = null, reason = null,
        proposed_by = null, evidence = null
    where d.tenant_id = tenant
    returning d.epoch, d.epoch_id, d.counter into epoch, epoch_id, counter;
    perform treasury.note(tenant, 'treasury.dispatch.unlocked', 'dispatch', json_build_object('epoch', epoch,
        'proposedBy', standing.proposed_by, 'evidence', standing.evidence));
end
$$;
