-- Statements of bank accounts: which bank account an account of the books stands for, the bank's statements of it in their
-- order, and their entries. Nothing of it ever changes; what is made of entries is in the file that follows.
--
-- Amounts are signed from the owner's side: what came in is positive, as a debit of the account is.

create function treasury.person_acting() returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
    return (treasury.acting(controlplane.current_tenant(), array['owner', 'treasurer'])).person;
end
$$;
comment on function treasury.person_acting is 'The person of the transaction, an owner or treasurer of the venture; refuses everybody else';

create table treasury.bank_account (
    tenant_id uuid not null,
    account_id bigint not null,
    identification text not null check (length(identification) between 1 and 200),
    since date not null,
    bound_at timestamptz not null,
    bound_by text not null,
    primary key (tenant_id, account_id),
    unique (tenant_id, identification),
    foreign key (tenant_id, account_id) references treasury.account (tenant_id, account_id)
);
comment on table treasury.bank_account is 'Which bank account an account of the books stands for';
comment on column treasury.bank_account.since is 'The first day that statements cover; what took effect before is in the first opening balance';
call controlplane.guard('treasury.bank_account');
create trigger immutable before update or delete or truncate on treasury.bank_account
    for each statement execute function controlplane.refuse_change();

create table treasury.statement (
    tenant_id uuid not null,
    account_id bigint not null,
    number bigint not null,
    statement text not null check (length(statement) between 1 and 200),
    sequence bigint,
    opening treasury.amount not null,
    opened_on date not null,
    closing treasury.amount not null,
    closed_on date not null check (closed_on >= opened_on),
    left_out integer not null check (left_out >= 0),
    digest bytea not null check (length(digest) = 32),
    place integer not null check (place >= 0),
    content bytea not null check (length(content) = 32),
    format text not null check (length(format) between 1 and 35),
    imported_at timestamptz not null,
    imported_by text not null,
    primary key (tenant_id, account_id, number),
    unique (tenant_id, account_id, statement),
    unique (tenant_id, account_id, digest, place),
    foreign key (tenant_id, account_id) references treasury.bank_account (tenant_id, account_id)
);
comment on column treasury.statement.number is 'Its place among the account''s statements, from 1 without a gap';
comment on column treasury.statement.digest is 'SHA-256 of the file, byte by byte';
comment on column treasury.statement.place is 'Which statement of the file it is, from 0';
comment on column treasury.statement.content is 'SHA-256 of what was read from the file';
call controlplane.guard('treasury.statement');
create trigger immutable before update or delete or truncate on treasury.statement
    for each statement execute function controlplane.refuse_change();

create table treasury.statement_entry (
    tenant_id uuid not null,
    account_id bigint not null,
    number bigint not null,
    position integer not null check (position > 0),
    amount treasury.amount not null check (amount <> 0),
    booked_on date not null,
    value_on date,
    reference text not null check (length(reference) <= 200),
    end_to_end text not null check (length(end_to_end) <= 200),
    "transaction" text not null check (length("transaction") <= 200),
    counterparty text not null check (length(counterparty) <= 2000),
    description text not null check (length(description) <= 2000),
    code text not null check (length(code) <= 2000),
    reversal boolean not null,
    batch integer not null check (batch >= 0),
    primary key (tenant_id, account_id, number, position),
    foreign key (tenant_id, account_id, number) references treasury.statement (tenant_id, account_id, number)
        deferrable initially deferred
);
call controlplane.guard('treasury.statement_entry');
create trigger immutable before update or delete or truncate on treasury.statement_entry
    for each statement execute function controlplane.refuse_change();

-- Entries are written before their statement, which closes over them: as legs and journals do.
create function treasury.take_entries() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
begin
    perform from treasury.ledger h where h.tenant_id in (select tenant_id from new_entries) order by h.tenant_id for update;
    perform from new_entries n cross join lateral (
        select from treasury.statement s
        where s.tenant_id = n.tenant_id and s.account_id = n.account_id and s.number = n.number offset 0
    ) s limit 1;
    if found then
        raise exception using errcode = 'PC004', message = 'IMMUTABLE', detail = 'the statement stands: no entry can be added';
    end if;
    return null;
end
$$;
comment on function treasury.take_entries is 'Refuses entries of statements that stand';
create trigger take after insert on treasury.statement_entry referencing new table as new_entries
    for each statement execute function treasury.take_entries();

create function treasury.close_statement() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    before treasury.statement;
    moved numeric;
begin
    perform from treasury.ledger h where h.tenant_id = new.tenant_id for update;
    select s.* into before from treasury.statement s
    where s.tenant_id = new.tenant_id and s.account_id = new.account_id and s.number < new.number
    order by s.number desc limit 1;
    select coalesce(sum(e.amount), 0) into moved from treasury.statement_entry e
    where e.tenant_id = new.tenant_id and e.account_id = new.account_id and e.number = new.number;
    if new.opening + moved <> new.closing then
        perform treasury.refuse('STATEMENT_UNBALANCED', format('opening and entries come to %s', new.opening + moved));
    end if;
    if new.number <> coalesce(before.number, 0) + 1 or new.opening <> coalesce(before.closing, new.opening)
        or new.opened_on < before.opened_on or new.closed_on < before.closed_on
        -- Many banks begin anew with each year.
        or new.sequence <> before.sequence + 1
            and not (new.sequence = 1 and extract(year from new.closed_on) > extract(year from before.closed_on))
    then
        perform treasury.refuse('STATEMENT_NOT_CONTINUOUS', format('the one before is %s, closed on %s with %s',
            before.statement, before.closed_on, before.closing));
    end if;
    return null;
end
$$;
comment on function treasury.close_statement is 'Closes a statement over its entries: it adds up, and goes on where the last one ended';
create trigger close after insert on treasury.statement for each row execute function treasury.close_statement();

