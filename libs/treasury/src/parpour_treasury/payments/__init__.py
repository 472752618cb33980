"""Payments: what is claimed is sent to its provider, looked up, and brought to a stated end, by any worker."""
