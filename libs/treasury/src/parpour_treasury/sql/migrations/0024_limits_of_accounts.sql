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
