-- A request that a restored database has forgotten comes again under its key, and is the same spend again. If its payment was
-- found at the provider meanwhile, it is in the books, and is neither reserved nor sent a second time.

create function treasury.refuse_found() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
begin
    if exists (
        select from new_spends n join treasury.found_payment f on f.tenant_id = n.tenant_id and f.correlation = n.spend_id
        where n.state <> 'refused'
    ) then
        perform treasury.refuse('DISPATCH_PAYMENT_SENT', 'what is asked for was paid: the payment was found at the provider');
    end if;
    return null;
end
$$;
comment on function treasury.refuse_found is 'Trigger: what was found at a provider is not asked for again';
create trigger not_found after insert on treasury.spend referencing new table as new_spends
    for each statement execute function treasury.refuse_found();
