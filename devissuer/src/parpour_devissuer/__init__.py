"""Issues tokens for development. It gives anybody any role, so it is no part of what runs in production.

It listens on this machine alone, and refuses to start where it sees live keys of a payment provider.
"""
