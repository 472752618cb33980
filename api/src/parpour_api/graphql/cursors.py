"""Cursors: where a page ended, as text that only this API can have made.

A cursor counts for one tenant and one list with its arguments. Anything else, forged or borrowed, is refused alike.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from uuid import UUID

from parpour_api.errors import ApiError

_TAG_BYTES = 16
CURSOR_MAX = 2000
"""Characters."""

Key = tuple[int | str, ...]
"""What the rows are ordered by."""


class Cursors:
    """Makes and reads cursors with a key of the installation."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hmac.digest(secret, b"parpour cursors", "sha256")

    def make(self, tenant: UUID, scope: str, key: Key) -> str:
        """The cursor of a row's key in a list."""
        body = json.dumps(key, separators=(",", ":")).encode()
        return _text(self._tag(tenant, scope, body) + body)

    def read(self, tenant: UUID, scope: str, cursor: str) -> Key:
        """The key of a cursor.

        Raises:
            ApiError: API_CURSOR_INVALID.
        """
        try:
            if len(cursor) > CURSOR_MAX:
                raise ValueError
            raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise ApiError("API_CURSOR_INVALID") from None
        tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        # The last character has bits that mean nothing: one row has one cursor all the same.
        if _text(raw) != cursor or not hmac.compare_digest(tag, self._tag(tenant, scope, body)):
            raise ApiError("API_CURSOR_INVALID")
        return tuple(json.loads(body))

    def _tag(self, tenant: UUID, scope: str, body: bytes) -> bytes:
        name = scope.encode()
        message = tenant.bytes + len(name).to_bytes(4, "big") + name + body
        return hmac.digest(self._secret, message, hashlib.sha256)[:_TAG_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
