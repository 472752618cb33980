"""Why the internal API refuses, as values, and the HTTP status of each."""

from __future__ import annotations

from parpour_contracts.funding import Fault, FundingCode

_STATUS = {
    FundingCode.UNAUTHENTICATED: 401,
    FundingCode.FORBIDDEN: 403,
    FundingCode.MALFORMED: 400,
    FundingCode.VENTURE_UNKNOWN: 404,
    FundingCode.RESERVATION_UNKNOWN: 404,
    FundingCode.UNAVAILABLE: 503,
}
_UNAVAILABLE = frozenset({"TREASURY_UNAVAILABLE", "TREASURY_OVERLOADED"})
CONFLICT = 409


class Refused(Exception):
    """A request that is refused; `status` is the HTTP status."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.fault = Fault(code=code, message=message[:1024])

    @property
    def status(self) -> int:
        """HTTP status."""
        if self.fault.code in _UNAVAILABLE:
            return _STATUS[FundingCode.UNAVAILABLE]
        return next((status for code, status in _STATUS.items() if code == self.fault.code), CONFLICT)
