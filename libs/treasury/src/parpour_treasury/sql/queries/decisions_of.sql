select spend_id, number, decided_at, rules_version, asked::text, facts::text, answer::text
from treasury.decision where spend_id = any($1) order by spend_id, number
