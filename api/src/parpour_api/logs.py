"""Log lines as JSON, one object a line: text of a caller stays inside its string, whatever it holds.

Secrets are taken out by the names of fields and by the form of values, because a message may quote what it was given.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

LOGGER = logging.getLogger("parpour_api")
AUDIT = logging.getLogger("parpour_api.audit")
"""One line for every mutation that was asked for, refused ones included."""

HIDDEN = "[redacted]"
VALUE_MAX = 2000
"""Characters of one value."""

_SECRET_NAMES = re.compile(
    r"authorization|token$|secret|password|passwd|cookie|credential|api_?key|private", re.IGNORECASE
)
_SECRET_VALUES = re.compile(
    r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)*"  # JSON Web Tokens, also broken ones
    r"|(?i:bearer|basic)\s+[A-Za-z0-9._~+/=-]+"
    r"|\b(?:sk|rk|whsec)_[A-Za-z0-9_]+"  # keys of payment providers
    r"|mercury_(?:production|sandbox)_[A-Za-z0-9_]+"
    r"|(?<=://)[^/@\s]+@"  # name and password of an address
    r"|\b[0-9a-f]{64}v1\|[^\s\"]*"  # contexts
)


def redacted(value: Any, name: str = "") -> Any:
    """A value without what nobody should read in a log."""
    if _SECRET_NAMES.search(name):
        return HIDDEN
    if isinstance(value, str):
        return _SECRET_VALUES.sub(HIDDEN, value[:VALUE_MAX])
    if isinstance(value, Mapping):
        return {str(key): redacted(one, str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(one) for one in value]
    if value is None or isinstance(value, bool | int):
        return value
    return redacted(str(value))


class JsonLines(logging.Formatter):
    """One JSON object a line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record; fields come in `extra={"fields": {…}}`."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            line.update(redacted(fields))
        if record.exc_info and record.exc_info[0]:
            line["error"] = redacted(self.formatException(record.exc_info)[-VALUE_MAX:])
        return json.dumps(line)


def log_to(stream: TextIO = sys.stderr, *, level: int = logging.INFO) -> None:
    """Let every logger of the process write JSON lines to a stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def line(logger: logging.Logger, level: int, message: str, **fields: Any) -> None:
    """Write one line with fields."""
    logger.log(level, message, extra={"fields": fields})
