-- One arm for each partial index, so that it costs what is in flight and not what ever was.
select spend_id, state, step, envelope_id, payee_id, provider, encode(fingerprint, 'hex') as fingerprint, currency::text, amount::bigint,
    settled::bigint, purpose, category, actor, person, rules_version, decision, quorum, digest, hold_id, code,
    provider_reference, requested_at, expires_at, changed_at, changed_by, submitted_at
from (
    select * from treasury.spend where state = 'awaiting_approval'
    union all select * from treasury.spend where state = 'reserved'
    union all select * from treasury.spend where state in ('submitting', 'unknown', 'sent')
) s
where ($1::text is null or actor = $1 or exists (
        select from treasury.approval a
        where a.tenant_id = s.tenant_id and a.spend_id = s.spend_id and a.actor = $1 and a.verdict = 'approve'
    )) and ($2::uuid is null or payee_id = $2) order by requested_at, spend_id
