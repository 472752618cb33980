insert into controlplane.context_key as k (key_id, role, inner_pad, outer_pad, expires_at) values ($1, $2, $3, $4, $5)
on conflict (key_id) do update set expires_at = excluded.expires_at
where (k.role, k.inner_pad, k.outer_pad) = (excluded.role, excluded.inner_pad, excluded.outer_pad)
returning true
