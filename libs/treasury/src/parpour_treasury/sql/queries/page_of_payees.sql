select payee_id, name, category, provider, destination::text, encode(fingerprint, 'hex') as fingerprint, created_at, usable_from,
    held_at, retired_at
from treasury.payee where payee_id > $1 and payee_id < $2 order by payee_id asc limit $3
