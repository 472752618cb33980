select event_id, type, subject, payload::text from controlplane.event
where type like 'treasury.account.%' or type like 'treasury.journal.%' or type like 'treasury.hold.%'
-- What one batch writes touches no hold twice; a clock that was set back may give two batches the same time.
order by occurred_at, case type when 'treasury.hold.placed' then 0 when 'treasury.hold.settled' then 1 else 2 end
