select accounts, journals, nullif(recorded_at, '-infinity') as recorded_at, nullif(locked_until, '-infinity') as locked_until
from treasury.ledger
