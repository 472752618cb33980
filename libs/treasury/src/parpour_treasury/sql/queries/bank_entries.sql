select e.number, e.position, e.amount::bigint as amount, e.booked_on, e.reference, e.end_to_end, e.transaction, e.counterparty, e.code,
    e.reversal, m.match, x.state, u.undone is not null as undone
from treasury.statement_entry e
left join lateral (
    select m.match from treasury.matched_entry m
    where m.tenant_id = e.tenant_id and m.account_id = e.account_id and m.number = e.number and m.position = e.position offset 0
) m on true
left join lateral (
    select x.state from treasury.exception x
    where x.tenant_id = e.tenant_id and x.account_id = e.account_id and x.number = e.number and x.position = e.position offset 0
) x on true
left join lateral (
    select true as undone from treasury.undone_entry u
    where u.tenant_id = e.tenant_id and u.account_id = e.account_id and u.number = e.number and u.position = e.position limit 1 offset 0
) u on true
where e.account_id = $1 and (m.match is null or e.booked_on >= $2)
order by e.number, e.position
