select spend_id, state, step, envelope_id, payee_id, provider, encode(fingerprint, 'hex') as fingerprint, currency::text, amount::bigint,
    settled::bigint, purpose, category, actor, person, rules_version, decision, quorum, digest, hold_id, code,
    provider_reference, requested_at, expires_at, changed_at, changed_by, submitted_at
from treasury.spend s
where state = 'awaiting_approval' and expires_at > now() and (requested_at, spend_id) > ($1, $2)
    and (requested_at, spend_id) < ($3, $4) and person is distinct from $6 and actor <> $7
    and not exists (
        select from treasury.approval a
        where a.tenant_id = s.tenant_id and a.spend_id = s.spend_id and a.person = $6 and a.digest = s.digest
    )
order by requested_at asc, spend_id asc limit $5