create function treasury.bind_bank_account(context text, account_id bigint, identification text, since date) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    person constant text := treasury.person_acting();
    standing treasury.account := treasury.held_account(tenant, bind_bank_account.account_id);
    bound treasury.bank_account;
begin
    if standing.kind <> 'asset' then
        perform treasury.refuse('RECONCILIATION_BANK_ACCOUNT_UNKNOWN', 'a bank account is an asset');
    end if;
    select b.* into bound from treasury.bank_account b
    where b.tenant_id = tenant
        and (b.account_id = bind_bank_account.account_id or b.identification = bind_bank_account.identification) limit 1;
    if found then
        if (bound.account_id, bound.identification, bound.since)
            is distinct from (bind_bank_account.account_id, bind_bank_account.identification, bind_bank_account.since)
        then
            perform treasury.refuse('RECONCILIATION_BANK_ACCOUNT_EXISTS', 'it was bound before');
        end if;
        return false;
    end if;
    insert into treasury.bank_account (tenant_id, account_id, identification, since, bound_at, bound_by)
    values (tenant, bind_bank_account.account_id, bind_bank_account.identification, bind_bank_account.since,
        clock_timestamp(), person);
    perform treasury.note(tenant, 'treasury.bank.bound', 'account/' || bind_bank_account.account_id,
        json_build_object('account', bind_bank_account.account_id, 'identification', bind_bank_account.identification,
            'since', bind_bank_account.since));
    return true;
end
$$;
comment on function treasury.bind_bank_account is 'Says for good which bank account an account of the books stands for; false if that was said';

create function treasury.import_statement(
    context text, account_id bigint, head jsonb, entries jsonb, digest bytea, place integer, format text,
    out number bigint, out replayed boolean
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    read constant bytea := sha256(convert_to(import_statement.head::text || import_statement.entries::text, 'UTF8'));
    standing treasury.statement;
    bound treasury.bank_account;
    account treasury.account := treasury.held_account(tenant, import_statement.account_id);
begin
    select b.* into bound from treasury.bank_account b
    where b.tenant_id = tenant and b.account_id = import_statement.account_id;
    if not found then
        perform treasury.refuse('RECONCILIATION_BANK_ACCOUNT_UNKNOWN', format('account %s', import_statement.account_id));
    end if;
    if bound.identification <> head ->> 'account' then
        perform treasury.refuse('STATEMENT_OF_ANOTHER_ACCOUNT', 'its account is another one');
    end if;
    if account.currency <> head ->> 'currency' then
        perform treasury.refuse('STATEMENT_CURRENCY_MISMATCH', format('the account is in %s', account.currency));
    end if;
    select s.* into standing from treasury.statement s
    where s.tenant_id = tenant and s.account_id = import_statement.account_id and (
        s.statement = head ->> 'statement'
        or s.digest = import_statement.digest and s.place = import_statement.place
    ) limit 1;
    if found then
        if (standing.statement, standing.digest, standing.place, standing.content)
            is distinct from (head ->> 'statement', import_statement.digest, import_statement.place, read)
        then
            perform treasury.refuse('STATEMENT_CHANGED', format('statement %s of this account stands', standing.number));
        end if;
        number := standing.number;
        replayed := true;
        return;
    end if;
    replayed := false;
    select coalesce(max(s.number), 0) + 1 into number from treasury.statement s
    where s.tenant_id = tenant and s.account_id = import_statement.account_id;
    insert into treasury.statement_entry (tenant_id, account_id, number, position, amount, booked_on, value_on, reference,
        end_to_end, "transaction", counterparty, description, code, reversal, batch)
    select tenant, import_statement.account_id, import_statement.number, e.position, (e.entry ->> 'amount')::bigint,
        (e.entry ->> 'bookedOn')::date, (e.entry ->> 'valueOn')::date, e.entry ->> 'reference', e.entry ->> 'endToEnd',
        e.entry ->> 'transaction', e.entry ->> 'counterparty', e.entry ->> 'description', e.entry ->> 'code',
        (e.entry ->> 'reversal')::boolean, (e.entry ->> 'batch')::integer
    from jsonb_array_elements(entries) with ordinality as e(entry, position);
    insert into treasury.statement (tenant_id, account_id, number, statement, sequence, opening, opened_on, closing, closed_on,
        left_out, digest, place, content, format, imported_at, imported_by)
    values (tenant, import_statement.account_id, import_statement.number, head ->> 'statement', (head ->> 'sequence')::bigint,
        (head ->> 'opening')::bigint, (head ->> 'openedOn')::date, (head ->> 'closing')::bigint, (head ->> 'closedOn')::date,
        (head ->> 'leftOut')::integer, import_statement.digest, import_statement.place, read, import_statement.format,
        clock_timestamp(), controlplane.current_actor());
    perform treasury.note(tenant, 'treasury.statement.imported',
        'statement/' || import_statement.account_id || '-' || import_statement.number,
        json_build_object('account', import_statement.account_id, 'number', import_statement.number,
            'statement', head ->> 'statement', 'sha256', encode(import_statement.digest, 'hex'), 'place', import_statement.place,
            'opening', head -> 'opening', 'closing', head -> 'closing', 'closedOn', head -> 'closedOn',
            'entries', jsonb_array_length(entries)));
end
$$;
comment on function treasury.import_statement is 'Takes a statement over for good, once; refuses a changed one, one that does not add up, and one that leaves a gap';

grant select on treasury.bank_account, treasury.statement, treasury.statement_entry to parpour_app;
grant execute on function treasury.bind_bank_account(text, bigint, text, date),
    treasury.import_statement(text, bigint, jsonb, jsonb, bytea, integer, text) to parpour_app;
