"""What every event of the treasury says: a model each, which a test holds to whatever the database wrote.

An event of a type that is not declared here would be one that no reader understands, so a test looks for all types that
the SQL can write.
"""

from parpour_treasury.eventtypes.banking import DISPATCH, RECONCILIATION, STATEMENTS
from parpour_treasury.eventtypes.governing import CHANGES, STOPS
from parpour_treasury.eventtypes.ledger import LEDGER
from parpour_treasury.eventtypes.reserving import RESERVATIONS
from parpour_treasury.eventtypes.spending import PAYMENTS, SPENDS

AREAS = {
    "Ledger": LEDGER,
    "Spends": SPENDS,
    "Payments": PAYMENTS,
    "Rules and whatever else two people change": CHANGES,
    "Stops": STOPS,
    "Statements": STATEMENTS,
    "Reconciliation": RECONCILIATION,
    "Dispatch after a restore": DISPATCH,
    "Namespaces and reservations": RESERVATIONS,
}
"""Types by what they are about."""

EVENT_TYPES = tuple(one for types in AREAS.values() for one in types)
"""All of them."""
