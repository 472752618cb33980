"""Ways to pay: one port, an adapter for each provider, and doubles of the providers to test against."""
