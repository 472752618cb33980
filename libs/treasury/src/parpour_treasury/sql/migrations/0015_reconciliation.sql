-- What became of entries and movements: matches between a bank's entries and the legs of the books on that account, and
-- exceptions, which people decide. A match never changes; an exception goes by the table of treasury.exception_step.
--
-- Whatever found a match, the database holds that each entry and each leg is matched at most once, and that a match adds up.

create table treasury.match (
    tenant_id uuid not null,
    account_id bigint not null,
    match bigint not null,
    rule text not null check (rule in ('reference', 'reference-sum', 'amount-date-counterparty', 'one-to-many', 'many-to-one', 'decision')),
    explanation jsonb not null,
    made_at timestamptz not null,
    made_by text not null,
    primary key (tenant_id, account_id, match),
    foreign key (tenant_id, account_id) references treasury.bank_account (tenant_id, account_id)
);
comment on column treasury.match.explanation is 'What was compared, and which candidates were rejected and why';
call controlplane.guard('treasury.match');
create trigger immutable before update or delete or truncate on treasury.match
    for each statement execute function controlplane.refuse_change();

create table treasury.matched_entry (
    tenant_id uuid not null,
    account_id bigint not null,
    number bigint not null,
    position integer not null,
    match bigint not null,
    primary key (tenant_id, account_id, number, position),
    foreign key (tenant_id, account_id, number, position)
        references treasury.statement_entry (tenant_id, account_id, number, position),
    foreign key (tenant_id, account_id, match) references treasury.match (tenant_id, account_id, match)
        deferrable initially deferred
);
-- Account and match in this order, or the planner would take this index for the key: without statistics both look alike.
create index of_match on treasury.matched_entry (tenant_id, match, account_id);
call controlplane.guard('treasury.matched_entry');
create trigger immutable before update or delete or truncate on treasury.matched_entry
    for each statement execute function controlplane.refuse_change();

create table treasury.matched_leg (
    tenant_id uuid not null,
    journal bigint not null,
    position smallint not null,
    account_id bigint not null,
    match bigint not null,
    primary key (tenant_id, journal, position),
    foreign key (tenant_id, journal, position) references treasury.leg (tenant_id, journal, position),
    foreign key (tenant_id, account_id, match) references treasury.match (tenant_id, account_id, match)
        deferrable initially deferred
);
create index of_match_of_legs on treasury.matched_leg (tenant_id, match, account_id);
call controlplane.guard('treasury.matched_leg');
create trigger immutable before update or delete or truncate on treasury.matched_leg
    for each statement execute function controlplane.refuse_change();

create function treasury.take_matched() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
begin
    perform from treasury.ledger h where h.tenant_id in (select tenant_id from new_parts) order by h.tenant_id for update;
    perform from new_parts n cross join lateral (
        select from treasury.match m
        where m.tenant_id = n.tenant_id and m.account_id = n.account_id and m.match = n.match offset 0
    ) m limit 1;
    if found then
        raise exception using errcode = 'PC004', message = 'IMMUTABLE', detail = 'the match stands: nothing can be added';
    end if;
    return null;
end
$$;
comment on function treasury.take_matched is 'Refuses parts of matches that stand';
create trigger take after insert on treasury.matched_entry referencing new table as new_parts
    for each statement execute function treasury.take_matched();
create trigger take after insert on treasury.matched_leg referencing new table as new_parts
    for each statement execute function treasury.take_matched();

create function treasury.close_match() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    entries numeric;
    legs record;
begin
    perform from treasury.ledger h where h.tenant_id = new.tenant_id for update;
    select coalesce(sum(e.amount), 0) into entries from treasury.matched_entry m
    cross join lateral (
        select e.amount from treasury.statement_entry e
        where e.tenant_id = m.tenant_id and e.account_id = m.account_id and e.number = m.number and e.position = m.position offset 0
    ) e
    where m.tenant_id = new.tenant_id and m.account_id = new.account_id and m.match = new.match;
    select count(*) as number, coalesce(sum(l.amount), 0) as amount, bool_and(l.account_id = new.account_id) as ours into legs
    from treasury.matched_leg m
    cross join lateral (
        select l.amount, l.account_id from treasury.leg l
        where l.tenant_id = m.tenant_id and l.journal = m.journal and l.position = m.position offset 0
    ) l
    where m.tenant_id = new.tenant_id and m.account_id = new.account_id and m.match = new.match;
    if legs.number = 0 or not legs.ours or legs.amount <> entries then
        perform treasury.refuse('RECONCILIATION_MATCH_UNBALANCED',
            format('entries come to %s, movements of the account to %s', entries, legs.amount));
    end if;
    return null;
