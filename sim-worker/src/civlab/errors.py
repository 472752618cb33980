"""The one exception that civlab shows to its user.

Every bad input and every refused resource becomes a `CivlabError` with a stable code, the path of the field or
file at fault and what to do about it; the command line prints exactly that, and `--json` carries the same three
fields. Faults of the program itself are left to be ordinary exceptions, so that they keep their traceback.
"""

from __future__ import annotations


class CivlabError(Exception):
    """Something the user can mend.

    `code` is a stable SCREAMING_SNAKE name, `path` the field, option or file at fault ("" when there is none),
    `message` says what is wrong and how to put it right.
    """

    def __init__(self, code: str, path: str, message: str) -> None:
        super().__init__(f"{code} at {path}: {message}" if path else f"{code}: {message}")
        self.code = code
        self.path = path
        self.message = message

    def document(self) -> dict[str, str]:
        """The error as the JSON object that every verb prints under `--json`."""
        return {"code": self.code, "path": self.path, "message": self.message}
