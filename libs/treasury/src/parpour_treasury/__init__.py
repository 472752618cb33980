"""The ledger of every venture: accounts, journals, holds and balances.

PostgreSQL decides and keeps; what stands here makes commands from what people write, sends many of them in one
transaction, and reads the answers.
"""

from parpour_controlplane.migrations import CONTROL_PLANE, read_migrations

__version__ = "0.1.0"

MIGRATIONS = CONTROL_PLANE + read_migrations("treasury", "parpour_treasury")
"""Everything that the treasury needs in its database."""