end
$$;
comment on function treasury.close_match is 'Closes a match over its parts: both sides come to the same';
create trigger close after insert on treasury.match for each row execute function treasury.close_match();

create table treasury.exception (
    tenant_id uuid not null,
    exception_id uuid not null,
    account_id bigint not null,
    kind text not null check (kind in (
        'unmatched-entry', 'unmatched-movement', 'amount-differs', 'duplicate', 'returned', 'fee', 'ambiguous')),
    state text not null check (state in ('open', 'proposed', 'matched', 'resolved', 'written-off')),
    number bigint,
    position integer,
    journal bigint,
    leg smallint,
    amount treasury.amount not null check (amount <> 0),
    explanation jsonb not null,
    opened_at timestamptz not null,
    proposal jsonb,
    proposed_by text,
    evidence text check (length(evidence) between 1 and 2000),
    closed_at timestamptz,
    closed_by text,
    closing_journal bigint,
    primary key (tenant_id, exception_id),
    foreign key (tenant_id, account_id, number, position)
        references treasury.statement_entry (tenant_id, account_id, number, position),
    foreign key (tenant_id, journal, leg) references treasury.leg (tenant_id, journal, position),
    foreign key (tenant_id, closing_journal) references treasury.journal (tenant_id, number),
    check ((number is null) = (position is null) and (journal is null) = (leg is null) and (number is null) <> (journal is null)),
    check ((state in ('matched', 'resolved', 'written-off')) = (closed_at is not null)),
    check ((state = 'proposed') <= (proposal is not null and proposed_by is not null)),
    check ((state in ('resolved', 'written-off')) <= (evidence is not null and closed_by is not null)),
    constraint two_people check (closing_journal is null or proposed_by <> closed_by)
);
comment on column treasury.exception.amount is 'What the entry or the leg moved, with its sign';
comment on column treasury.exception.proposal is 'What a person proposes: the state to come, legs to post, and their description';
create unique index of_entry on treasury.exception (tenant_id, account_id, number, position) where number is not null;
create unique index of_movement on treasury.exception (tenant_id, journal, leg) where journal is not null;
create index queue on treasury.exception (tenant_id, account_id, opened_at, exception_id);
call controlplane.guard('treasury.exception');
create trigger identity_immutable
    before update of tenant_id, exception_id, account_id, kind, number, position, journal, leg, amount, explanation, opened_at
    on treasury.exception for each statement execute function controlplane.refuse_change();
create trigger immutable before delete or truncate on treasury.exception
    for each statement execute function controlplane.refuse_change();

create function treasury.exception_step(before text, after text) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    select (before, after) in (
        ('open', 'matched'), ('open', 'proposed'), ('open', 'resolved'), ('open', 'written-off'),
        ('proposed', 'open'), ('proposed', 'resolved'), ('proposed', 'written-off')
    )
$$;
comment on function treasury.exception_step is 'Whether an exception may go from one state to another; parpour_treasury.reconciliation.states is the table';

create function treasury.check_exception_step() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
    if not treasury.exception_step(old.state, new.state) then
        perform treasury.refuse('RECONCILIATION_EXCEPTION_CLOSED', format('it is %s', old.state));
    end if;
    return new;
end
$$;
comment on function treasury.check_exception_step is 'Refuses any other step of an exception than those of the table';
create trigger step before update on treasury.exception for each row execute function treasury.check_exception_step();

create function treasury.held_exception(tenant uuid, exception_id uuid) returns treasury.exception
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
    standing treasury.exception;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    select x.* into standing from treasury.exception x where x.tenant_id = tenant and x.exception_id = held_exception.exception_id;
    if not found then
        perform treasury.refuse('RECONCILIATION_EXCEPTION_UNKNOWN', 'no such exception');
    end if;
    return standing;
end
$$;
comment on function treasury.held_exception is 'An exception of the tenant, after the head was taken';

