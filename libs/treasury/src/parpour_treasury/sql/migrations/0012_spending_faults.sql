-- What the authority keeps, recomputed from what happened.

create function treasury.spending_faults() returns table (fault text, subject text)
language sql stable set search_path = pg_catalog, pg_temp
as $$
    with tenant as materialized (select controlplane.current_tenant() as id),
    spend as materialized (select s.* from treasury.spend s, tenant t where s.tenant_id = t.id),
    event as materialized (
        select e.subject, count(*) as steps, array_agg(e.type) as types
        from controlplane.event e, tenant t
        where e.tenant_id = t.id and e.type like 'treasury.spend.%' group by e.subject
    )
    select 'what an envelope has reserved or spent is not the sum of its spends', 'envelope/' || e.envelope_id
    from treasury.envelope e cross join tenant t left join lateral (
        select coalesce(sum(s.amount) filter (where s.state in ('reserved', 'submitting', 'unknown', 'sent')), 0) as reserved,
            coalesce(sum(s.settled) filter (where s.state = 'settled'), 0) as spent
        from spend s join treasury.envelope leaf on leaf.tenant_id = s.tenant_id and leaf.envelope_id = s.envelope_id
        where e.envelope_id = any(leaf.path)
    ) s on true
    where e.tenant_id = t.id and (e.reserved, e.spent) is distinct from (s.reserved, s.spent)
    union all
    select 'a reserved spend has no open hold of its amount', 'spend/' || s.spend_id
    from spend s where s.state in ('reserved', 'submitting', 'unknown') and not exists (
        select from treasury.hold h join treasury.hold_leg l on l.tenant_id = h.tenant_id and l.hold_id = h.hold_id
        where h.tenant_id = s.tenant_id and h.hold_id = s.hold_id and h.spend_id = s.spend_id and h.state = 'open'
            and (h.pinned_at is not null) = (s.state <> 'reserved')
        group by h.hold_id having sum(greatest(l.amount, 0)) = s.amount and bool_and(l.settled = 0)
    )
    union all
    select 'an open hold belongs to a spend that reserves nothing', 'hold/' || h.hold_id
    from treasury.hold h join tenant t on h.tenant_id = t.id
    where h.spend_id is not null and h.state = 'open' and not exists (
        select from spend s
        where s.spend_id = h.spend_id and s.hold_id = h.hold_id and s.state in ('reserved', 'submitting', 'unknown')
    )
    union all
    select 'a spend was reserved without its approvals', 'spend/' || s.spend_id
    from spend s where s.hold_id is not null and s.quorum > (
        select count(distinct a.person) from treasury.approval a
        where a.tenant_id = s.tenant_id and a.spend_id = s.spend_id and a.verdict = 'approve' and a.digest = s.digest
            and a.person is distinct from s.person and a.actor <> s.actor
    )
    union all
    select 'a digest is not that of its spend', 'spend/' || s.spend_id
    from treasury.spend s, tenant t where s.tenant_id = t.id and s.digest <> treasury.spend_digest(s)
    union all
    select 'a spend stands without the decision that it stands on', 'spend/' || s.spend_id
    from spend s where not exists (
        select from treasury.decision d where d.tenant_id = s.tenant_id and d.spend_id = s.spend_id and d.number = s.decision
            and (s.hold_id is null or d.verdict = 'reserve') and (s.state <> 'refused' or d.verdict = 'refuse')
    )
    union all
    select 'a spend has not one event for each of its steps', 'spend/' || s.spend_id
    from spend s left join event e on e.subject = 'spend/' || s.spend_id
    where e.steps is null or not ('treasury.spend.' || s.step) = any(e.types)
        or e.steps <> 1 + (
            select count(*) from treasury.approval a
            where a.tenant_id = s.tenant_id and a.spend_id = s.spend_id and a.verdict = 'approve'
        ) + (
            select count(*) from treasury.outcome o where o.tenant_id = s.tenant_id and o.spend_id = s.spend_id
        ) + (s.submitted_at is not null)::integer + (s.state in ('rejected', 'expired', 'cancelled'))::integer + (
            select count(*) - 1 from treasury.hold h
            where h.tenant_id = s.tenant_id and h.spend_id = s.spend_id having count(*) > 1
        ) + (s.provider = 'internal' and s.state = 'settled')::integer
    union all
    select 'the running total of the venture is not the sum of what was granted', 'currency/' || p.currency
    from (
        select distinct on (p.currency) p.currency, p.total from treasury.pace p, tenant t
        where p.tenant_id = t.id and p.scope = 'venture' order by p.currency, p.at desc, p.count desc
    ) p where p.total <> (
        select coalesce(sum(s.amount), 0) from spend s where s.currency = p.currency and exists (
            select from treasury.decision d
            where d.tenant_id = s.tenant_id and d.spend_id = s.spend_id and d.number = 1 and d.verdict <> 'refuse'
        )
    )
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
