select spend_id, state, step, envelope_id, payee_id, provider, encode(fingerprint, 'hex') as fingerprint, currency::text, amount::bigint,
    settled::bigint, purpose, category, actor, person, rules_version, decision, quorum, digest, hold_id, code,
    provider_reference, requested_at, expires_at, changed_at, changed_by, submitted_at
from treasury.spend
where (requested_at, spend_id) > ($1, $2) and (requested_at, spend_id) < ($3, $4) and ($6::text is null or state = $6)
    and ($7::uuid is null or payee_id = $7) and ($8::uuid is null or envelope_id = $8) and ($9::text is null or actor = $9)
order by requested_at asc, spend_id asc limit $5
