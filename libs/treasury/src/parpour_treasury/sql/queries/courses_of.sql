select spend_id, history::text, next_at, asks_person, updated_at
from treasury.payment_course where spend_id = any($1)
