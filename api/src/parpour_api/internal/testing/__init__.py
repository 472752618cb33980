"""Doubles and openings for tests of the internal API and of who speaks to it."""
