select spend_id, reference, step, provider_reference, evidence::text, fee::bigint, actor, recorded_at
from treasury.outcome where spend_id = any($1) order by spend_id, recorded_at, reference
