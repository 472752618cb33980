-- Changes of what decides about money. What makes spending easier is proposed by one person and confirmed by another; what
-- only stops it needs one, and takes effect at once.

create function treasury.acting(tenant uuid, wanted text[]) returns treasury.member
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
    member treasury.member;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    select m.* into member from treasury.member m where m.tenant_id = tenant and m.actor = controlplane.current_actor();
    if not found then
        perform treasury.refuse('TREASURY_MEMBER_UNKNOWN', 'no account of this venture');
    elsif member.revoked_at is not null then
        perform treasury.refuse('TREASURY_MEMBER_REVOKED', 'the account was revoked');
    elsif member.actor not like 'user:%' then
        perform treasury.refuse('TREASURY_NOT_A_PERSON', 'people decide that');
    elsif not member.roles && wanted then
        perform treasury.refuse('TREASURY_ROLE_MISSING', 'the account has none of the roles that decide that');
    end if;
    return member;
end
$$;
comment on function treasury.acting is 'The person who acts, if they have one of these roles; takes the head';

create function treasury.membership(context text) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    return (
        select json_build_object('actor', m.actor, 'person', m.person, 'roles', m.roles, 'revoked', m.revoked_at is not null)
        from treasury.member m where m.tenant_id = tenant and m.actor = controlplane.current_actor()
    );
end
$$;
comment on function treasury.membership is 'The member whose context it is, in one call; null if the venture has no such account';

create function treasury.payee_fingerprint(name text, category text, provider text, destination text, account bytea) returns bytea
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    select sha256(convert_to(string_agg(length(field) || ':' || field, '' order by place), 'UTF8'))
    from unnest(array['payee/1', name, category, provider, destination, encode(account, 'hex')]) with ordinality as f(field, place)
$$;
comment on function treasury.payee_fingerprint is 'What is told apart of a payee: SHA-256 of its fields, each after its length';

create function treasury.put_member(tenant uuid, at timestamptz, body json) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
    insert into treasury.member (tenant_id, actor, person, roles, added_at)
    values (tenant, body ->> 'actor', body ->> 'person', array(select json_array_elements_text(body -> 'roles')), at)
    on conflict (tenant_id, actor) do update
        set person = excluded.person, roles = excluded.roles, revoked_at = null;
    perform treasury.note(tenant, 'treasury.member.changed', 'member', body);
end
$$;
comment on function treasury.put_member is 'Makes or changes an account of the venture, or takes a revoked one back';

create function treasury.put_envelope(tenant uuid, body json) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
    id constant uuid := (body ->> 'envelope')::uuid;
    above constant uuid := (body ->> 'parent')::uuid;
    standing treasury.envelope;
    trail uuid[] := '{}';
begin
    select e.* into standing from treasury.envelope e where e.tenant_id = tenant and e.envelope_id = id;
    if found then
        if standing.reserved + standing.spent > (body ->> 'cap')::bigint
            or (standing.code, standing.currency::text, standing.parent_id)
                is distinct from (body ->> 'code', body ->> 'currency', above)
        then
            perform treasury.refuse('TREASURY_ENVELOPE_IN_USE', 'less than what is taken of it, or another envelope');
        end if;
        update treasury.envelope e set cap = (body ->> 'cap')::bigint, opens_at = (body ->> 'opensAt')::timestamptz,
            closes_at = (body ->> 'closesAt')::timestamptz
        where e.tenant_id = tenant and e.envelope_id = id;
    else
        if above is not null then
            select e.path into trail from treasury.envelope e
            where e.tenant_id = tenant and e.envelope_id = above and e.currency = body ->> 'currency';
            if not found then
                perform treasury.refuse('TREASURY_ENVELOPE_UNKNOWN', 'no such envelope of this currency around it');
            end if;
        end if;
        if cardinality(trail) >= 8
            or exists (select from treasury.envelope e where e.tenant_id = tenant and e.code = body ->> 'code')
        then
            perform treasury.refuse('TREASURY_ENVELOPE_IN_USE', 'there is one of this code, or it is nested too deeply');
        end if;
        insert into treasury.envelope (tenant_id, envelope_id, parent_id, path, code, currency, cap, opens_at, closes_at)
        values (tenant, id, above, id || trail, body ->> 'code', body ->> 'currency', (body ->> 'cap')::bigint,
            (body ->> 'opensAt')::timestamptz, (body ->> 'closesAt')::timestamptz);
    end if;
    perform treasury.note(tenant, 'treasury.envelope.changed', 'envelope/' || id, body);
