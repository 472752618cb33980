select l.journal, l.position, l.amount::bigint as amount, l.effective_at, j.correlation, m.match, x.state,
    p.provider_reference, p.name as payee, u.undone is not null as undone
from treasury.leg l
join lateral (
    select j.correlation from treasury.journal j where j.tenant_id = l.tenant_id and j.number = l.journal offset 0
) j on true
left join lateral (
    select m.match from treasury.matched_leg m
    where m.tenant_id = l.tenant_id and m.journal = l.journal and m.position = l.position offset 0
) m on true
left join lateral (
    select x.state from treasury.exception x where x.tenant_id = l.tenant_id and x.journal = l.journal and x.leg = l.position offset 0
) x on true
left join lateral (
    select s.provider_reference, p.name from treasury.spend s
    join treasury.payee p on p.tenant_id = s.tenant_id and p.payee_id = s.payee_id
    where s.tenant_id = l.tenant_id and s.spend_id = j.correlation offset 0
) p on true
left join lateral (
    select true as undone from treasury.undone_leg u
    where u.tenant_id = l.tenant_id and u.journal = l.journal and u.position = l.position limit 1 offset 0
) u on true
where l.account_id = $1 and l.effective_at >= $2 and l.effective_at < $3 and (m.match is null or l.effective_at >= $4)
order by l.journal, l.position
