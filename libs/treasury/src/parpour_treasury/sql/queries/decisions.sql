select d.number, d.decided_at, d.rules_version, d.asked::text, d.facts::text, d.answer::text, r.body::text
from treasury.decision d join treasury.rules r on r.tenant_id = d.tenant_id and r.version = d.rules_version
where d.spend_id = $1 order by d.number