end
$$;
comment on function treasury.put_envelope is 'Opens an envelope, or changes the cap and times of one';

create function treasury.put_payee(tenant uuid, at timestamptz, cool_off integer, body json) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
    id constant uuid := (body ->> 'payee')::uuid;
    mark constant bytea := treasury.payee_fingerprint(body ->> 'name', body ->> 'category', body ->> 'provider',
        (body -> 'destination')::text, decode(body ->> 'account', 'hex'));
    usable constant timestamptz := at + make_interval(secs => cool_off);
    standing treasury.payee;
begin
    select p.* into standing from treasury.payee p where p.tenant_id = tenant and p.payee_id = id;
    if standing.retired_at is not null then
        perform treasury.refuse('TREASURY_PAYEE_RETIRED', 'a payee that was retired stays so');
    end if;
    if (body ->> 'retired')::boolean then
        if standing.payee_id is null then
            perform treasury.refuse('TREASURY_PAYEE_UNKNOWN', 'no such payee');
        end if;
        update treasury.payee p set retired_at = at where p.tenant_id = tenant and p.payee_id = id;
    else
        insert into treasury.payee
            (tenant_id, payee_id, name, category, provider, destination, fingerprint, created_at, usable_from)
        values (tenant, id, body ->> 'name', body ->> 'category', body ->> 'provider', body -> 'destination', mark, at, usable)
        on conflict (tenant_id, payee_id) do update
            set name = excluded.name, category = excluded.category, provider = excluded.provider,
                destination = excluded.destination, fingerprint = excluded.fingerprint,
                usable_from = greatest(payee.usable_from, excluded.usable_from)
        where payee.fingerprint <> excluded.fingerprint;
    end if;
    perform treasury.note(tenant, 'treasury.payee.changed', 'payee/' || id,
        json_build_object('payee', id, 'name', body ->> 'name', 'category', body ->> 'category',
            'provider', body ->> 'provider', 'destination', body -> 'destination', 'fingerprint', encode(mark, 'hex'),
            'usableFrom', usable, 'retired', (body ->> 'retired')::boolean));
end
$$;
comment on function treasury.put_payee is 'Makes, changes or retires a payee; a new or another one cools off first';

create function treasury.put_rules(tenant uuid, at timestamptz, proposer text, confirmer text, body json) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
    version constant integer := (body ->> 'version')::integer;
begin
    if version is distinct from
        1 + coalesce((select max(r.version) from treasury.rules r where r.tenant_id = tenant), 0)
    then
        perform treasury.refuse('TREASURY_CHANGE_STALE', 'the rules have changed since this was proposed');
    end if;
    insert into treasury.rules (tenant_id, version, body, proposed_by, approved_by, effective_at)
    values (tenant, version, body -> 'rules', proposer, confirmer, at);
    perform treasury.note(tenant, 'treasury.rules.changed', 'rules/' || version,
        json_build_object('version', version, 'proposedBy', proposer, 'rules', body -> 'rules'));
end
$$;
comment on function treasury.put_rules is 'Puts the next version of the rules into force';

