select account_id, code, name, kind, currency, opened_at, closed_at, lower_bound, upper_bound, posted, pending_debit, pending_credit
from treasury.account where account_id > $1 and account_id < $2 order by account_id asc limit $3
