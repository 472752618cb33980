select x.* from treasury.exception x
where x.account_id = $1 and (x.opened_at, x.exception_id) > ($2, $3) and (x.opened_at, x.exception_id) < ($4, $5)
    and x.state = any($6::text[])
order by x.opened_at asc, x.exception_id asc limit $7
