-- What the sweeper's policies let it see: holds and requests that are due.
select tenant_id from treasury.hold where state = 'open' and expires_at <= now()
union
select tenant_id from treasury.spend where state = 'awaiting_approval' and expires_at <= now()
