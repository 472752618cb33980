"""Ventures: their namespaces, and their binding to tenants of the treasury."""