create function treasury.bootstrap(context text, members json, rules json, envelopes json, payees json) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    at constant timestamptz := clock_timestamp();
    actor constant text := controlplane.current_actor();
    one json;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    if not found then
        perform treasury.refuse('TREASURY_LEDGER_UNKNOWN', 'this tenant has no books');
    end if;
    if exists (select from treasury.rules r where r.tenant_id = tenant) then
        return false;
    end if;
    insert into treasury.control (tenant_id) values (tenant);
    for one in select json_array_elements(members) loop
        perform treasury.put_member(tenant, at, one);
    end loop;
    -- One person alone could change nothing any more, as every change needs another.
    if (select count(distinct m.person) < 2 or not bool_or('owner' = any(m.roles)) from treasury.member m
        where m.tenant_id = tenant and m.actor like 'user:%' and m.roles && array['owner', 'treasurer'])
    then
        perform treasury.refuse('TREASURY_TWO_PEOPLE_NEEDED', 'an owner, and another owner or treasurer');
    end if;
    perform treasury.put_rules(tenant, at, actor, actor, json_build_object('version', 1, 'rules', rules));
    for one in select json_array_elements(envelopes) loop
        perform treasury.put_envelope(tenant, one);
    end loop;
    -- Nobody could have been paid before, so there is nothing to cool off from.
    for one in select json_array_elements(payees) loop
        perform treasury.put_payee(tenant, at, 0, one);
    end loop;
    return true;
end
$$;
comment on function treasury.bootstrap is 'Gives a tenant its first members, rules, envelopes and payees; false if it has rules already';

create function treasury.propose(context text, change uuid, kind text, body json, digest bytea) returns timestamptz
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    member constant treasury.member := treasury.acting(tenant, array['owner', 'treasurer']);
    at constant timestamptz := clock_timestamp();
    life integer;
    expires timestamptz;
begin
    select (r.body ->> 'changeLifetimeSeconds')::integer into life from treasury.rules r
    where r.tenant_id = tenant order by r.version desc limit 1;
    select c.expires_at into expires from treasury.change c where c.tenant_id = tenant and c.change_id = change;
    if found then
        perform from treasury.change c where c.tenant_id = tenant and c.change_id = change
            and c.digest = propose.digest and c.proposed_by = member.actor;
        if not found then
            perform treasury.refuse('TREASURY_IDEMPOTENCY_KEY_REUSED', 'there is another change of this id');
        end if;
        return expires;
    end if;
    if digest is distinct from treasury.change_digest(change, kind, body) then
        perform treasury.refuse('TREASURY_APPROVAL_MISMATCH', 'the digest is not that of the change');
    end if;
    expires := at + make_interval(secs => life);
    insert into treasury.change
        (tenant_id, change_id, kind, body, digest, proposed_by, proposed_person, proposed_at, expires_at)
    values (tenant, change, kind, body, digest, member.actor, member.person, at, expires);
    perform treasury.note(tenant, 'treasury.change.proposed', 'change/' || change,
        json_build_object('change', change, 'kind', kind, 'body', body, 'digest', encode(digest, 'hex')));
    return expires;
end
$$;
comment on function treasury.propose is 'Proposes a change; nothing changes before another person confirms it';

create function treasury.change_digest(change uuid, kind text, body json) returns bytea
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    select sha256(convert_to(string_agg(length(field) || ':' || field, '' order by place), 'UTF8'))
    from unnest(array['change/1', change::text, kind, body::text]) with ordinality as f(field, place)
$$;
comment on function treasury.change_digest is 'What a confirmation is of: SHA-256 of the change, each field after its length';

create function treasury.decide_change(context text, change uuid, digest bytea, confirm boolean, authenticated_at timestamptz)
returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    member constant treasury.member := treasury.acting(tenant, array['owner', 'treasurer']);
    at constant timestamptz := clock_timestamp();
    standing treasury.change;
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
        -- The proposer is still trusted with it.
        perform from treasury.member m where m.tenant_id = tenant and m.actor = standing.proposed_by and m.revoked_at is null;
        if not found then
            perform treasury.refuse('TREASURY_MEMBER_REVOKED', 'who proposed it was revoked');
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
    end case;
end
$$;
comment on function treasury.decide_change is 'Confirms and applies a change, or rejects it, as another person than who proposed it';

