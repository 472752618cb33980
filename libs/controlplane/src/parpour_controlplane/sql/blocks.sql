select tenant_id, number, first, count, root, previous, sealed_at, hash
from controlplane.block where number > $1 and number <= $2 order by number limit $3
