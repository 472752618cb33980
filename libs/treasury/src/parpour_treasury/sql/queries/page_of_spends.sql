select spend_id, state, step, envelope_id, payee_id, provider, encode(fingerprint, 'hex') as fingerprint, currency::text, amount::bigint,
    settled::bigint, purpose, category, actor, person, rules_version, decision, quorum, digest, hold_id, code,
    provider_reference, requested_at, expires_at, changed_at, changed_by, submitted_at
from treasury.spend
where (requested_at, spend_id) > ($1, $2) and (requested_at, spend_id) < ($3, $4)
    /* and what is wanted */
order by requested_at asc, spend_id asc limit $5
