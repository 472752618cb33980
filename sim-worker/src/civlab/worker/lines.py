"""Log lines on standard output: plain for people, JSON for collectors.

Credentials are blanked in every line here, at the one place through which all lines go, because exceptions of other
libraries may quote what they were given.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from civlab.worker.ending import without_secrets


class _Plain(logging.Formatter):
    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__()
        self._environment = environment

    def format(self, record: logging.LogRecord) -> str:
        text = f"{_instant(record)} {record.levelname:<7} {record.getMessage()}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return without_secrets(text, self._environment)


class _Json(_Plain):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": _instant(record),
            "level": record.levelname.lower(),
            "message": without_secrets(record.getMessage(), self._environment),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["trace"] = without_secrets(self.formatException(record.exc_info), self._environment)
        return json.dumps(line, ensure_ascii=False)


def _instant(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def start_lines(*, as_json: bool, environment: Mapping[str, str]) -> None:
    """Send the log to standard output, one line an event; other libraries only from warnings on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Json(environment) if as_json else _Plain(environment))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("civlab").setLevel(logging.INFO)
    logging.getLogger("nats").setLevel(logging.CRITICAL)
