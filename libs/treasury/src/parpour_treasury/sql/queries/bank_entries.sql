select e.number, e.position, e.amount::bigint as amount, e.booked_on, e.reference, e.end_to_end, e.transaction, e.counterparty, e.code,
    e.reversal, m.match, x.state
from treasury.statement_entry e
left join treasury.matched_entry m
    on m.tenant_id = e.tenant_id and m.account_id = e.account_id and m.number = e.number and m.position = e.position
left join treasury.exception x
    on x.tenant_id = e.tenant_id and x.account_id = e.account_id and x.number = e.number and x.position = e.position
where e.account_id = $1 and (m.match is null or e.booked_on >= $2)
order by e.number, e.position
