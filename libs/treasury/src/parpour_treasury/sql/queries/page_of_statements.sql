select account_id, number, statement, sequence, opening::bigint as opening, opened_on, closing::bigint as closing, closed_on, left_out,
    digest, place, format, imported_at, imported_by
from treasury.statement
where account_id = $1 and number > $2 and number < $3
order by number asc limit $4