create function treasury.note_exception(tenant uuid, exception_id uuid, type text, more jsonb) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
    select treasury.note(tenant, 'treasury.exception.' || replace(type, '-', ''), 'exception/' || x.exception_id, (jsonb_build_object(
        'exception', x.exception_id, 'account', x.account_id, 'kind', x.kind, 'state', x.state, 'amount', x.amount,
        'statement', x.number, 'position', x.position, 'journal', x.journal, 'leg', x.leg) || more)::json)
    from treasury.exception x where x.tenant_id = tenant and x.exception_id = note_exception.exception_id
$$;
comment on function treasury.note_exception is 'The event of a step of an exception';

create function treasury.make_match(
    tenant uuid, account_id bigint, rule text, explanation jsonb, numbers bigint[], positions integer[],
    journals bigint[], legs integer[]
) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    made bigint;
    closed uuid;
begin
    select coalesce(max(m.match), 0) + 1 into made from treasury.match m
    where m.tenant_id = tenant and m.account_id = make_match.account_id;
    begin
        insert into treasury.matched_entry (tenant_id, account_id, number, position, match)
        select tenant, make_match.account_id, e.number, e.position, made from unnest(numbers, positions) as e(number, position);
        insert into treasury.matched_leg (tenant_id, journal, position, account_id, match)
        select tenant, l.journal, l.position, make_match.account_id, made from unnest(journals, legs) as l(journal, position);
    exception when unique_violation then
        perform treasury.refuse('RECONCILIATION_STALE', 'an entry or a movement was matched meanwhile');
    end;
    insert into treasury.match (tenant_id, account_id, match, rule, explanation, made_at, made_by)
    values (tenant, make_match.account_id, made, make_match.rule, make_match.explanation, clock_timestamp(),
        controlplane.current_actor());
    for closed in
        update treasury.exception x set state = 'matched', closed_at = clock_timestamp(), closed_by = controlplane.current_actor()
        where x.tenant_id = tenant and x.state = 'open' and x.exception_id = any(array(
            select x.exception_id from unnest(numbers, positions) as e(number, position) cross join lateral (
                select x.exception_id from treasury.exception x
                where x.tenant_id = tenant and x.account_id = make_match.account_id and x.number = e.number and x.position = e.position
                offset 0
            ) x
            union all
            select x.exception_id from unnest(journals, legs) as l(journal, position) cross join lateral (
                select x.exception_id from treasury.exception x
                where x.tenant_id = tenant and x.journal = l.journal and x.leg = l.position offset 0
            ) x
        )) returning x.exception_id
    loop
        perform treasury.note_exception(tenant, closed, 'matched', jsonb_build_object('match', made));
    end loop;
    perform treasury.note(tenant, 'treasury.match.made', 'match/' || make_match.account_id || '-' || made, json_build_object(
        'account', make_match.account_id, 'match', made, 'rule', make_match.rule,
        'entries', (select json_agg(json_build_array(e.number, e.position)) from unnest(numbers, positions) as e(number, position)),
        'legs', (select json_agg(json_build_array(l.journal, l.position)) from unnest(journals, legs) as l(journal, position))));
    return made;
end
$$;
comment on function treasury.make_match is 'Writes a match and closes the open exceptions of its parts; the head must have been taken';

