-- Many commands in one transaction, each accepted or refused by itself, in their order.
--
-- treasury.execute decides in memory, on arrays, and then writes each table once. Rows are looked up by their whole key, in
-- lateral queries that `offset 0` keeps apart, and never joined: plans are cached and tenants differ in size, so one that was
-- made over a small table must still be right in a large one.

create function treasury.expire_holds(tenant uuid, at timestamptz, most integer default 10000) returns integer
language plpgsql volatile set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    due uuid[];
    freed record;
begin
    select array_agg(h.hold_id) into due from (
        select h.hold_id from treasury.hold h
        where h.tenant_id = tenant and h.state = 'open' and h.pinned_at is null and h.expires_at <= at order by h.expires_at limit most
    ) h;
    if due is null then
        return 0;
    end if;
    for freed in
        select l.account_id, sum(greatest(l.amount - l.settled, 0)) as debit, sum(greatest(l.settled - l.amount, 0)) as credit
        from treasury.hold_leg l where l.tenant_id = tenant and l.hold_id = any(due) group by l.account_id
    loop
        update treasury.account a
        set pending_debit = a.pending_debit - freed.debit, pending_credit = a.pending_credit - freed.credit
        where a.tenant_id = tenant and a.account_id = freed.account_id;
    end loop;
    update treasury.hold h set state = 'expired', closed_at = at where h.tenant_id = tenant and h.hold_id = any(due);
    insert into controlplane.event (tenant_id, type, version, occurred_at, actor, correlation, subject, payload)
    select tenant, 'treasury.hold.expired', 1, at, 'system:ledger', h.correlation, 'hold/' || h.hold_id,
        json_build_object('hold', h.hold_id)
    from treasury.hold h where h.tenant_id = tenant and h.hold_id = any(due);
    return cardinality(due);
end
$$;
comment on function treasury.expire_holds is 'Frees what holds kept that are due, the oldest first, as many as one statement can bear; the head must have been taken';

create function treasury.static_faults(
    tenant uuid, at timestamptz, operations text[], hold_ids uuid[], expires timestamptz[], reversed bigint[], spends uuid[]
) returns table (command bigint, code text)
language sql stable set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
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
    where c.operation = 'reverse'
$$;
comment on function treasury.static_faults is 'What refuses commands on holds and journals whatever the balances are';

create function treasury.effects(
    tenant uuid, operations text[], hold_ids uuid[], releases boolean[], reversed bigint[], leg_counts integer[],
    leg_commands integer[], leg_positions integer[], leg_accounts bigint[], leg_amounts bigint[], leg_currencies text[]
) returns table (
    command integer, "position" integer, account_id bigint, currency text,
    posted bigint, debit bigint, credit bigint, rest bigint, code text
)
language sql stable set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
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
    window of_command as (partition by e.command)
$$;
comment on function treasury.effects is 'What each command does to each account, one row a leg';

create function treasury.write_balances(tenant uuid, ids bigint[], posted bigint[], debit bigint[], credit bigint[])
returns void
language sql volatile set search_path = pg_catalog, pg_temp set enable_seqscan = off set plan_cache_mode = force_custom_plan
as $$
    update treasury.account a
    set posted = write_balances.posted[width_bucket(a.account_id, ids)],
        pending_debit = debit[width_bucket(a.account_id, ids)], pending_credit = credit[width_bucket(a.account_id, ids)]
    where a.tenant_id = tenant and a.account_id = any(ids)
$$;
comment on function treasury.write_balances is 'Writes the balances of accounts, whose ids ascend, in one statement';

