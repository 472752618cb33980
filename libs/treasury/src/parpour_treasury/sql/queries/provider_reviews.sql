select review, provider, as_of, payments, unknown, digest, made_at, made_by
from treasury.provider_review where review > $1 and review < $2 order by review asc limit $3
