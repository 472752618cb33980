-- The two calls of a batch of decisions: facts in, decisions back, in one transaction under the ledger's one lock. What is
-- decided in between is a pure function outside of the database; the triggers of 0008_spends hold its answers to the rules
-- that must never break.

create function treasury.expire_waiting(tenant uuid, at timestamptz, most integer default 10000) returns integer
language plpgsql volatile set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    due uuid[];
begin
    select array_agg(s.spend_id) into due from (
        select s.spend_id from treasury.spend s
        where s.tenant_id = tenant and s.state = 'awaiting_approval' and s.expires_at <= at order by s.expires_at limit most
    ) s;
    if due is null then
        return 0;
    end if;
    update treasury.spend s set state = 'expired', step = 'expired', changed_at = greatest(at, s.changed_at),
        changed_by = 'system:ledger'
    where s.tenant_id = tenant and s.spend_id = any(due);
    return cardinality(due);
end
$$;
comment on function treasury.expire_waiting is 'Expires requests that nobody approved in time; the head must have been taken';

create function treasury.sweep(context text) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    return treasury.expire_holds(tenant, clock_timestamp()) + treasury.expire_waiting(tenant, clock_timestamp());
end
$$;
comment on function treasury.sweep is 'Expires what is due in a tenant that nobody else writes to; again, as long as it expires any';

create function treasury.gather(
    tenant uuid, at timestamptz, actors text[], keys text[], spends uuid[], payees uuid[], envelopes uuid[],
    currencies text[], known integer
) returns json
language plpgsql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
    book treasury.rules;
    control treasury.control;
    standing json;
    all_actors text[];
    all_payees uuid[];
    all_envelopes uuid[];
    all_currencies text[];
    payee_rows json;
    categories text[];
