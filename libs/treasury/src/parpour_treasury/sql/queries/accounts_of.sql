select account_id, code, name, kind, currency, opened_at, closed_at, lower_bound, upper_bound, posted, pending_debit, pending_credit
from treasury.account where account_id = any($1::bigint[])
