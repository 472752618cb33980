"""The pod entry point: one shard of a run, its collection, or its erasure, told by files and environment.

This is the only place of civlab that knows of Kubernetes and NATS. The bus is a courtesy (work goes on without it),
the store is not (without it the pod ends with a code that counts as a failure).
"""
