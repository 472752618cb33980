"""The errors a user of the dev cluster can meet, each with a stable code and the step that mends it.

One class with a code rather than a class per error: the caller prints them, nobody branches on more than the code.
"""

from __future__ import annotations


class DevclusterError(Exception):
    """A dev cluster could not do what was asked.

    Args:
        code: stable name of the error, for scripts.
        message: what is wrong, naming the thing that is wrong.
        remedy: what to do about it, as a command where there is one.
    """

    def __init__(self, code: str, message: str, *, remedy: str) -> None:
        super().__init__(f"{code}: {message}. {remedy}")
        self.code = code
        self.message = message
        self.remedy = remedy
