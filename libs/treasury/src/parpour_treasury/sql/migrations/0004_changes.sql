-- Opening and changing accounts, and locking periods. Each takes the ledger's head first, and writes its event.

create function treasury.note(tenant uuid, type text, subject text, payload json) returns void
language sql volatile set search_path = pg_catalog, pg_temp
as $$
    insert into controlplane.event (tenant_id, type, version, occurred_at, actor, correlation, subject, payload)
    values (tenant, type, 1, clock_timestamp(), controlplane.current_actor(), gen_random_uuid(), subject, payload)
$$;
comment on function treasury.note is 'One event of the transaction''s actor';

create function treasury.refuse(code text, detail text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'PT001', message = code, detail = detail;
end
$$;
comment on function treasury.refuse is 'Ends the transaction with a stable code';

create function treasury.open_ledger(context text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
begin
    insert into treasury.ledger (tenant_id) values (tenant) on conflict do nothing;
    return found;
end
$$;
comment on function treasury.open_ledger is 'Makes the tenant''s books; false if they were there';

create function treasury.signed_bounds(kind text, minimum bigint, maximum bigint, out lower_bound bigint, out upper_bound bigint)
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    select case when kind in ('asset', 'expense') then minimum else -maximum end,
           case when kind in ('asset', 'expense') then maximum else -minimum end
$$;
comment on function treasury.signed_bounds is 'Limits of an account in its own direction, as bounds of the debit-positive balance';

create function treasury.open_account(
    context text, code text, name text, kind text, currency text, minimum bigint, maximum bigint, out account_id bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    bounds record := treasury.signed_bounds(open_account.kind, minimum, maximum);
    standing treasury.account;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    if not found then
        perform treasury.refuse('TREASURY_LEDGER_UNKNOWN', 'this tenant has no books');
    end if;
    select a.* into standing from treasury.account a where a.tenant_id = tenant and a.code = open_account.code;
    if found then
        if (standing.name, standing.kind, standing.currency, standing.lower_bound, standing.upper_bound)
            is distinct from (open_account.name, open_account.kind, open_account.currency, bounds.lower_bound, bounds.upper_bound)
        then
            perform treasury.refuse('TREASURY_ACCOUNT_EXISTS', format('%s is another account', open_account.code));
        end if;
        account_id := standing.account_id;
        return;
    end if;
    if bounds.lower_bound > 0 or bounds.upper_bound < 0 then
        perform treasury.refuse('TREASURY_LIMIT_EXCEEDED', 'a new account has a balance of zero, outside these limits');
    end if;
    update treasury.ledger h set accounts = h.accounts + 1 where h.tenant_id = tenant returning h.accounts into account_id;
    insert into treasury.account
        (tenant_id, account_id, code, name, kind, currency, opened_at, lower_bound, upper_bound)
    values (tenant, account_id, open_account.code, open_account.name, open_account.kind, open_account.currency,
        clock_timestamp(), bounds.lower_bound, bounds.upper_bound);
    perform treasury.note(tenant, 'treasury.account.opened', 'account/' || account_id, json_build_object(
        'account', account_id, 'code', open_account.code, 'kind', open_account.kind, 'currency', open_account.currency,
        'minimum', minimum, 'maximum', maximum));
end
$$;
comment on function treasury.open_account is 'Opens an account, or finds the same one; limits are in the account''s own direction';

create function treasury.held_account(tenant uuid, account_id bigint) returns treasury.account
language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
    standing treasury.account;
begin
    perform from treasury.ledger h where h.tenant_id = tenant for update;
    select a.* into standing from treasury.account a
    where a.tenant_id = tenant and a.account_id = held_account.account_id;
    if not found then
        perform treasury.refuse('TREASURY_ACCOUNT_UNKNOWN', format('no account %s', held_account.account_id));
    end if;
    return standing;
end
$$;
comment on function treasury.held_account is 'An account of the tenant, after the head was taken';

create function treasury.limit_account(context text, account_id bigint, minimum bigint, maximum bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    standing treasury.account := treasury.held_account(tenant, limit_account.account_id);
    bounds record := treasury.signed_bounds(standing.kind, minimum, maximum);
begin
    if standing.posted - standing.pending_credit < bounds.lower_bound
        or standing.posted + standing.pending_debit > bounds.upper_bound
    then
        perform treasury.refuse('TREASURY_LIMIT_EXCEEDED', 'the balance is outside these limits already');
    end if;
    update treasury.account a set lower_bound = bounds.lower_bound, upper_bound = bounds.upper_bound
    where a.tenant_id = tenant and a.account_id = limit_account.account_id;
    perform treasury.note(tenant, 'treasury.account.limited', 'account/' || limit_account.account_id,
        json_build_object('account', limit_account.account_id, 'minimum', minimum, 'maximum', maximum));
end
$$;
comment on function treasury.limit_account is 'Sets an account''s limits, in its own direction';

create function treasury.close_account(context text, account_id bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    standing treasury.account := treasury.held_account(tenant, close_account.account_id);
begin
    if standing.closed_at is not null then
        return;
    end if;
    if (standing.posted, standing.pending_debit, standing.pending_credit) <> (0, 0, 0) then
        perform treasury.refuse('TREASURY_ACCOUNT_IN_USE', 'it has a balance or open holds');
    end if;
    update treasury.account a set closed_at = clock_timestamp()
    where a.tenant_id = tenant and a.account_id = close_account.account_id;
    perform treasury.note(tenant, 'treasury.account.closed', 'account/' || close_account.account_id,
        json_build_object('account', close_account.account_id));
end
$$;
comment on function treasury.close_account is 'Closes an account for good; it must be empty';

create function treasury.lock_period(context text, until timestamptz) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    head treasury.ledger;
begin
    select h.* into head from treasury.ledger h where h.tenant_id = tenant for update;
    if not found then
        perform treasury.refuse('TREASURY_LEDGER_UNKNOWN', 'this tenant has no books');
    end if;
    if lock_period.until = head.locked_until then
        return;
    end if;
    if lock_period.until < head.locked_until or lock_period.until > clock_timestamp() then
        perform treasury.refuse('TREASURY_PERIOD_OUT_OF_ORDER', 'a period ends after the last one that was locked, and not in the future');
    end if;
    insert into treasury.period (tenant_id, until, locked_at, journals, actor)
    values (tenant, lock_period.until, clock_timestamp(), head.journals, controlplane.current_actor());
    insert into treasury.closing_balance (tenant_id, until, account_id, balance)
    select tenant, lock_period.until, a.account_id, coalesce(c.balance, 0) + coalesce(sum(l.amount), 0)
    from treasury.account a
    left join treasury.closing_balance c
        on c.tenant_id = tenant and c.account_id = a.account_id and c.until = head.locked_until
    left join treasury.leg l
        on l.tenant_id = tenant and l.account_id = a.account_id
        and l.effective_at >= head.locked_until and l.effective_at < lock_period.until
    where a.tenant_id = tenant
    group by a.account_id, c.balance;
    update treasury.ledger h set locked_until = lock_period.until where h.tenant_id = tenant;
    perform treasury.note(tenant, 'treasury.period.locked', 'ledger',
        json_build_object('until', lock_period.until, 'journals', head.journals));
end
$$;
comment on function treasury.lock_period is 'Locks everything before a time, and keeps what the accounts came to';

grant execute on function treasury.open_ledger(text), treasury.limit_account(text, bigint, bigint, bigint),
    treasury.open_account(text, text, text, text, text, bigint, bigint), treasury.close_account(text, bigint),
    treasury.lock_period(text, timestamptz) to parpour_app;
