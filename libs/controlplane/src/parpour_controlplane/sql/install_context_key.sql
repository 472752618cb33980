insert into controlplane.context_key (key_id, role, inner_pad, outer_pad, expires_at) values ($1, $2, $3, $4, $5)
