select envelope_id, parent_id, code, currency::text, cap::bigint, reserved::bigint, spent::bigint, opens_at, closes_at
from treasury.envelope where code > $1 and ($2::text is null or code < $2) order by code asc limit $3