create function treasury.carry_out(
    tenant uuid, at timestamptz, spends uuid[],
    actors text[], keys text[], digests bytea[], operations text[], effective timestamptz[], descriptions text[],
    correlations uuid[],
    hold_ids uuid[], expires timestamptz[], releases boolean[], reversed bigint[], leg_counts integer[],
    leg_accounts bigint[], leg_amounts bigint[], leg_currencies text[],
    out codes text[], out refused_accounts bigint[], out journals bigint[], out replayed boolean[]
)
language plpgsql volatile set search_path = pg_catalog, pg_temp
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
    most constant bigint := 4611686018427387903;
    n constant integer := cardinality(keys);
    head treasury.ledger;
    earlier record;
    fault record;
    last_number bigint;
    -- effects, one element a leg
    e_counts integer[];
    e_position integer[];
    e_account bigint[];
    e_currency text[];
    e_posted bigint[];
    e_debit bigint[];
    e_credit bigint[];
    e_rest bigint[];
    e_slot integer[];
    e_balance bigint[];
    e_journal bigint[];
    e_effective timestamptz[];
    e_new_hold uuid[];
    e_code text[];
    leg_commands integer[];
    m integer;
    -- accounts, one element each; e_slot points here
    ids bigint[];
    b_posted bigint[];
    b_debit bigint[];
    b_credit bigint[];
    lower_bounds bigint[];
    upper_bounds bigint[];
    currencies text[];
    closed boolean[];
    -- the command in hand
    first integer;
    last integer := 0;
    applied integer;
    s integer;
    code text;
    refused bigint;
    legs text;
    rest bigint;
    moved bigint;
    answered boolean[] := array_fill(false, array[n]);
    payloads text[] := array_fill(null::text, array[n]);
