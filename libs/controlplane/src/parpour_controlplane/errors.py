"""Errors as values: one stable code each, and a message for people that names the remedy."""

from __future__ import annotations


class ControlPlaneError(Exception):
    """Something that a caller can tell apart by its code, for example DATABASE_UNAVAILABLE."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        """Stable code."""
        self.message = message
        """For people: what is wrong and what to do."""


CONTEXT_CODES = ("CONTEXT_MISSING", "CONTEXT_REFUSED", "CONTEXT_EXPIRED")
"""With what the database refuses a transaction that is nobody's."""


class MigrationError(ControlPlaneError):
    """The schema cannot be brought to what the program needs."""


class EmbeddedError(ControlPlaneError):
    """An embedded server cannot be had or does not start."""
