select b.account_id, b.identification, b.since, b.bound_at, b.bound_by, a.currency::text as currency
from treasury.bank_account b
join treasury.account a on a.tenant_id = b.tenant_id and a.account_id = b.account_id
where $1::bigint is null or b.account_id = $1
order by b.account_id
