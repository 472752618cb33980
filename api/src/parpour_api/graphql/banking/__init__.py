"""Banks over GraphQL: statements, what became of their entries, and the lock that a restore puts on payments."""
