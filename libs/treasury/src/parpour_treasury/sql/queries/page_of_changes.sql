select change_id, kind, body::text, digest, state, proposed_by, proposed_person, proposed_at, expires_at, decided_by,
    decided_person, decided_at
from treasury.change
where (proposed_at, change_id) > ($1, $2) and (proposed_at, change_id) < ($3, $4) and ($6::text is null or state = $6)
order by proposed_at asc, change_id asc limit $5