begin
    -- Effects are found out for all commands before any is decided, so two on one hold would spend it twice.
    if n = 0 or cardinality(actors) <> n or (select count(distinct k) from unnest(keys) k) <> n
        or not operations <@ array['post', 'hold', 'settle', 'void', 'reverse']
        or (select count(h) <> count(distinct h) from unnest(hold_ids) h)
        or (select count(r) <> count(distinct r) from unnest(reversed) r)
    then
        perform treasury.refuse('TREASURY_BATCH_MALFORMED', 'a batch has commands, each under a key of its own, none on what another touches');
    end if;
    select h.* into strict head from treasury.ledger h where h.tenant_id = tenant;
    last_number := head.journals;
    codes := array_fill(null::text, array[n]);
    refused_accounts := array_fill(null::bigint, array[n]);
    journals := array_fill(null::bigint, array[n]);
    replayed := array_fill(false, array[n]);

    -- answers that were given before
    for earlier in
        select c.command, r.digest = c.digest as same, r.code, r.account_id, r.journal
        from unnest(keys, digests) with ordinality as c(key, digest, command)
        cross join lateral (
            select r.* from treasury.request r where r.tenant_id = tenant and r.key = c.key offset 0
        ) r
    loop
        answered[earlier.command] := true;
        if earlier.same then
            replayed[earlier.command] := true;
            codes[earlier.command] := earlier.code;
            refused_accounts[earlier.command] := earlier.account_id;
            journals[earlier.command] := earlier.journal;
        else
            codes[earlier.command] := 'TREASURY_IDEMPOTENCY_KEY_REUSED';
        end if;
    end loop;

    -- what a spend has moved is told by its journals, so only its own steps write and undo them
    if spends[1] is null then
        for fault in
            select c.command from unnest(operations, correlations, reversed) with ordinality
                as c(operation, correlation, number, command)
            left join lateral (
                select j.correlation from treasury.journal j where j.tenant_id = tenant and j.number = c.number offset 0
            ) j on true
            join lateral (
                select from treasury.spend s
                where s.tenant_id = tenant and s.spend_id = any (array[c.correlation, j.correlation]) limit 1
            ) s on true
        loop
            if not answered[fault.command] then
                codes[fault.command] := 'TREASURY_JOURNAL_OF_SPEND';
            end if;
        end loop;
    end if;

    -- effects on accounts
    if operations <@ array['post'] then
        e_counts := leg_counts;
        e_account := leg_accounts;
        e_currency := leg_currencies;
        e_posted := leg_amounts;
        m := cardinality(e_account);
        e_position := array_fill(0, array[m]);
        e_debit := array_fill(0::bigint, array[m]);
        e_credit := e_debit;
        e_rest := e_debit;
    else
        for fault in select f.* from treasury.static_faults(tenant, at, operations, hold_ids, expires, reversed, spends) f
            where f.code is not null
        loop
            if not answered[fault.command] then
                codes[fault.command] := coalesce(codes[fault.command], fault.code);
            end if;
        end loop;
        leg_commands := array_fill(0, array[cardinality(leg_accounts)]);
        e_position := leg_commands;
        for i in 1 .. n loop
            for position in 1 .. leg_counts[i] loop
                last := last + 1;
                leg_commands[last] := i;
                e_position[last] := position;
            end loop;
        end loop;
        e_counts := array_fill(0, array[n]);
        select array_agg(e.position order by e.command, e.position), array_agg(e.account_id order by e.command, e.position),
            array_agg(e.currency order by e.command, e.position), array_agg(e.posted order by e.command, e.position),
            array_agg(e.debit order by e.command, e.position), array_agg(e.credit order by e.command, e.position),
            array_agg(e.rest order by e.command, e.position), array_agg(e.command order by e.command, e.position),
            array_agg(e.code order by e.command, e.position)
        into e_position, e_account, e_currency, e_posted, e_debit, e_credit, e_rest, leg_commands, e_code
        from treasury.effects(tenant, operations, hold_ids, releases, reversed, leg_counts, leg_commands, e_position,
            leg_accounts, leg_amounts, leg_currencies) e;
        for e in 1 .. coalesce(cardinality(leg_commands), 0) loop
            e_counts[leg_commands[e]] := e_counts[leg_commands[e]] + 1;
            if e_code[e] is not null and not answered[leg_commands[e]] then
                codes[leg_commands[e]] := coalesce(codes[leg_commands[e]], e_code[e]);
            end if;
        end loop;
        last := 0;
        m := coalesce(cardinality(e_account), 0);
    end if;
    e_balance := array_fill(null::bigint, array[m]);
    e_journal := e_balance;
    e_effective := array_fill(null::timestamptz, array[m]);
    e_new_hold := array_fill(null::uuid, array[m]);

    -- accounts as they stand
    select array_agg(a.account_id), array_agg(a.posted), array_agg(a.pending_debit), array_agg(a.pending_credit),
        array_agg(a.lower_bound), array_agg(a.upper_bound), array_agg(a.currency), array_agg(a.closed)
    into ids, b_posted, b_debit, b_credit, lower_bounds, upper_bounds, currencies, closed
    from (
        select a.account_id, a.posted::bigint, a.pending_debit::bigint, a.pending_credit::bigint,
            coalesce(a.lower_bound, -most) as lower_bound, coalesce(a.upper_bound, most) as upper_bound,
            a.currency::text, a.closed_at is not null as closed
        from (select distinct account_id from unnest(e_account) as e(account_id)) e
        cross join lateral (
            select a.* from treasury.account a where a.tenant_id = tenant and a.account_id = e.account_id offset 0
        ) a
        order by a.account_id
    ) a;
    select array_agg(width_bucket(e.account_id, ids) order by e.place) into e_slot
    from unnest(e_account) with ordinality as e(account_id, place);

    -- decisions
    for i in 1 .. n loop
        first := last + 1;
        last := last + e_counts[i];
        continue when answered[i];
        code := codes[i];
        refused := null;
        applied := first - 1;
        legs := '';
        rest := 0;
        if code is null and operations[i] in ('post', 'settle', 'reverse') then
            effective[i] := coalesce(effective[i], at);
            if effective[i] < head.locked_until then
                code := 'TREASURY_PERIOD_LOCKED';
            elsif effective[i] > at then
                code := 'TREASURY_EFFECTIVE_IN_FUTURE';
            end if;
        end if;
        if code is null then
            for e in first .. last loop
                s := e_slot[e];
                if ids[s] is distinct from e_account[e] then
                    code := 'TREASURY_ACCOUNT_UNKNOWN';
                elsif closed[s] then
                    code := 'TREASURY_ACCOUNT_CLOSED';
                elsif currencies[s] <> e_currency[e] then
                    code := 'TREASURY_CURRENCY_MISMATCH';
                elsif e_posted[e] > most or e_posted[e] < -most or e_debit[e] > most or e_credit[e] > most then
                    code := 'TREASURY_BALANCE_OVERFLOW';
                else
                    b_posted[s] := b_posted[s] + e_posted[e];
                    b_debit[s] := b_debit[s] + e_debit[e];
                    b_credit[s] := b_credit[s] + e_credit[e];
                    applied := e;
                    e_balance[e] := b_posted[s];
                    rest := greatest(rest, e_rest[e]);
                    moved := case when operations[i] = 'hold' then e_debit[e] - e_credit[e] else e_posted[e] end;
                    if moved <> 0 then
                        legs := legs || ',[' || e_account[e] || ',' || moved || ',"' || e_currency[e] || '"]';
                    end if;
                    if b_posted[s] > most or b_posted[s] < -most or b_debit[s] > most or b_credit[s] > most then
                        code := 'TREASURY_BALANCE_OVERFLOW';
                    end if;
                end if;
                if code is not null then
                    refused := e_account[e];
                    exit;
                end if;
            end loop;
            if code is null then
                for e in first .. last loop
                    s := e_slot[e];
                    if b_posted[s] - b_credit[s] < lower_bounds[s] or b_posted[s] + b_debit[s] > upper_bounds[s] then
                        code := case when lower_bounds[s] = -most and upper_bounds[s] = most
                            then 'TREASURY_BALANCE_OVERFLOW' else 'TREASURY_LIMIT_EXCEEDED' end;
                        refused := e_account[e];
                        exit;
                    end if;
                end loop;
            end if;
        end if;
        if code is not null then
            -- as if it had not been asked
            for e in first .. applied loop
                s := e_slot[e];
                b_posted[s] := b_posted[s] - e_posted[e];
                b_debit[s] := b_debit[s] - e_debit[e];
                b_credit[s] := b_credit[s] - e_credit[e];
            end loop;
            codes[i] := code;
            refused_accounts[i] := refused;
            continue;
        end if;
        payloads[i] := '"legs":[' || substr(legs, 2) || ']'
            || case when operations[i] = 'settle' then ',"open":' || (rest > 0)::text else '' end;
        if operations[i] in ('post', 'settle', 'reverse') then
            last_number := last_number + 1;
            journals[i] := last_number;
            for e in first .. last loop
                e_journal[e] := last_number;
                e_effective[e] := effective[i];
                e_position[e] := e - first + 1;
            end loop;
        end if;
        if operations[i] = 'hold' then
            for e in first .. last loop
                e_new_hold[e] := hold_ids[i];
                e_position[e] := e - first + 1;
            end loop;
        elsif operations[i] = 'settle' then
            update treasury.hold_leg l set settled = l.settled + e_posted[first + l.position - 1]
            where l.tenant_id = tenant and l.hold_id = hold_ids[i];
        end if;
        if operations[i] = 'void' or operations[i] = 'settle' and rest = 0 then
            update treasury.hold h
            set state = case operations[i] when 'void' then 'voided' else 'settled' end, closed_at = at
            where h.tenant_id = tenant and h.hold_id = hold_ids[i];
        end if;
    end loop;

    -- what was decided
    insert into treasury.leg (tenant_id, journal, account_id, amount, balance, effective_at, position, currency)
    select tenant, e.journal, e.account_id, e.amount, e.balance, e.effective_at, e.position, e.currency
    from unnest(e_journal, e_account, e_posted, e_balance, e_effective, e_position, e_currency)
        as e(journal, account_id, amount, balance, effective_at, position, currency)
    where e.journal is not null and e.amount <> 0;
    insert into treasury.journal
        (tenant_id, number, recorded_at, effective_at, kind, description, actor, correlation, reverses, hold_id)
    select tenant, c.journal, at, c.effective_at,
        case c.operation when 'settle' then 'settlement' when 'reverse' then 'reversal' else 'posting' end,
        c.description, c.actor, c.correlation, c.reverses, c.hold_id
    from unnest(journals, answered, operations, effective, descriptions, actors, correlations, reversed, hold_ids)
        as c(journal, answered, operation, effective_at, description, actor, correlation, reverses, hold_id)
    where c.journal is not null and not c.answered;
    if not operations <@ array['post'] then
        insert into treasury.hold_leg (tenant_id, hold_id, account_id, amount, position, currency)
        select tenant, e.hold_id, e.account_id, e.debit - e.credit, e.position, e.currency
        from unnest(e_new_hold, e_account, e_debit, e_credit, e_position, e_currency)
            as e(hold_id, account_id, debit, credit, position, currency)
        where e.hold_id is not null;
        insert into treasury.hold (tenant_id, hold_id, state, description, actor, correlation, placed_at, expires_at, spend_id)
        select tenant, c.hold_id, 'open', c.description, c.actor, c.correlation, at, c.expires_at, c.spend_id
        from unnest(operations, codes, answered, hold_ids, descriptions, actors, correlations, expires, spends)
            as c(operation, code, answered, hold_id, description, actor, correlation, expires_at, spend_id)
        where c.operation = 'hold' and c.code is null and not c.answered;
    end if;
    -- One statement is several times cheaper than one an account, but it is planned anew each time, and where statistics
    -- mislead it walks through all of the tenant's accounts: so it is for large batches that touch a fair share of them.
    if cardinality(ids) > 100 and head.accounts <= 16 * cardinality(ids) then
        perform treasury.write_balances(tenant, ids, b_posted, b_debit, b_credit);
    else
        for slot in 1 .. coalesce(cardinality(ids), 0) loop
            update treasury.account a
            set posted = b_posted[slot], pending_debit = b_debit[slot], pending_credit = b_credit[slot]
            where a.tenant_id = tenant and a.account_id = ids[slot];
        end loop;
    end if;
    insert into treasury.request (tenant_id, key, digest, operation, recorded_at, code, account_id, journal)
    select tenant, c.key, c.digest, c.operation, at, c.code, c.account_id, c.journal
    from unnest(keys, digests, operations, codes, refused_accounts, journals, answered)
        as c(key, digest, operation, code, account_id, journal, answered)
    where not c.answered;
    insert into controlplane.event (tenant_id, type, version, occurred_at, actor, correlation, subject, payload)
    select tenant,
        case c.operation
            when 'post' then 'treasury.journal.posted' when 'reverse' then 'treasury.journal.reversed'
            when 'hold' then 'treasury.hold.placed' when 'settle' then 'treasury.hold.settled' else 'treasury.hold.voided'
        end, 1, at, c.actor, c.correlation,
        case when c.journal is null then 'hold/' || c.hold_id else 'journal/' || c.journal end,
        ('{"journal":' || coalesce(c.journal::text, 'null') || ',"effectiveAt":' || coalesce(to_json(c.effective_at)::text, 'null')
            || ',"description":' || to_json(c.description)::text || ',"hold":' || coalesce('"' || c.hold_id || '"', 'null')
            || ',"reverses":' || coalesce(c.reverses::text, 'null') || ',' || c.payload || '}')::json
    from unnest(operations, journals, actors, correlations, hold_ids, effective, descriptions, reversed, payloads)
        as c(operation, journal, actor, correlation, hold_id, effective_at, description, reverses, payload)
    where c.payload is not null;
