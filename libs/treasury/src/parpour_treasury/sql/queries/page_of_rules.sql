select version, body::text, proposed_by, approved_by, effective_at
from treasury.rules where version > $1 and version < $2 order by version asc limit $3
