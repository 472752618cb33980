-- What the authority keeps, recomputed from what happened.

create function treasury.spending_faults() returns table (fault text, subject text)
-- Whatever statistics say, a join of all rows with all rows is not what anybody wants here.
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off
as $$
    with tenant as materialized (select controlplane.current_tenant() as id),
    spend as materialized (select s.* from treasury.spend s, tenant t where s.tenant_id = t.id),
    hold as materialized (
        select h.hold_id, h.spend_id, h.state, h.pinned_at, sum(greatest(l.amount, 0)) as amount, bool_and(l.settled = 0) as whole
        from treasury.hold h join treasury.hold_leg l on l.tenant_id = h.tenant_id and l.hold_id = h.hold_id, tenant t
        where h.tenant_id = t.id and l.tenant_id = t.id and h.spend_id is not null
        group by h.hold_id, h.spend_id, h.state, h.pinned_at
    ),
    approved as materialized (
        select s.spend_id, count(*) as steps, count(distinct a.person) filter (
            where a.digest = s.digest and a.person is distinct from s.person and a.actor <> s.actor
        ) as people
        from spend s join treasury.approval a on a.tenant_id = s.tenant_id and a.spend_id = s.spend_id
        where a.verdict = 'approve' group by s.spend_id
    ),
    decided as materialized (select d.* from treasury.decision d, tenant t where d.tenant_id = t.id),
    event as materialized (
        select e.subject, count(*) as steps, array_agg(e.type) as types
        from controlplane.event e, tenant t
        where e.tenant_id = t.id and e.type like 'treasury.spend.%' group by e.subject
    )
    select 'what an envelope has reserved or spent is not the sum of its spends', 'envelope/' || e.envelope_id
    from treasury.envelope e join tenant t on t.id = e.tenant_id left join (
        select p.envelope_id,
            sum(s.amount) filter (where s.state in ('reserved', 'submitting', 'unknown', 'sent')) as reserved,
            sum(s.settled) filter (where s.state = 'settled') as spent
        from spend s join treasury.envelope leaf on leaf.tenant_id = s.tenant_id and leaf.envelope_id = s.envelope_id
        cross join lateral unnest(leaf.path) as p(envelope_id) group by p.envelope_id
    ) s on s.envelope_id = e.envelope_id
    where (e.reserved, e.spent) is distinct from (coalesce(s.reserved, 0), coalesce(s.spent, 0))
    union all
    select 'a reserved spend has no open hold of its amount', 'spend/' || s.spend_id
    from spend s left join hold h on h.hold_id = s.hold_id and h.spend_id = s.spend_id
    where s.state in ('reserved', 'submitting', 'unknown') and (h.hold_id is null or h.state <> 'open' or not h.whole
        or h.amount <> s.amount or (h.pinned_at is not null) <> (s.state <> 'reserved'))
    union all
    select 'an open hold belongs to a spend that reserves nothing', 'hold/' || h.hold_id
    from hold h left join spend s on s.spend_id = h.spend_id and s.hold_id = h.hold_id
    where h.state = 'open' and coalesce(s.state not in ('reserved', 'submitting', 'unknown'), true)
    union all
    select 'a spend was reserved without its approvals', 'spend/' || s.spend_id
    from spend s left join approved a on a.spend_id = s.spend_id
    where s.hold_id is not null and s.quorum > coalesce(a.people, 0)
    union all
    select 'a digest is not that of its spend', 'spend/' || s.spend_id
    from treasury.spend s, tenant t where s.tenant_id = t.id and s.digest <> treasury.spend_digest(s)
    union all
    select 'a spend stands without the decision that it stands on', 'spend/' || s.spend_id
    from spend s left join decided d on d.spend_id = s.spend_id and d.number = s.decision
    where d.number is null or s.hold_id is not null and d.verdict <> 'reserve' or s.state = 'refused' and d.verdict <> 'refuse'
    union all
    select 'a spend has not one event for each of its steps', 'spend/' || s.spend_id
    from spend s left join event e on e.subject = 'spend/' || s.spend_id
    left join approved a on a.spend_id = s.spend_id
    left join (
        select o.spend_id, count(*) as steps from treasury.outcome o, tenant t where o.tenant_id = t.id group by o.spend_id
    ) o on o.spend_id = s.spend_id
    left join (select h.spend_id, count(*) - 1 as renewals from hold h group by h.spend_id) h on h.spend_id = s.spend_id
    where e.steps is null or not ('treasury.spend.' || s.step) = any(e.types)
        or e.steps <> 1 + coalesce(a.steps, 0) + coalesce(o.steps, 0) + coalesce(h.renewals, 0)
            + (s.submitted_at is not null)::integer + (s.state in ('rejected', 'expired', 'cancelled'))::integer
            + (s.provider = 'internal' and s.state = 'settled')::integer
    union all
    select 'the running total of the venture is not the sum of what was granted', 'currency/' || p.currency
    from (
        select distinct on (p.currency) p.currency, p.total from treasury.pace p, tenant t
        where p.tenant_id = t.id and p.scope = 'venture' order by p.currency, p.at desc, p.count desc
    ) p left join (
        select s.currency, sum(s.amount) as total from spend s join decided d on d.spend_id = s.spend_id and d.number = 1
        where d.verdict <> 'refuse' group by s.currency
    ) s on s.currency = p.currency
    where p.total is distinct from coalesce(s.total, 0)
    union all
    select 'what a spend has moved is not what its state says', 'spend/' || s.spend_id
    from spend s left join (
        select j.correlation,
            sum(l.amount) filter (where a.code like 'assets:in-transit:%') as in_transit,
            sum(l.amount) filter (where a.code like 'expenses:spending:%' or a.code like 'expenses:compute:%') as spent
        from treasury.journal j join treasury.leg l on l.tenant_id = j.tenant_id and l.journal = j.number
        join treasury.account a on a.tenant_id = l.tenant_id and a.account_id = l.account_id, tenant t
        where j.tenant_id = t.id group by j.correlation
    ) m on m.correlation = s.spend_id
    where s.state not in ('refused', 'awaiting_approval', 'rejected') and (
        coalesce(m.in_transit, 0) <> case when s.state = 'sent' then s.amount else 0 end
        or coalesce(m.spent, 0) <> case when s.state = 'settled' then s.settled else 0 end
    )
$$;
comment on function treasury.spending_faults is 'Everything in a tenant''s spends that contradicts itself or the books; empty if they are right';

grant execute on function treasury.spending_faults(), treasury.spend_digest(treasury.spend) to parpour_app;
