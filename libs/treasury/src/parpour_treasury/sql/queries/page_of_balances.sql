select account_id, code, kind, currency, treasury.balance_at(account_id, $4, $5) as balance
from treasury.account where account_id > $1 and account_id < $2 order by account_id asc limit $3