create function treasury.record_reconciliation(context text, account_id bigint, matches jsonb, exceptions jsonb, out matched integer, out opened integer)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off set plan_cache_mode = force_custom_plan
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    one jsonb;
    made uuid;
    moved bigint;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    perform from treasury.bank_account b where b.tenant_id = tenant and b.account_id = record_reconciliation.account_id;
    if not found then
        perform treasury.refuse('RECONCILIATION_BANK_ACCOUNT_UNKNOWN', format('account %s', record_reconciliation.account_id));
    end if;
    matched := 0;
    opened := 0;
    for one in select m from jsonb_array_elements(matches) m loop
        perform from jsonb_array_elements(one -> 'entries') e cross join lateral (
            select from treasury.exception x
            where x.tenant_id = tenant and x.account_id = record_reconciliation.account_id
                and x.number = (e ->> 0)::bigint and x.position = (e ->> 1)::integer and x.state <> 'open' offset 0
        ) x
        union all
        select from jsonb_array_elements(one -> 'legs') l cross join lateral (
            select from treasury.exception x
            where x.tenant_id = tenant and x.journal = (l ->> 0)::bigint and x.leg = (l ->> 1)::smallint and x.state <> 'open' offset 0
        ) x;
        if found then
            perform treasury.refuse('RECONCILIATION_STALE', 'an exception of it was decided meanwhile');
        end if;
        perform treasury.make_match(tenant, record_reconciliation.account_id, one ->> 'rule', one -> 'explanation',
            array(select (e ->> 0)::bigint from jsonb_array_elements(one -> 'entries') with ordinality as e(e, n) order by n),
            array(select (e ->> 1)::integer from jsonb_array_elements(one -> 'entries') with ordinality as e(e, n) order by n),
            array(select (l ->> 0)::bigint from jsonb_array_elements(one -> 'legs') with ordinality as l(l, n) order by n),
            array(select (l ->> 1)::integer from jsonb_array_elements(one -> 'legs') with ordinality as l(l, n) order by n));
        matched := matched + 1;
    end loop;
    for one in select x from jsonb_array_elements(exceptions) x loop
        if one ? 'entry' then
            select e.amount into moved from treasury.statement_entry e
            where e.tenant_id = tenant and e.account_id = record_reconciliation.account_id
                and e.number = (one -> 'entry' ->> 0)::bigint and e.position = (one -> 'entry' ->> 1)::integer
                and not exists (select from treasury.matched_entry m where m.tenant_id = tenant and m.account_id = e.account_id
                    and m.number = e.number and m.position = e.position);
        else
            select l.amount into moved from treasury.leg l
            where l.tenant_id = tenant and l.account_id = record_reconciliation.account_id
                and l.journal = (one -> 'leg' ->> 0)::bigint and l.position = (one -> 'leg' ->> 1)::integer
                and not exists (select from treasury.matched_leg m where m.tenant_id = tenant and m.journal = l.journal
                    and m.position = l.position);
        end if;
        if not found then
            perform treasury.refuse('RECONCILIATION_STALE', 'what the exception is about was matched meanwhile, or is not there');
        end if;
        insert into treasury.exception
            (tenant_id, exception_id, account_id, kind, state, number, position, journal, leg, amount, explanation, opened_at)
        values (tenant, gen_random_uuid(), record_reconciliation.account_id, one ->> 'kind', 'open',
            (one -> 'entry' ->> 0)::bigint, (one -> 'entry' ->> 1)::integer, (one -> 'leg' ->> 0)::bigint,
            (one -> 'leg' ->> 1)::smallint, moved, one -> 'explanation', clock_timestamp())
        on conflict do nothing returning exception_id into made;
        if found then
            opened := opened + 1;
            perform treasury.note_exception(tenant, made, 'opened', '{}');
        end if;
    end loop;
end
$$;
comment on function treasury.record_reconciliation is 'Writes what a reconciliation found: all of it, or nothing if something changed meanwhile';

