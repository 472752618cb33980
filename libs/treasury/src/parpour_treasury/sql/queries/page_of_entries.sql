select e.account_id, e.number, e.position, e.amount::bigint as amount, e.booked_on, e.value_on, e.reference, e.end_to_end,
    e.transaction, e.counterparty, e.description, e.code, e.reversal, e.batch, m.match, x.exception_id
from (
    select * from treasury.statement_entry
    where account_id = $1 and number = $2 and position > $3 and position < $4 order by position asc limit $5
) e
left join lateral (
    select m.match from treasury.matched_entry m
    where m.tenant_id = e.tenant_id and m.account_id = e.account_id and m.number = e.number and m.position = e.position offset 0
) m on true
left join lateral (
    select x.exception_id from treasury.exception x
    where x.tenant_id = e.tenant_id and x.account_id = e.account_id and x.number = e.number and x.position = e.position offset 0
) x on true
order by e.position asc
