select json_build_object('number', j.number, 'recordedAt', j.recorded_at, 'effectiveAt', j.effective_at, 'kind', j.kind,
    'description', j.description, 'actor', j.actor, 'correlation', j.correlation, 'reverses', j.reverses, 'hold', j.hold_id,
    'legs', (select json_agg(json_build_array(l.account_id, l.amount, l.currency, l.balance) order by l.position)
        from treasury.leg l where l.tenant_id = j.tenant_id and l.journal = j.number))::text as line
from treasury.journal j
where j.effective_at >= $3 and j.effective_at < $4 and $2::date is not null
    and exists (select from treasury.leg l where l.tenant_id = j.tenant_id and l.journal = j.number and l.account_id = $1)
order by j.number
