select tenant_id, relayed from controlplane.chain_head where relayed < position
