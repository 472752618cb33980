select h.hold_id, h.state, h.description, h.actor, h.placed_at, h.expires_at, h.closed_at,
    array_agg(l.account_id order by l.position) as accounts, array_agg(l.amount::bigint order by l.position) as amounts,
    array_agg(l.currency::text order by l.position) as currencies, array_agg(l.settled::bigint order by l.position) as settled
from treasury.hold h join treasury.hold_leg l on l.tenant_id = h.tenant_id and l.hold_id = h.hold_id
where h.hold_id = any($1)
group by h.tenant_id, h.hold_id, h.state, h.description, h.actor, h.placed_at, h.expires_at, h.closed_at
