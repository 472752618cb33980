select json_build_object('exception', x.exception_id, 'kind', x.kind, 'state', x.state, 'statement', x.number,
    'position', x.position, 'journal', x.journal, 'leg', x.leg, 'amount', x.amount, 'explanation', x.explanation,
    'openedAt', x.opened_at, 'proposal', x.proposal, 'proposedBy', x.proposed_by, 'evidence', x.evidence,
    'closedAt', x.closed_at, 'closedBy', x.closed_by, 'closingJournal', x.closing_journal)::text as line
from treasury.exception x
left join treasury.statement s on s.tenant_id = x.tenant_id and s.account_id = x.account_id and s.number = x.number
left join treasury.journal j on j.tenant_id = x.tenant_id and j.number = x.journal
where x.account_id = $1 and (s.closed_on = $2 or j.effective_at >= $3 and j.effective_at < $4)
order by x.exception_id
