select json_build_object('match', m.match, 'rule', m.rule, 'explanation', m.explanation, 'madeAt', m.made_at, 'madeBy', m.made_by,
    'entries', (select coalesce(json_agg(json_build_array(e.number, e.position) order by e.number, e.position), '[]')
        from treasury.matched_entry e where e.tenant_id = m.tenant_id and e.account_id = m.account_id and e.match = m.match),
    'legs', (select json_agg(json_build_array(l.journal, l.position) order by l.journal, l.position)
        from treasury.matched_leg l where l.tenant_id = m.tenant_id and l.account_id = m.account_id and l.match = m.match)
    )::text as line
from treasury.match m where m.account_id = $1 and (
    exists (
        select from treasury.matched_entry e
        join treasury.statement s on s.tenant_id = e.tenant_id and s.account_id = e.account_id and s.number = e.number
        where e.tenant_id = m.tenant_id and e.account_id = m.account_id and e.match = m.match and s.closed_on = $2)
    or exists (
        select from treasury.matched_leg l join treasury.journal j on j.tenant_id = l.tenant_id and j.number = l.journal
        where l.tenant_id = m.tenant_id and l.account_id = m.account_id and l.match = m.match
            and j.effective_at >= $3 and j.effective_at < $4))
order by m.match