create function treasury.confirm_match(context text, account_id bigint, entries jsonb, legs jsonb, evidence text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    person constant text := treasury.person_acting();
    numbers constant bigint[] := array(select (e ->> 0)::bigint from jsonb_array_elements(entries) with ordinality as e(e, n) order by n);
    positions constant integer[] := array(select (e ->> 1)::integer from jsonb_array_elements(entries) with ordinality as e(e, n) order by n);
    journals constant bigint[] := array(select (l ->> 0)::bigint from jsonb_array_elements(legs) with ordinality as l(l, n) order by n);
    places constant integer[] := array(select (l ->> 1)::integer from jsonb_array_elements(legs) with ordinality as l(l, n) order by n);
    known integer;
    decided text;
begin
    perform from treasury.bank_account b where b.tenant_id = tenant and b.account_id = confirm_match.account_id;
    if not found then
        perform treasury.refuse('RECONCILIATION_BANK_ACCOUNT_UNKNOWN', format('account %s', confirm_match.account_id));
    end if;
    if coalesce(length(trim(evidence)), 0) not between 1 and 2000 then
        perform treasury.refuse('RECONCILIATION_EVIDENCE_MISSING', 'a decision states its evidence');
    end if;
    select count(*) into known from (
        select from unnest(numbers, positions) as p(number, position) cross join lateral (
            select from treasury.statement_entry e
            where e.tenant_id = tenant and e.account_id = confirm_match.account_id and e.number = p.number and e.position = p.position
            offset 0
        ) e
        union all
        select from unnest(journals, places) as p(journal, position) cross join lateral (
            select from treasury.leg l
            where l.tenant_id = tenant and l.journal = p.journal and l.position = p.position
                and l.account_id = confirm_match.account_id offset 0
        ) l
    ) k;
    if known <> cardinality(numbers) + cardinality(journals) then
        perform treasury.refuse('RECONCILIATION_PART_UNKNOWN', 'no such entry, or no such movement of the account');
    end if;
    select min(x.state) into decided from treasury.exception x
    where x.tenant_id = tenant and x.state <> 'open' and x.exception_id = any(array(
        select x.exception_id from unnest(numbers, positions) as p(number, position) cross join lateral (
            select x.exception_id from treasury.exception x
            where x.tenant_id = tenant and x.account_id = confirm_match.account_id and x.number = p.number and x.position = p.position
            offset 0
        ) x
        union all
        select x.exception_id from unnest(journals, places) as p(journal, position) cross join lateral (
            select x.exception_id from treasury.exception x
            where x.tenant_id = tenant and x.journal = p.journal and x.leg = p.position offset 0
        ) x
    ));
    if decided is not null then
        perform treasury.refuse('RECONCILIATION_EXCEPTION_CLOSED', format('it is %s', decided));
    end if;
    return treasury.make_match(tenant, confirm_match.account_id, 'decision',
        jsonb_build_object('rule', 'decision', 'by', person, 'evidence', evidence), numbers, positions, journals, places);
end
$$;
comment on function treasury.confirm_match is 'A person says which entries and movements are the same money, where no rule could; they come to the same';

create function treasury.decide_exception(context text, exception_id uuid, outcome text, evidence text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    person constant text := treasury.person_acting();
    standing treasury.exception := treasury.held_exception(tenant, decide_exception.exception_id);
begin
    if coalesce(length(trim(evidence)), 0) not between 1 and 2000 then
        perform treasury.refuse('RECONCILIATION_EVIDENCE_MISSING', 'a decision states its evidence');
    end if;
    if standing.state <> 'open' or outcome is null or outcome not in ('resolved', 'written-off') then
        perform treasury.refuse('RECONCILIATION_EXCEPTION_CLOSED', format('it is %s', standing.state));
    end if;
    update treasury.exception x
    set state = outcome, evidence = decide_exception.evidence, closed_at = clock_timestamp(), closed_by = person
    where x.tenant_id = tenant and x.exception_id = decide_exception.exception_id;
    perform treasury.note_exception(tenant, decide_exception.exception_id, outcome, jsonb_build_object('evidence', evidence));
end
$$;
comment on function treasury.decide_exception is 'A person closes an exception, resolved or written off, without posting anything';

create function treasury.propose_exception(
    context text, exception_id uuid, outcome text, description text, legs jsonb, evidence text
) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    person constant text := treasury.person_acting();
    standing treasury.exception := treasury.held_exception(tenant, propose_exception.exception_id);
begin
    if coalesce(length(trim(evidence)), 0) not between 1 and 2000 then
        perform treasury.refuse('RECONCILIATION_EVIDENCE_MISSING', 'a decision states its evidence');
    end if;
    if standing.state <> 'open' or outcome is null or outcome not in ('resolved', 'written-off') then
        perform treasury.refuse('RECONCILIATION_EXCEPTION_CLOSED', format('it is %s', standing.state));
    end if;
    update treasury.exception x
    set state = 'proposed', proposed_by = person, evidence = propose_exception.evidence,
        proposal = jsonb_build_object('outcome', outcome, 'description', description, 'legs', legs)
    where x.tenant_id = tenant and x.exception_id = propose_exception.exception_id;
    perform treasury.note_exception(tenant, propose_exception.exception_id, 'proposed',
        jsonb_build_object('outcome', outcome, 'description', description, 'legs', legs, 'evidence', evidence));
end
$$;
comment on function treasury.propose_exception is 'A person proposes to close an exception by a journal, which another person confirms';

create function treasury.withdraw_exception(context text, exception_id uuid) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    person constant text := treasury.person_acting();
    standing treasury.exception := treasury.held_exception(tenant, withdraw_exception.exception_id);
begin
    if standing.state <> 'proposed' then
        perform treasury.refuse('RECONCILIATION_EXCEPTION_CLOSED', format('it is %s', standing.state));
    end if;
    update treasury.exception x set state = 'open', proposal = null, proposed_by = null, evidence = null
    where x.tenant_id = tenant and x.exception_id = withdraw_exception.exception_id;
    perform treasury.note_exception(tenant, withdraw_exception.exception_id, 'reopened', jsonb_build_object('by', person));
end
$$;
comment on function treasury.withdraw_exception is 'A person takes a proposal back, or turns it down: the exception is open again';

create function treasury.confirm_exception(context text, exception_id uuid, journal bigint) returns void
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
comment on function treasury.confirm_exception is 'Another person closes an exception by the journal that was proposed, in the transaction that posts it';

create function treasury.bank_check(account_id bigint, number bigint)
returns table (item text, subject text, amount numeric)
language sql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
    with tenant as materialized (select controlplane.current_tenant() as id),
    bound as materialized (
        select b.tenant_id, b.account_id, s.closing, b.since::timestamp at time zone 'UTC' as since,
            (s.closed_on + 1)::timestamp at time zone 'UTC' as until,
            (select f.opening from treasury.statement f
                where f.tenant_id = b.tenant_id and f.account_id = b.account_id and f.number = 1) as opening
        from tenant t join treasury.bank_account b on b.tenant_id = t.id and b.account_id = bank_check.account_id
        join treasury.statement s on s.tenant_id = b.tenant_id and s.account_id = b.account_id and s.number = bank_check.number
    ),
    legs as materialized (
        select l.*, m.match from bound b
        join treasury.leg l on l.tenant_id = b.tenant_id and l.account_id = b.account_id
            and l.effective_at >= b.since and l.effective_at < b.until
        left join lateral (
            select m.match from treasury.matched_leg m
            where m.tenant_id = l.tenant_id and m.journal = l.journal and m.position = l.position offset 0
        ) m on true
    ),
    entries as materialized (
        select e.*, m.match from bound b
        join treasury.statement_entry e on e.tenant_id = b.tenant_id and e.account_id = b.account_id and e.number <= bank_check.number
        left join lateral (
            select m.match from treasury.matched_entry m
            where m.tenant_id = e.tenant_id and m.account_id = e.account_id and m.number = e.number and m.position = e.position
            offset 0
        ) m on true
    )
    select 'bank', 'statement/' || bank_check.account_id || '-' || bank_check.number, b.closing::numeric from bound b
    union all
    select 'ledger', 'account/' || bank_check.account_id,
        treasury.balance_at(bank_check.account_id, b.until - interval '1 microsecond', null) from bound b
    union all
    select 'opening', 'account/' || bank_check.account_id,
        b.opening - treasury.balance_at(bank_check.account_id, b.since - interval '1 microsecond', null) from bound b
    union all
    select case when x.state is null then 'in transit' when x.state in ('open', 'proposed') then 'open exception' else 'decided' end,
        'journal/' || l.journal || '-' || l.position, -l.amount
    from legs l left join lateral (
        select x.state from treasury.exception x
        where x.tenant_id = l.tenant_id and x.journal = l.journal and x.leg = l.position offset 0
    ) x on true
    where l.match is null
    union all
    select case when x.state is null then 'not reconciled' when x.state in ('open', 'proposed') then 'open exception' else 'decided' end,
        'statement/' || e.account_id || '-' || e.number || '-' || e.position, e.amount
    from entries e left join lateral (
        select x.state from treasury.exception x
        where x.tenant_id = e.tenant_id and x.account_id = e.account_id and x.number = e.number and x.position = e.position offset 0
    ) x on true
    where e.match is null
    union all
    select 'other day', 'match/' || bank_check.account_id || '-' || m.match, sum(m.amount)
    from (
        select e.match, e.amount::numeric as amount from entries e where e.match is not null
        union all
        select l.match, -l.amount from legs l where l.match is not null
    ) m group by m.match having sum(m.amount) <> 0
$$;
comment on function treasury.bank_check is 'Bank and books at the end of a statement, and each thing in which they differ, as what the bank has more';

grant select on treasury.match, treasury.matched_entry, treasury.matched_leg, treasury.exception to parpour_app;
grant execute on function treasury.record_reconciliation(text, bigint, jsonb, jsonb),
    treasury.confirm_match(text, bigint, jsonb, jsonb, text),
    treasury.decide_exception(text, uuid, text, text), treasury.propose_exception(text, uuid, text, text, jsonb, text),
    treasury.withdraw_exception(text, uuid), treasury.confirm_exception(text, uuid, bigint),
    treasury.bank_check(bigint, bigint) to parpour_app;
