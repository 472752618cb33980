-- How far the accounts may go from which spends take what they reserve is a limit of spending like any other: it is loosened by
-- two people. One alone may tighten it, and sets the limits of all other accounts.

alter table treasury.change drop constraint change_kind_check;
alter table treasury.change add constraint change_kind_check
    check (kind in ('rules', 'member', 'envelope', 'payee', 'release', 'resolution', 'limits'));

create function treasury.put_limits(tenant uuid, account_id bigint, minimum bigint, maximum bigint) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
    standing treasury.account := treasury.held_account(tenant, put_limits.account_id);
    bounds record := treasury.signed_bounds(standing.kind, minimum, maximum);
begin
    if standing.posted - standing.pending_credit < bounds.lower_bound
        or standing.posted + standing.pending_debit > bounds.upper_bound
    then
        perform treasury.refuse('TREASURY_LIMIT_EXCEEDED', 'the balance is outside these limits already');
    end if;
    update treasury.account a set lower_bound = bounds.lower_bound, upper_bound = bounds.upper_bound
    where a.tenant_id = tenant and a.account_id = put_limits.account_id;
    perform treasury.note(tenant, 'treasury.account.limited', 'account/' || put_limits.account_id,
        json_build_object('account', put_limits.account_id, 'minimum', minimum, 'maximum', maximum));
end
$$;
comment on function treasury.put_limits is 'Sets an account''s limits, in its own direction, unless the balance is outside them';

create or replace function treasury.limit_account(context text, account_id bigint, minimum bigint, maximum bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    standing treasury.account := treasury.held_account(tenant, limit_account.account_id);
    bounds record := treasury.signed_bounds(standing.kind, minimum, maximum);
begin
    -- A limit that is not there is the loosest one.
    if (bounds.lower_bound >= standing.lower_bound or standing.lower_bound is null) is not true
        or (bounds.upper_bound <= standing.upper_bound or standing.upper_bound is null) is not true
    then
        perform from treasury.control c where c.tenant_id = tenant;
        if found and standing.code in (
            select kind || ':' || lower(standing.currency)
            from unnest(array['assets:bank', 'assets:in-transit', 'expenses:compute', 'liabilities:platform']) as k(kind)
        ) then
            perform treasury.refuse('TREASURY_CHANGE_NEEDED', 'spends take from this account: two people loosen its limits');
        end if;
    end if;
    perform treasury.put_limits(tenant, limit_account.account_id, minimum, maximum);
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
