select reservation_id, key, subject, kind, namespace, name, generation, digest, terms::text as terms, attempt, spend_id,
    usage::text as usage, opened_at
from treasury.reservation where reservation_id = $1
