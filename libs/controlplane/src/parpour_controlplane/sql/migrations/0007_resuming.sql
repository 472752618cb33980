-- A history that goes on after a restore has an event that says so. The sealer's role writes no other event.

create function controlplane.tell_resumption(
    context text, held bigint, checkpoint bytea, first bigint, last bigint, told_by text, reason text
) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    -- The checkpoint's hash begins with it, so whoever writes it again after a crash writes the same event.
    id constant uuid := encode(substr(checkpoint, 1, 16), 'hex')::uuid;
begin
    perform from controlplane.chain_head h where h.tenant_id = tenant and h.epoch = held for update;
    if not found then
        raise exception using errcode = 'PC006', message = 'SEALER_STALE', detail = 'another sealer has taken the tenant';
    end if;
    if exists (select from controlplane.sealed_event s where s.tenant_id = tenant and s.event_id = id) or exists (
        select from controlplane.unsealed u
        join controlplane.event e on e.tenant_id = u.tenant_id and e.transaction = u.transaction
        where u.tenant_id = tenant and e.event_id = id
    ) then
        return false;
    end if;
    insert into controlplane.event (tenant_id, event_id, type, version, occurred_at, actor, correlation, subject, payload)
    values (tenant, id, 'controlplane.history.resumed', 1, clock_timestamp(), controlplane.current_actor(), id, 'history',
        json_build_object('checkpoint', encode(checkpoint, 'hex'), 'first', first, 'last', last, 'by', told_by, 'reason', reason));
    return true;
end
$$;
comment on function controlplane.tell_resumption is
    'Writes the event of a resumption, once; false if it was written before. Refuses who is not the tenant''s sealer';

grant execute on function controlplane.tell_resumption(text, bigint, bytea, bigint, bigint, text, text) to parpour_sealer;
-- So that it can be told, without taking the chain, whether a database is behind what was signed.
grant execute on function controlplane.chain_extent(text) to parpour_sealer;
