select actor, person, roles, added_at, revoked_at
from treasury.member where actor = any($1)
