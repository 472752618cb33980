select json_build_object('id', e.event_id, 'type', e.type, 'version', e.version, 'occurredAt', e.occurred_at, 'actor', e.actor,
    'correlation', e.correlation, 'causation', e.causation, 'subject', e.subject, 'payload', e.payload, 'taint', e.taint)::text as line
from controlplane.event e
where e.subject in (
    select 'statement/' || s.account_id || '-' || s.number from treasury.statement s where s.account_id = $1 and s.closed_on = $2
    union all
    select 'exception/' || x.exception_id from treasury.exception x
    left join treasury.statement s on s.tenant_id = x.tenant_id and s.account_id = x.account_id and s.number = x.number
    left join treasury.journal j on j.tenant_id = x.tenant_id and j.number = x.journal
    where x.account_id = $1 and (s.closed_on = $2 or j.effective_at >= $3 and j.effective_at < $4)
    union all
    select 'match/' || m.account_id || '-' || m.match from treasury.matched_entry m
    join treasury.statement s on s.tenant_id = m.tenant_id and s.account_id = m.account_id and s.number = m.number
    where m.account_id = $1 and s.closed_on = $2
    union all
    select 'match/' || m.account_id || '-' || m.match from treasury.matched_leg m
    join treasury.journal j on j.tenant_id = m.tenant_id and j.number = m.journal
    where m.account_id = $1 and j.effective_at >= $3 and j.effective_at < $4
    union all
    select 'match/' || m.account_id || '-' || m.match from treasury.undone_entry m
    join treasury.statement s on s.tenant_id = m.tenant_id and s.account_id = m.account_id and s.number = m.number
    where m.account_id = $1 and s.closed_on = $2
    union all
    select 'match/' || m.account_id || '-' || m.match from treasury.undone_leg m
    join treasury.journal j on j.tenant_id = m.tenant_id and j.number = m.journal
    where m.account_id = $1 and j.effective_at >= $3 and j.effective_at < $4
    union all
    select 'journal/' || j.number from treasury.journal j
    join treasury.leg l on l.tenant_id = j.tenant_id and l.journal = j.number
    where l.account_id = $1 and j.effective_at >= $3 and j.effective_at < $4
)
order by e.occurred_at, e.event_id
