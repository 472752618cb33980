select spend_id, person, actor, verdict, authenticated_at, decided_at
from treasury.approval where spend_id = any($1) order by spend_id, decided_at, person
