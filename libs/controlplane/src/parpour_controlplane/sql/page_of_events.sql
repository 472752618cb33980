select tenant_id, event_id, type, version, occurred_at, actor, correlation, causation, subject, payload::text, taint
from controlplane.event
where ($1::timestamptz is null or (occurred_at, event_id) > ($1, $2::uuid))
    and ($3::timestamptz is null or (occurred_at, event_id) < ($3, $4::uuid))
    and ($5::text is null or subject = $5)
order by occurred_at asc, event_id asc limit $6
