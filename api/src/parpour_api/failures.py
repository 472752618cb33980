"""What an exception is to a caller: a code that the catalogue knows, and words that tell nothing of the inside."""

from __future__ import annotations

from parpour_api.errors import CATALOGUE, ApiError
from parpour_controlplane.database import is_transient
from parpour_controlplane.errors import ControlPlaneError
from parpour_treasury.refusals import TreasuryError


def code_of(error: BaseException) -> tuple[str, str]:
    """Code and detail of an exception; API_INTERNAL for what nobody foresaw."""
    if isinstance(error, ApiError | TreasuryError):
        return error.code, error.detail
    if isinstance(error, ControlPlaneError) and error.code in CATALOGUE:
        return error.code, CATALOGUE[error.code].explanation
    if is_transient(error):
        return "DATABASE_UNAVAILABLE", CATALOGUE["DATABASE_UNAVAILABLE"].explanation
    return "API_INTERNAL", CATALOGUE["API_INTERNAL"].explanation


def as_api_error(error: BaseException) -> ApiError:
    """The exception as a refusal of the whole request."""
    return error if isinstance(error, ApiError) else ApiError(*code_of(error))
