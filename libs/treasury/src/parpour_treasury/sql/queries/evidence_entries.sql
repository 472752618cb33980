select json_build_object('number', e.number, 'position', e.position, 'amount', e.amount, 'bookedOn', e.booked_on,
    'valueOn', e.value_on, 'reference', e.reference, 'endToEnd', e.end_to_end, 'transaction', e.transaction,
    'counterparty', e.counterparty, 'description', e.description, 'code', e.code, 'reversal', e.reversal, 'batch', e.batch,
    'match', m.match)::text as line
from treasury.statement s
join treasury.statement_entry e on e.tenant_id = s.tenant_id and e.account_id = s.account_id and e.number = s.number
left join treasury.matched_entry m
    on m.tenant_id = e.tenant_id and m.account_id = e.account_id and m.number = e.number and m.position = e.position
where s.account_id = $1 and s.closed_on = $2 and ($3::timestamptz, $4::timestamptz) is not null
order by e.number, e.position
