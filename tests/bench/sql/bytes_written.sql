select sum(pg_total_relation_size(c.oid))::bigint as stored, pg_current_wal_insert_lsn() - '0/0'::pg_lsn as logged
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('controlplane', 'treasury') and c.relkind = 'r'
