"""The processes beside the API: what seals, publishes, pays and sweeps, each with a role of its own in the database."""
