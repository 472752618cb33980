select asked.account_id, treasury.balance_at(asked.account_id, $2, $3) as balance
from unnest($1::bigint[]) as asked(account_id)
