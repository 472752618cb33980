select change_id, kind, body::text, digest, state, proposed_by, proposed_person, proposed_at, expires_at, decided_by,
    decided_person, decided_at
from treasury.change where change_id = any($1)
