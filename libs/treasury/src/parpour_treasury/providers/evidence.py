"""Evidence for people: an answer as JSON without secrets and account numbers.

Four last digits of an account stay, because they are what people compare; everything that could be used stays out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

TEXT_LENGTH_MAX = 1000
ITEMS_MAX = 200
DEPTH_MAX = 12

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""JSON can say these, and no text of a database can hold them: whoever sent them would hinder what is recorded."""
_SECRET_NAMES = re.compile(r"secret|api_?key|apikey|password|authorization|access_?token|client_?secret", re.IGNORECASE)
_ACCOUNT_NAMES = re.compile(r"account_?number|iban|routing_?number|sort_?code|(^|_)pan$", re.IGNORECASE)
_SECRETS = re.compile(r"\b(?:sk|rk|pk)_(?:live|test)_[\w*]+|\bwhsec_[\w+/=]+|secret-token:\S+|Bearer\s+\S+")
_DIGITS = re.compile(r"(?<![\w-])\d(?:[ ]?\d){6,18}(?![\w-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b")


def storable(text: str) -> str:
    """A text that every database takes: NUL and halves of surrogate pairs become the mark of what cannot be shown."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _last_four(text: str) -> str:
    compact = text.replace(" ", "")
    return f"…{compact[-4:]}" if len(compact) > 4 else "…"


def masked_text(text: str) -> str:
    """A text without keys, tokens, IBANs and long runs of digits, cut to a bounded length."""
    text = _SECRETS.sub("[secret]", storable(text[: TEXT_LENGTH_MAX * 2]))
    text = _IBAN.sub(lambda match: _last_four(match.group()), text)
    return _DIGITS.sub(lambda match: _last_four(match.group()), text)[:TEXT_LENGTH_MAX]


def masked(value: Any, *, depth: int = 0) -> Any:
    """A JSON value without secrets and account numbers; too deep or too long parts are cut. Decimals become text."""
    if depth > DEPTH_MAX:
        return "…"
    if isinstance(value, Mapping):
        result: dict[str, Any] = {}
        for name, item in ((storable(str(name)), item) for name, item in list(value.items())[:ITEMS_MAX]):
            if item is not None and _SECRET_NAMES.search(name):
                result[name] = "[secret]"
            elif item is not None and _ACCOUNT_NAMES.search(name):
                result[name] = _last_four(storable(str(item)))
            else:
                result[name] = masked(item, depth=depth + 1)
        return result
    if isinstance(value, list | tuple):
        return [masked(item, depth=depth + 1) for item in value[:ITEMS_MAX]]
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, Decimal | float):
        return str(value)
    return masked_text(str(value))