begin
    select r.* into book from treasury.rules r where r.tenant_id = tenant order by r.version desc limit 1;
    if not found then
        perform treasury.refuse('TREASURY_RULES_UNKNOWN', 'this tenant has no rules: nothing is allowed');
    end if;
    select c.* into strict control from treasury.control c where c.tenant_id = tenant;
    all_actors := actors;
    all_payees := payees;
    all_envelopes := envelopes;
    all_currencies := currencies;
    if cardinality(spends) > 0 then
        select json_agg(json_build_object(
                'spend', s.spend_id, 'state', s.state, 'envelope', s.envelope_id, 'payee', s.payee_id, 'provider', s.provider,
                'fingerprint', encode(s.fingerprint, 'hex'), 'currency', s.currency, 'amount', s.amount, 'purpose', s.purpose,
                'actor', s.actor, 'rules_version', s.rules_version, 'decision', s.decision, 'decisions', d.decisions, 'quorum', s.quorum,
                'digest', encode(s.digest, 'hex'), 'hold', s.hold_id, 'requested_at', s.requested_at,
                'expires_at', s.expires_at, 'approvals', a.rows
            )),
            actors || array_agg(s.actor) || coalesce(array_agg(a.one) filter (where a.one is not null), '{}'),
            payees || array_agg(s.payee_id), envelopes || array_agg(s.envelope_id), currencies || array_agg(s.currency::text)
        into standing, all_actors, all_payees, all_envelopes, all_currencies
        from unnest(spends) as u(spend_id) cross join lateral (
            select s.* from treasury.spend s where s.tenant_id = tenant and s.spend_id = u.spend_id offset 0
        ) s left join lateral (
            select json_agg(json_build_array(a.actor, a.person, a.verdict) order by a.decided_at, a.person) as rows,
                string_agg(a.actor, e'\n') as one
            from treasury.approval a where a.tenant_id = tenant and a.spend_id = s.spend_id and a.digest = s.digest
        ) a on true cross join lateral (
            select max(d.number) as decisions from treasury.decision d where d.tenant_id = tenant and d.spend_id = s.spend_id
        ) d;
        all_actors := string_to_array(array_to_string(coalesce(all_actors, actors), e'\n'), e'\n');
        all_payees := coalesce(all_payees, payees);
        all_envelopes := coalesce(all_envelopes, envelopes);
        all_currencies := coalesce(all_currencies, currencies);
    end if;
    select json_agg(json_build_object(
            'payee', p.payee_id, 'category', p.category, 'provider', p.provider, 'fingerprint', encode(p.fingerprint, 'hex'),
            'usable_from', p.usable_from, 'held', p.held_at is not null, 'retired', p.retired_at is not null
        )), array_agg(distinct p.category)
    into payee_rows, categories
    from (select distinct id from unnest(all_payees) as u(id)) u cross join lateral (
        select p.* from treasury.payee p where p.tenant_id = tenant and p.payee_id = u.id offset 0
    ) p;
    return json_build_object(
        'at', at, 'version', book.version,
        'rules', case when book.version is distinct from known then book.body end,
        'frozen', control.frozen_at is not null, 'stopped', control.stopped_at is not null,
        'spends', coalesce(standing, '[]'), 'payees', coalesce(payee_rows, '[]'),
        'members', (
            select coalesce(json_agg(json_build_object('actor', m.actor, 'person', m.person, 'roles', m.roles,
                'revoked', m.revoked_at is not null)), '[]')
            from (select distinct actor from unnest(all_actors) as u(actor)) u cross join lateral (
                select m.* from treasury.member m where m.tenant_id = tenant and m.actor = u.actor offset 0
            ) m
        ),
        'envelopes', (
            select coalesce(json_agg(json_build_object('envelope', e.envelope_id, 'path', e.path, 'code', e.code,
                'currency', e.currency, 'cap', e.cap, 'reserved', e.reserved, 'spent', e.spent, 'opens_at', e.opens_at,
                'closes_at', e.closes_at)), '[]')
            from (
                select distinct p.id from unnest(all_envelopes) as u(id) cross join lateral (
                    select e.path from treasury.envelope e where e.tenant_id = tenant and e.envelope_id = u.id offset 0
                ) e cross join lateral unnest(e.path) as p(id)
            ) u cross join lateral (
                select e.* from treasury.envelope e where e.tenant_id = tenant and e.envelope_id = u.id offset 0
            ) e
        ),
        'accounts', (
            select coalesce(json_agg(json_build_object('account', a.account_id, 'code', a.code, 'available', case
                    when a.kind in ('asset', 'expense') then a.posted - a.pending_credit - a.lower_bound
                    else a.upper_bound - a.posted - a.pending_debit
                end)), '[]')
            from (
                select distinct kind || ':' || lower(currency) as code
                from unnest(all_currencies) as u(currency)
                cross join (values ('assets:bank'), ('assets:in-transit'), ('expenses:compute'), ('liabilities:platform')) k(kind)
            ) u cross join lateral (
                select a.* from treasury.account a where a.tenant_id = tenant and a.code = u.code and a.closed_at is null offset 0
            ) a
        ),
        'pace', (
            select coalesce(json_agg(json_build_array(k.scope, k.subject, w.currency, w.seconds,
                coalesce(l.count, 0) - coalesce(f.count, 0), coalesce(l.total, 0) - coalesce(f.total, 0))), '[]')
            from (
                select distinct 'payee' as scope, u::text as subject from unnest(all_payees) u
                union all select 'category', u from unnest(categories) u
                union all select distinct 'agent', u from unnest(all_actors) u
                union all select 'venture', ''
            ) k join (
                select w.scope, w.currency, w.seconds
                from json_to_recordset(book.body -> 'windows') as w(scope text, currency text, seconds integer)
                where w.currency = any(all_currencies)
                union select 'payee', u, (book.body ->> 'approvalWindowSeconds')::integer from unnest(all_currencies) u
            ) w on w.scope = k.scope left join lateral (
                select l.count, l.total from treasury.pace l
                where l.tenant_id = tenant and l.scope = k.scope and l.subject = k.subject and l.currency = w.currency
                order by l.at desc, l.count desc limit 1
            ) l on true left join lateral (
                select f.count, f.total from treasury.pace f
                where f.tenant_id = tenant and f.scope = k.scope and f.subject = k.subject and f.currency = w.currency
                    and f.at <= gather.at - make_interval(secs => w.seconds)
                order by f.at desc, f.count desc limit 1
            ) f on true
        ),
        'earlier', (
            select coalesce(json_agg(json_build_object('key', r.key, 'digest', encode(r.digest, 'hex'), 'spend', r.spend_id,
                'state', r.state, 'codes', r.codes)), '[]')
            from unnest(keys) as u(key) cross join lateral (
                select r.* from treasury.spending_request r where r.tenant_id = tenant and r.key = u.key offset 0
            ) r
        )
    );
end
$$;
comment on function treasury.gather is 'The facts that decisions about these things are made from, at a time';

create function treasury.spending_facts(
    context text, actors text[], keys text[], spends uuid[], payees uuid[], envelopes uuid[], currencies text[], known integer
) returns json
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    head treasury.ledger;
    at timestamptz;
begin
    perform treasury.check_actors(context, actors);
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
comment on function treasury.spending_facts is 'Takes the ledger''s head, expires what is due, and tells the facts of a batch';

create function treasury.facts_now(
    context text, spends uuid[], payees uuid[], envelopes uuid[], currencies text[], known integer
) returns json
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    return treasury.gather(tenant, clock_timestamp(), array[controlplane.current_actor()], '{}', spends, payees, envelopes,
        currencies, known);
end
$$;
comment on function treasury.facts_now is 'The same facts without a lock: for a dry run';

create function treasury.record_decisions(
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
end
$$;
comment on function treasury.record_decisions is 'Carries out what was decided of the facts that this transaction gathered: books, spends, approvals, answers';

grant execute on function treasury.sweep(text) to parpour_app, parpour_sweeper;
grant execute on function
    treasury.spending_facts(text, text[], text[], uuid[], uuid[], uuid[], text[], integer),
    treasury.facts_now(text, uuid[], uuid[], uuid[], text[], integer),
    treasury.record_decisions(text, text[], json, uuid[], text[], text[], bytea[], text[], timestamptz[], text[], uuid[], uuid[],
        timestamptz[], boolean[], bigint[], integer[], bigint[], bigint[], text[]) to parpour_app;
