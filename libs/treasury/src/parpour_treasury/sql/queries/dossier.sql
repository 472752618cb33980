-- What the authority keeps of a tenant, a line of JSON each, the same for the same tables. What events have the digest of is
-- handed over as the text that is kept.
select line from (
    select 1 as place, lpad(r.version::text, 10, '0') as key, json_build_object('rules', row_to_json(r)) as line
    from (select version, body, proposed_by, approved_by, effective_at from treasury.rules) r
    union all
    select 2, m.actor, json_build_object('member', row_to_json(m))
    from (select actor, person, roles, added_at, revoked_at from treasury.member) m
    union all
    select 3, e.code, json_build_object('envelope', row_to_json(e))
    from (select envelope_id, parent_id, code, currency, cap, reserved, spent, opens_at, closes_at from treasury.envelope) e
    union all
    select 4, p.payee_id::text, json_build_object('payee', row_to_json(p))
    from (
        select payee_id, name, category, provider, destination, encode(fingerprint, 'hex') as fingerprint, created_at, usable_from,
            held_at, retired_at
        from treasury.payee
    ) p
    union all
    select 5, '', json_build_object('stops', row_to_json(c))
    from (select frozen_at, frozen_by, stopped_at, stopped_by, reason from treasury.control) c
    union all
    select 6, s.spend_id::text, json_build_object('spend', row_to_json(s))
    from (
        select spend_id, state, step, envelope_id, payee_id, provider, encode(fingerprint, 'hex') as fingerprint, currency, amount,
            settled, purpose, category, actor, person, rules_version, decision, quorum, encode(digest, 'hex') as digest, hold_id,
            code, provider_reference, requested_at, expires_at, changed_at, changed_by, submitted_at
        from treasury.spend
    ) s
    union all
    select 7, d.spend_id || '/' || lpad(d.number::text, 5, '0'), json_build_object('decision', row_to_json(d))
    from (
        select spend_id, number, rules_version, asked::text, facts::text, answer::text, decided_at, salt
        from treasury.decision
    ) d
    union all
    select 8, a.spend_id || '/' || a.person, json_build_object('approval', row_to_json(a))
    from (
        select spend_id, person, actor, encode(digest, 'hex') as digest, verdict, authenticated_at, decided_at
        from treasury.approval
    ) a
    union all
    select 9, o.spend_id || '/' || o.reference, json_build_object('outcome', row_to_json(o))
    from (
        select spend_id, reference, step, provider_reference, evidence::text, fee, actor, recorded_at from treasury.outcome
    ) o
    union all
    select 10, c.spend_id::text, json_build_object('course', row_to_json(c))
    from (select spend_id, version, history, next_at, asks_person, updated_at from treasury.payment_course) c
) lines order by place, key collate "C"
