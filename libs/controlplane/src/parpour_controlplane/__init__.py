"""What every service of parpour stands on: the database, its tenants, its migrations and its events.

PostgreSQL is the truth for money, identity and events. Nothing here knows what a journal or a simulation is.
"""

__version__ = "0.1.0"
