select r.reservation_id, r.key, r.subject, r.kind, r.namespace, r.name, r.generation, r.digest, r.terms::text as terms, r.attempt,
    r.spend_id, r.usage::text as usage, r.opened_at
from treasury.reservation r left join treasury.spend s on s.tenant_id = r.tenant_id and s.spend_id = r.spend_id
where r.reservation_id > $1 and (r.spend_id is null or s.state in ('reserved', 'awaiting_approval'))
order by r.reservation_id limit $2
