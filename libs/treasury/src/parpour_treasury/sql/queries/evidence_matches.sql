with entry as (
    select e.tenant_id, e.account_id, e.number, e.position, e.match from treasury.matched_entry e where e.account_id = $1
    union all
    select e.tenant_id, e.account_id, e.number, e.position, e.match from treasury.undone_entry e where e.account_id = $1
),
leg as (
    select l.tenant_id, l.account_id, l.journal, l.position, l.match from treasury.matched_leg l where l.account_id = $1
    union all
    select l.tenant_id, l.account_id, l.journal, l.position, l.match from treasury.undone_leg l where l.account_id = $1
)
select json_build_object('match', m.match, 'rule', m.rule, 'explanation', m.explanation, 'madeAt', m.made_at, 'madeBy', m.made_by,
    'entries', (select coalesce(json_agg(json_build_array(e.number, e.position) order by e.number, e.position), '[]')
        from entry e where e.tenant_id = m.tenant_id and e.match = m.match),
    'legs', (select json_agg(json_build_array(l.journal, l.position) order by l.journal, l.position)
        from leg l where l.tenant_id = m.tenant_id and l.match = m.match),
    'undone', (select json_build_object('at', u.undone_at, 'by', u.undone_by, 'evidence', u.evidence) from treasury.undone_match u
        where u.tenant_id = m.tenant_id and u.account_id = m.account_id and u.match = m.match)
    )::text as line
from treasury.match m where m.account_id = $1 and m.match in (
    select e.match from entry e
    join treasury.statement s on s.tenant_id = e.tenant_id and s.account_id = e.account_id and s.number = e.number
    where s.closed_on = $2
    union all
    select l.match from leg l join treasury.journal j on j.tenant_id = l.tenant_id and j.number = l.journal
    where j.effective_at >= $3 and j.effective_at < $4)
order by m.match
