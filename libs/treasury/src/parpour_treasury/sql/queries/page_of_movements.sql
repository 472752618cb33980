select l.journal, l.position, l.effective_at, j.recorded_at, j.description, l.amount::bigint
from treasury.leg l join treasury.journal j on j.tenant_id = l.tenant_id and j.number = l.journal
where l.account_id = $1 and l.effective_at >= $2 and l.effective_at < $3
    and (l.effective_at, l.journal, l.position) > ($4, $5, $6)
order by l.effective_at, l.journal, l.position limit $7
