select reservation_id, key, subject, kind, namespace, name, generation, digest, terms::text as terms, attempt, spend_id,
    usage::text as usage, opened_at
from treasury.reservation where subject = $1 order by opened_at desc, reservation_id limit $2
