"""Errors as a user of the command line meets them: a stable code, what is wrong, and how to put it right."""

from __future__ import annotations


class CliError(Exception):
    """Something that the user can mend. `exit_code` is 1 for the cluster's faults and 2 for wrong arguments."""

    def __init__(self, code: str, message: str, *, remedy: str = "", exit_code: int = 1) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.remedy = remedy
        self.exit_code = exit_code

    def document(self) -> dict[str, str]:
        """The error as the JSON object that `--json` prints."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}
