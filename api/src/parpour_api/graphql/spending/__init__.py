"""Spending in the schema: what the venture's authority keeps, and what can be asked of it."""
