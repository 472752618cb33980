select tenant_id, event_id, type, version, occurred_at, actor, correlation, causation, subject, payload::text, taint
from controlplane.event where subject = $1 order by occurred_at
