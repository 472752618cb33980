-- The keys under which the books were asked tell which journals are a spend's: treasury.book makes those of payments, and
-- the authority the one that ends the hold of what is metered.
select k.spend_id, r.journal
from (
    select o.tenant_id, o.spend_id, 'spend/' || o.spend_id || '/' || encode(sha256(convert_to(n.name, 'UTF8')), 'hex') as key
    from treasury.outcome o
    cross join lateral (values (o.step), ('fee/' || o.reference), ('owed fee/' || o.reference)) n(name)
    where o.spend_id = any($1)
    union
    select s.tenant_id, s.spend_id, 'spend/' || s.spend_id || '/' || s.hold_id || '/end'
    from treasury.spend s where s.spend_id = any($1) and s.provider = 'internal' and s.hold_id is not null
) k join treasury.request r on r.tenant_id = k.tenant_id and r.key = k.key
where r.journal is not null order by k.spend_id, r.journal
