select m.account_id, m.match, m.rule, m.explanation::text as explanation, m.made_at, m.made_by,
    array(select e.number from treasury.matched_entry e
        where e.tenant_id = m.tenant_id and e.account_id = m.account_id and e.match = m.match order by e.number, e.position) as numbers,
    array(select e.position from treasury.matched_entry e
        where e.tenant_id = m.tenant_id and e.account_id = m.account_id and e.match = m.match order by e.number, e.position) as positions,
    array(select l.journal from treasury.matched_leg l
        where l.tenant_id = m.tenant_id and l.account_id = m.account_id and l.match = m.match order by l.journal, l.position) as journals,
    array(select l.position::integer from treasury.matched_leg l
        where l.tenant_id = m.tenant_id and l.account_id = m.account_id and l.match = m.match order by l.journal, l.position) as legs
from (select * from treasury.match where account_id = $1 and match > $2 and match < $3 order by match asc limit $4) m
order by m.match asc
