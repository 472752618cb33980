select l.journal, l.position, l.amount::bigint as amount, l.effective_at, j.correlation, m.match, x.state
from treasury.leg l
join treasury.journal j on j.tenant_id = l.tenant_id and j.number = l.journal
left join treasury.matched_leg m on m.tenant_id = l.tenant_id and m.journal = l.journal and m.position = l.position
left join treasury.exception x on x.tenant_id = l.tenant_id and x.journal = l.journal and x.leg = l.position
where l.account_id = $1 and l.effective_at >= $2 and l.effective_at < $3 and (m.match is null or l.effective_at >= $4)
order by l.journal, l.position
