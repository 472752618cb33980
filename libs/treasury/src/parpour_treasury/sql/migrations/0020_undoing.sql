-- A match that was wrong is undone: its parts are free again, and wait for people, because the rules would find the same once
-- more. What it was made of, and who undid it and why, stays.

create table treasury.undone_match (
    tenant_id uuid not null,
    account_id bigint not null,
    match bigint not null,
    evidence text not null check (length(evidence) between 1 and 2000),
    undone_at timestamptz not null,
    undone_by text not null,
    primary key (tenant_id, account_id, match),
    foreign key (tenant_id, account_id, match) references treasury.match (tenant_id, account_id, match)
);
comment on table treasury.undone_match is 'Matches that a person undid, and why';
call controlplane.guard('treasury.undone_match');
create trigger immutable before update or delete or truncate on treasury.undone_match
    for each statement execute function controlplane.refuse_change();

create table treasury.undone_entry (
    tenant_id uuid not null,
    account_id bigint not null,
    number bigint not null,
    position integer not null,
    match bigint not null,
    primary key (tenant_id, account_id, number, position, match),
    foreign key (tenant_id, account_id, number, position)
        references treasury.statement_entry (tenant_id, account_id, number, position),
    foreign key (tenant_id, account_id, match) references treasury.undone_match (tenant_id, account_id, match)
);
comment on table treasury.undone_entry is 'Entries of matches that were undone: no rule matches them any more';
create index of_undone_match on treasury.undone_entry (tenant_id, match, account_id);
call controlplane.guard('treasury.undone_entry');
create trigger immutable before update or delete or truncate on treasury.undone_entry
    for each statement execute function controlplane.refuse_change();

create table treasury.undone_leg (
    tenant_id uuid not null,
    journal bigint not null,
    position smallint not null,
    account_id bigint not null,
    match bigint not null,
    primary key (tenant_id, journal, position, match),
    foreign key (tenant_id, journal, position) references treasury.leg (tenant_id, journal, position),
    foreign key (tenant_id, account_id, match) references treasury.undone_match (tenant_id, account_id, match)
);
comment on table treasury.undone_leg is 'Movements of matches that were undone: no rule matches them any more';
create index of_undone_match_of_legs on treasury.undone_leg (tenant_id, match, account_id);
call controlplane.guard('treasury.undone_leg');
create trigger immutable before update or delete or truncate on treasury.undone_leg
    for each statement execute function controlplane.refuse_change();

-- A part of a match goes only once it is written down that its match was undone, whoever deletes it.
create function treasury.keep_matched() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
begin
    if tg_table_name = 'matched_entry' then
        perform from treasury.undone_entry u where u.tenant_id = old.tenant_id and u.account_id = old.account_id
            and u.number = old.number and u.position = old.position and u.match = old.match;
    else
        perform from treasury.undone_leg u where u.tenant_id = old.tenant_id and u.journal = old.journal
            and u.position = old.position and u.match = old.match;
    end if;
    if not found then
        raise exception using errcode = 'PC004', message = 'IMMUTABLE', detail = 'the match stands: nothing can be taken from it';
    end if;
    return old;
end
$$;
comment on function treasury.keep_matched is 'Refuses to delete parts of matches that nobody undid';
drop trigger immutable on treasury.matched_entry;
create trigger immutable before update or truncate on treasury.matched_entry
    for each statement execute function controlplane.refuse_change();
create trigger keep before delete on treasury.matched_entry for each row execute function treasury.keep_matched();
drop trigger immutable on treasury.matched_leg;
create trigger immutable before update or truncate on treasury.matched_leg
    for each statement execute function controlplane.refuse_change();
create trigger keep before delete on treasury.matched_leg for each row execute function treasury.keep_matched();

create or replace function treasury.exception_step(before text, after text) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    select (before, after) in (
        ('open', 'matched'), ('open', 'proposed'), ('open', 'resolved'), ('open', 'written-off'),
        ('proposed', 'open'), ('proposed', 'resolved'), ('proposed', 'written-off'), ('matched', 'open')
    )
$$;

