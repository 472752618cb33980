-- A list of spends costs what its page has, by whatever one thing it is filtered. An agent's is always filtered: by itself.

create index of_actor on treasury.spend (tenant_id, actor, requested_at, spend_id);
create index of_payee on treasury.spend (tenant_id, payee_id, requested_at, spend_id);
create index of_envelope on treasury.spend (tenant_id, envelope_id, requested_at, spend_id);
create index of_state on treasury.spend (tenant_id, state, requested_at, spend_id);
