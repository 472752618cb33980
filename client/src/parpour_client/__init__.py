"""A typed client of the tenant API: one method an operation, answers as values, refusals as values of their own."""

from parpour_client.generated import Client
from parpour_client.transport import ApiError, Refused, accepted

__all__ = ["ApiError", "Client", "Refused", "accepted"]
