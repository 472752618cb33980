-- Pages of events that have their place, from either end, for those who read and do not follow.

create function controlplane.page_of_events(
    context text, after bigint, before bigint, about text, most integer, backward boolean
) returns table (
    "position" bigint, event_id uuid, type text, version smallint, occurred_at timestamptz, actor text, correlation uuid,
    causation uuid, subject text, payload text, taint text[]
)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off
as $$
declare
    tenant constant uuid := controlplane.enter(context);
    places bigint[];
begin
    if about is not null then
        -- No index tells what an event is about, because every posting would pay for it.
        places := array(
            select s.position from controlplane.event e
            join controlplane.sealed_event s on s.tenant_id = e.tenant_id and s.event_id = e.event_id
            where e.tenant_id = tenant and e.subject = about and s.position > after and s.position < before
            order by case when backward then -s.position else s.position end limit most
        );
    elsif backward then
        places := array(
            select s.position from controlplane.sealed_event s
            where s.tenant_id = tenant and s.position > after and s.position < before order by s.position desc limit most
        );
    else
        places := array(
            select s.position from controlplane.sealed_event s
            where s.tenant_id = tenant and s.position > after and s.position < before order by s.position limit most
        );
    end if;
    return query
    select s.position, e.event_id, e.type, e.version, e.occurred_at, e.actor, e.correlation, e.causation, e.subject,
        e.payload::text, e.taint
    from unnest(places) as p(place)
    cross join lateral (
        select * from controlplane.sealed_event s where s.tenant_id = tenant and s.position = p.place offset 0
    ) s
    cross join lateral (
        select * from controlplane.event e
        where e.tenant_id = tenant and e.transaction = s.transaction and e.ordinal = s.ordinal
        offset 0
    ) e
    order by s.position;
end
$$;
comment on function controlplane.page_of_events is
    'Events between two places, of one subject if one is named: the first ones, or backward the last ones, in their order';
grant execute on function controlplane.page_of_events(text, bigint, bigint, text, integer, boolean) to parpour_app;
