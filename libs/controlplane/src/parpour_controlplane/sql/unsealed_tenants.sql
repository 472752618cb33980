-- Who has events without a place, or blocks without a checkpoint whose sealer is gone.
select tenant_id from controlplane.unsealed where transaction < pg_snapshot_xmin(pg_current_snapshot())
union
select tenant_id from controlplane.chain_head where signed < blocks and held_until <= clock_timestamp()
