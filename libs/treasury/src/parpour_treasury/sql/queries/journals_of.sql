select j.number, j.recorded_at, j.effective_at, j.kind, j.description, j.actor, j.correlation, j.reverses, j.hold_id,
    array_agg(l.account_id order by l.position) as accounts, array_agg(l.amount::bigint order by l.position) as amounts,
    array_agg(l.currency::text order by l.position) as currencies, array_agg(l.balance::bigint order by l.position) as balances
from treasury.journal j join treasury.leg l on l.tenant_id = j.tenant_id and l.journal = j.number
where j.number = any($1)
group by j.tenant_id, j.number, j.recorded_at, j.effective_at, j.kind, j.description, j.actor, j.correlation, j.reverses, j.hold_id
