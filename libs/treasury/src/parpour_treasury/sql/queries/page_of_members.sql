select actor, person, roles, added_at, revoked_at
from treasury.member where actor > $1 and ($2::text is null or actor < $2) order by actor asc limit $3
