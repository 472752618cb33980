-- What every batch does, in fewer steps: one verification of a context serves for its tenant and for its actors, and the events
-- of a statement are looked through once, for causes only where one is named.

create function controlplane.enter_several(context text, actors text[]) returns uuid
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    told constant record := controlplane.verified(context);
begin
    -- One context speaks for the actors of all commands: it holds the digest of their list.
    if told.actor is distinct from 'several:' || encode(sha256(convert_to(array_to_string(actors, e'\n'), 'UTF8')), 'hex')
        or cardinality(string_to_array(array_to_string(actors, e'\n'), e'\n')) <> cardinality(actors)
    then
        raise exception using errcode = 'PC002', message = 'CONTEXT_REFUSED', detail = 'the context is of other actors';
    end if;
    perform set_config('parpour.context', context, true), set_config('parpour.tenant', told.tenant_id::text, true);
    return told.tenant_id;
end
$$;
comment on function controlplane.enter_several is 'Enters the tenant of a context that speaks for this list of actors, and refuses any other';

create or replace function controlplane.note_unsealed() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    bare boolean;
    caused boolean;
begin
    select bool_or(i.payload is null), bool_or(i.causation is not null) into bare, caused from inserted i;
    if bare then
        raise exception using errcode = 'PC009', message = 'EVENT_MALFORMED', detail = 'an event is written with its payload';
    end if;
    insert into controlplane.unsealed as u (tenant_id, transaction, events)
    select i.tenant_id, i.transaction, count(*) from inserted i group by i.tenant_id, i.transaction
    on conflict (tenant_id, transaction) do update set events = u.events + excluded.events;
    -- A cause that is nowhere would have no earlier place, ever. Within a transaction causes are written first.
    if caused and exists (
        select from inserted i where i.causation is not null
            and not exists (
                select from controlplane.sealed_event s where s.tenant_id = i.tenant_id and s.event_id = i.causation
            )
            and not exists (
                select from controlplane.unsealed u
                join controlplane.event e on e.tenant_id = u.tenant_id and e.transaction = u.transaction
                where u.tenant_id = i.tenant_id and e.event_id = i.causation
                    and (e.transaction <> i.transaction or e.ordinal < i.ordinal)
            )
    ) then
        raise exception using errcode = 'PC008', message = 'EVENT_CAUSE_UNKNOWN', detail = 'no such event was written before';
    end if;
    return null;
end
$$;
