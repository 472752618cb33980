-- What the payment worker's policies let it see: reservations that may be paid, payments under way, and courses that are due.
select tenant_id from treasury.spend where state in ('reserved', 'submitting')
union
select tenant_id from treasury.payment_course where next_at <= now()
