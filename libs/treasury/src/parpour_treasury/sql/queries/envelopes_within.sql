select envelope_id, parent_id, code, currency::text, cap::bigint, reserved::bigint, spent::bigint, opens_at, closes_at
from treasury.envelope where parent_id = any($1) order by code
