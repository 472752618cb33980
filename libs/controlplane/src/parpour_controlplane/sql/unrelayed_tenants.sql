select tenant_id from controlplane.chain_head where relayed < position
