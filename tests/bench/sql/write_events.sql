insert into controlplane.event
    (tenant_id, event_id, type, version, occurred_at, actor, correlation, subject, payload)
select $1, event_id, 'treasury.journal.posted', 1, clock_timestamp(), 'agent:7', $1, 'journal/17',
    '{"journal":17,"effectiveAt":"2026-01-01T00:00:00+00:00","description":"a transfer","hold":null,"reverses":null,"legs":[[1,-1250,"USD"],[2,1250,"USD"]]}'
from unnest($2::uuid[]) as event_id
