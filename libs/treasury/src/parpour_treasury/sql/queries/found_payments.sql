select provider, reference, amount::bigint as amount, currency::text as currency, sent_at, correlation, journal, evidence,
    recorded_at, recorded_by
from treasury.found_payment
where (provider, reference) > ($1, $2) order by provider, reference limit $3