create function treasury.undo_match(context text, account_id bigint, match bigint, evidence text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    person constant text := treasury.person_acting();
    head treasury.ledger;
    standing treasury.match;
    undone treasury.undone_match;
    part record;
    made uuid;
begin
    if coalesce(length(trim(evidence)), 0) not between 1 and 2000 then
        perform treasury.refuse('RECONCILIATION_EVIDENCE_MISSING', 'a decision states its evidence');
    end if;
    select m.* into standing from treasury.match m
    where m.tenant_id = tenant and m.account_id = undo_match.account_id and m.match = undo_match.match;
    if not found then
        perform treasury.refuse('RECONCILIATION_MATCH_UNKNOWN', 'no such match of the account');
    end if;
    select u.* into undone from treasury.undone_match u
    where u.tenant_id = tenant and u.account_id = undo_match.account_id and u.match = undo_match.match;
    if found then
        if undone.undone_by = person and undone.evidence = undo_match.evidence then
            return;
        end if;
        perform treasury.refuse('RECONCILIATION_MATCH_UNDONE', 'it was undone before');
    end if;
    -- Two people, or a rule and a person: nobody takes back alone what they decided alone.
    if standing.explanation ->> 'by' = person then
        perform treasury.refuse('RECONCILIATION_SECOND_PERSON_REQUIRED', 'another person undoes what one has matched');
    end if;
    perform from treasury.matched_leg l cross join lateral (
        select from treasury.exception x
        where x.tenant_id = tenant and x.account_id = undo_match.account_id and x.closing_journal = l.journal offset 0
    ) x
    where l.tenant_id = tenant and l.account_id = undo_match.account_id and l.match = undo_match.match;
    if found then
        perform treasury.refuse('RECONCILIATION_MATCH_POSTED', 'two people posted a journal for it: that is reversed instead');
    end if;
    select h.* into head from treasury.ledger h where h.tenant_id = tenant;
    perform from treasury.matched_entry p cross join lateral (
        select e.booked_on from treasury.statement_entry e
        where e.tenant_id = tenant and e.account_id = p.account_id and e.number = p.number and e.position = p.position offset 0
    ) e
    where p.tenant_id = tenant and p.account_id = undo_match.account_id and p.match = undo_match.match
        and e.booked_on::timestamp at time zone 'UTC' < head.locked_until
    union all
    select from treasury.matched_leg p cross join lateral (
        select l.effective_at from treasury.leg l where l.tenant_id = tenant and l.journal = p.journal and l.position = p.position offset 0
    ) l
    where p.tenant_id = tenant and p.account_id = undo_match.account_id and p.match = undo_match.match
        and l.effective_at < head.locked_until;
    if found then
        perform treasury.refuse('TREASURY_PERIOD_LOCKED', 'a part of it lies in a period that was closed');
    end if;
    insert into treasury.undone_match (tenant_id, account_id, match, evidence, undone_at, undone_by)
    values (tenant, undo_match.account_id, undo_match.match, undo_match.evidence, clock_timestamp(), person);
    insert into treasury.undone_entry (tenant_id, account_id, number, position, match)
    select p.tenant_id, p.account_id, p.number, p.position, p.match from treasury.matched_entry p
    where p.tenant_id = tenant and p.account_id = undo_match.account_id and p.match = undo_match.match;
    insert into treasury.undone_leg (tenant_id, journal, position, account_id, match)
    select p.tenant_id, p.journal, p.position, p.account_id, p.match from treasury.matched_leg p
    where p.tenant_id = tenant and p.account_id = undo_match.account_id and p.match = undo_match.match;
    delete from treasury.matched_entry p
    where p.tenant_id = tenant and p.account_id = undo_match.account_id and p.match = undo_match.match;
    delete from treasury.matched_leg p
    where p.tenant_id = tenant and p.account_id = undo_match.account_id and p.match = undo_match.match;
    perform treasury.note(tenant, 'treasury.match.undone', 'match/' || undo_match.account_id || '-' || undo_match.match,
        json_build_object('account', undo_match.account_id, 'match', undo_match.match, 'by', person, 'evidence', undo_match.evidence));
    for part in
        select 'unmatched-entry' as kind, u.number, u.position, null::bigint as journal, null::smallint as leg, e.amount, x.exception_id
        from treasury.undone_entry u cross join lateral (
            select e.amount from treasury.statement_entry e
            where e.tenant_id = tenant and e.account_id = u.account_id and e.number = u.number and e.position = u.position offset 0
        ) e left join lateral (
            select x.exception_id from treasury.exception x
            where x.tenant_id = tenant and x.account_id = u.account_id and x.number = u.number and x.position = u.position offset 0
        ) x on true
        where u.tenant_id = tenant and u.account_id = undo_match.account_id and u.match = undo_match.match
        union all
        select 'unmatched-movement', null, null, u.journal, u.position, l.amount, x.exception_id
        from treasury.undone_leg u cross join lateral (
            select l.amount from treasury.leg l where l.tenant_id = tenant and l.journal = u.journal and l.position = u.position offset 0
        ) l left join lateral (
            select x.exception_id from treasury.exception x
            where x.tenant_id = tenant and x.journal = u.journal and x.leg = u.position offset 0
        ) x on true
        where u.tenant_id = tenant and u.account_id = undo_match.account_id and u.match = undo_match.match
        order by 2, 3, 4, 5
    loop
        if part.exception_id is null then
            made := gen_random_uuid();
            insert into treasury.exception
                (tenant_id, exception_id, account_id, kind, state, number, position, journal, leg, amount, explanation, opened_at)
            values (tenant, made, undo_match.account_id, part.kind, 'open', part.number, part.position, part.journal, part.leg,
                part.amount, jsonb_build_object('undone', undo_match.match, 'evidence', undo_match.evidence), clock_timestamp());
            perform treasury.note_exception(tenant, made, 'opened', '{}');
        else
            update treasury.exception x set state = 'open', closed_at = null, closed_by = null
            where x.tenant_id = tenant and x.exception_id = part.exception_id;
            perform treasury.note_exception(tenant, part.exception_id, 'reopened', jsonb_build_object('by', person));
        end if;
    end loop;
end
$$;
comment on function treasury.undo_match is 'A person undoes a match that a rule or another person made; its parts wait for people';

grant select on treasury.undone_match, treasury.undone_entry, treasury.undone_leg to parpour_app;
grant execute on function treasury.undo_match(text, bigint, bigint, text) to parpour_app;
