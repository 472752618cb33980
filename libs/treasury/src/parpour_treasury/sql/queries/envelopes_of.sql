select envelope_id, parent_id, code, currency::text, cap::bigint, reserved::bigint, spent::bigint, opens_at, closes_at
from treasury.envelope where envelope_id = any($1)