create function treasury.release(tenant uuid, at timestamptz, body json) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
    case body ->> 'what'
        when 'freeze' then
            update treasury.control c set frozen_at = null, frozen_by = null where c.tenant_id = tenant;
            perform treasury.note(tenant, 'treasury.venture.unfrozen', 'venture', body);
        when 'kill-switch' then
            update treasury.control c set stopped_at = null, stopped_by = null where c.tenant_id = tenant;
            perform treasury.note(tenant, 'treasury.venture.resumed', 'venture', body);
        when 'payee' then
            update treasury.payee p set held_at = null
            where p.tenant_id = tenant and p.payee_id = (body ->> 'payee')::uuid;
            if not found then
                perform treasury.refuse('TREASURY_PAYEE_UNKNOWN', 'no such payee');
            end if;
            perform treasury.note(tenant, 'treasury.payee.released', 'payee/' || (body ->> 'payee'), body);
    end case;
end
$$;
comment on function treasury.release is 'Lets go what one person stopped';

create function treasury.freeze_venture(context text, reason text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    member constant treasury.member := treasury.acting(tenant, array['owner', 'treasurer', 'approver', 'auditor']);
begin
    update treasury.control c set frozen_at = clock_timestamp(), frozen_by = member.actor, reason = freeze_venture.reason
    where c.tenant_id = tenant and c.frozen_at is null;
    if found then
        perform treasury.note(tenant, 'treasury.venture.frozen', 'venture', json_build_object('reason', freeze_venture.reason));
        return true;
    end if;
    return false;
end
$$;
comment on function treasury.freeze_venture is 'Freezes the venture: nothing is reserved, approved or sent; false if it is frozen already';

create function treasury.throw_kill_switch(context text, reason text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    who constant text := controlplane.current_actor();
begin
    -- Whoever can reach it may throw it, machines as well: a false alarm costs less than a late one.
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    update treasury.control c set stopped_at = clock_timestamp(), stopped_by = who, reason = throw_kill_switch.reason
    where c.tenant_id = tenant and c.stopped_at is null;
    if found then
        perform treasury.note(tenant, 'treasury.venture.stopped', 'venture', json_build_object('reason', throw_kill_switch.reason));
        return true;
    end if;
    return false;
end
$$;
comment on function treasury.throw_kill_switch is 'Stops all spending of the venture, whoever says so; false if it is stopped already';

create function treasury.hold_payee(context text, payee uuid, reason text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    member constant treasury.member := treasury.acting(tenant, array['owner', 'treasurer', 'approver', 'auditor']);
begin
    perform from treasury.payee p where p.tenant_id = tenant and p.payee_id = hold_payee.payee;
    if not found then
        perform treasury.refuse('TREASURY_PAYEE_UNKNOWN', 'no such payee');
    end if;
    update treasury.payee p set held_at = clock_timestamp()
    where p.tenant_id = tenant and p.payee_id = hold_payee.payee and p.held_at is null and p.retired_at is null;
    if found then
        perform treasury.note(tenant, 'treasury.payee.held', 'payee/' || hold_payee.payee,
            json_build_object('payee', hold_payee.payee, 'reason', reason, 'by', member.actor));
        return true;
    end if;
    return false;
end
$$;
comment on function treasury.hold_payee is 'Stops spending on a payee; false if it is stopped already';

create function treasury.revoke(context text, actor text, reason text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    member constant treasury.member := treasury.acting(tenant, array['owner', 'treasurer']);
begin
    perform from treasury.member m where m.tenant_id = tenant and m.actor = revoke.actor;
    if not found then
        perform treasury.refuse('TREASURY_MEMBER_UNKNOWN', 'no such account');
    end if;
    update treasury.member m set revoked_at = clock_timestamp()
    where m.tenant_id = tenant and m.actor = revoke.actor and m.revoked_at is null;
    if found then
        perform treasury.note(tenant, 'treasury.member.revoked', 'member',
            json_build_object('actor', revoke.actor, 'reason', reason, 'by', member.actor));
        return true;
    end if;
    return false;
end
$$;
comment on function treasury.revoke is 'Revokes an account at once; false if it is revoked already';

grant execute on function treasury.membership(text), treasury.bootstrap(text, json, json, json, json), treasury.propose(text, uuid, text, json, bytea),
    treasury.decide_change(text, uuid, bytea, boolean, timestamptz), treasury.freeze_venture(text, text),
    treasury.throw_kill_switch(text, text), treasury.hold_payee(text, uuid, text), treasury.revoke(text, text, text)
    to parpour_app;