end
$$;
comment on function treasury.carry_out is 'Commands in their order, one answer each, of those whom the caller has verified; the head must have been taken, and what is due at `at` have expired';

create function treasury.check_actors(context text, actors text[]) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
    -- One context speaks for the actors of all commands: it holds the digest of their list.
    if (controlplane.verified(context)).actor is distinct from
        'several:' || encode(sha256(convert_to(array_to_string(actors, e'\n'), 'UTF8')), 'hex')
        or cardinality(string_to_array(array_to_string(actors, e'\n'), e'\n')) <> cardinality(actors)
    then
        raise exception using errcode = 'PC002', message = 'CONTEXT_REFUSED', detail = 'the context is of other actors';
    end if;
end
$$;
comment on function treasury.check_actors is 'Refuses a context that does not speak for this list of actors';

create function treasury.execute(
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
    tenant constant uuid := controlplane.enter(context);
    head treasury.ledger;
begin
    perform treasury.check_actors(context, actors);
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
comment on function treasury.execute is 'Carries out commands: one answer each, in their order, in one transaction';

grant execute on function treasury.execute(text, text[], text[], bytea[], text[], timestamptz[], text[], uuid[], uuid[],
    timestamptz[], boolean[], bigint[], integer[], bigint[], bigint[], text[]) to parpour_app;
