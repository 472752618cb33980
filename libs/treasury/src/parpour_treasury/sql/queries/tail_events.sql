-- Events after the last checkpoint, in an order in which they can be carried out: sealed ones by their place, and of those that
-- have none yet and the same time, what can only follow after what it follows.
select e.event_id, e.occurred_at, e.type, e.actor, e.subject, e.correlation, e.payload::text
from controlplane.event e left join controlplane.sealed_event s on s.tenant_id = e.tenant_id and s.event_id = e.event_id
where s.position is null or s.position > $1
order by s.position nulls last, e.occurred_at, array_position(array[
    'treasury.hold.placed', 'treasury.hold.settled', 'treasury.spend.awaiting', 'treasury.spend.approved',
    'treasury.spend.reserved', 'treasury.spend.renewed', 'treasury.spend.submitted', 'treasury.spend.unknown',
    'treasury.spend.sent', 'treasury.spend.settled'], e.type) nulls last, e.event_id
