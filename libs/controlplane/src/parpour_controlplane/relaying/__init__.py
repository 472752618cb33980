"""Carries sealed events from the database to the bus, and finds out what is not there."""
