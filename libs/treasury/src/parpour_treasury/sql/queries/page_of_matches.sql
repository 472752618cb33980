select m.account_id, m.match, m.rule, m.explanation::text as explanation, m.made_at, m.made_by,
    u.evidence as undone_because, u.undone_at, u.undone_by, e.numbers, e.positions, l.journals, l.legs
from (select * from treasury.match where account_id = $1 and match > $2 and match < $3 order by match asc limit $4) m
left join lateral (
    select u.evidence, u.undone_at, u.undone_by from treasury.undone_match u
    where u.tenant_id = m.tenant_id and u.account_id = m.account_id and u.match = m.match offset 0
) u on true
cross join lateral (
    select coalesce(array_agg(e.number order by e.number, e.position), '{}') as numbers,
        coalesce(array_agg(e.position order by e.number, e.position), '{}') as positions
    from (
        select e.number, e.position from treasury.matched_entry e
        where e.tenant_id = m.tenant_id and e.account_id = m.account_id and e.match = m.match
        union all
        select e.number, e.position from treasury.undone_entry e
        where e.tenant_id = m.tenant_id and e.account_id = m.account_id and e.match = m.match
    ) e
) e
cross join lateral (
    select coalesce(array_agg(l.journal order by l.journal, l.position), '{}') as journals,
        coalesce(array_agg(l.position::integer order by l.journal, l.position), '{}') as legs
    from (
        select l.journal, l.position from treasury.matched_leg l
        where l.tenant_id = m.tenant_id and l.account_id = m.account_id and l.match = m.match
        union all
        select l.journal, l.position from treasury.undone_leg l
        where l.tenant_id = m.tenant_id and l.account_id = m.account_id and l.match = m.match
    ) l
) l
order by m.match asc
