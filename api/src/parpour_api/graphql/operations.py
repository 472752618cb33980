"""Listed operations: documents that were agreed upon beforehand, by the SHA-256 of their text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parpour_api.errors import ApiError

_DIGEST = re.compile(r"[0-9a-f]{64}")


def digest_of(text: str) -> str:
    """What a document is listed under."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Operations:
    """The list, and whether nothing else is carried out."""

    by_digest: Mapping[str, str] = field(default_factory=dict)
    only: bool = False

    @classmethod
    def read(cls, path: Path | None, *, only: bool) -> Operations:
        """The list of a file: a JSON object of digests and texts.

        Raises:
            ValueError: if it is no such file, or a text is listed under another's digest.
        """
        listed = {} if path is None else json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(listed, dict):
            raise ValueError("listed operations are one JSON object")
        for digest, text in listed.items():
            if not isinstance(text, str) or digest_of(text) != digest:
                raise ValueError(f"what is listed as {digest!r} is another document")
        return cls(listed, only)

    def text(self, query: str | None, extensions: Mapping[str, Any]) -> str:
        """The document of a request, which gives its text, its digest, or both.

        Raises:
            ApiError: API_OPERATION_UNKNOWN, API_OPERATION_NOT_LISTED or API_BODY_MALFORMED.
        """
        digest = _digest_in(extensions)
        if digest is None:
            if query is None:
                raise ApiError("API_BODY_MALFORMED", "a request has a query, or the digest of a listed one")
            if self.only and digest_of(query) not in self.by_digest:
                raise ApiError("API_OPERATION_NOT_LISTED")
            return query
        if digest not in self.by_digest:
            raise ApiError("API_OPERATION_UNKNOWN", "no listed operation has this digest")
        if query is not None and digest_of(query) != digest:
            raise ApiError("API_BODY_MALFORMED", "the digest is another document's")
        return self.by_digest[digest]


def _digest_in(extensions: Mapping[str, Any]) -> str | None:
    asked = extensions.get("persistedQuery")
    if asked is None:
        return None
    digest = asked.get("sha256Hash") if isinstance(asked, dict) else None
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise ApiError("API_BODY_MALFORMED", "extensions.persistedQuery.sha256Hash is 64 hexadecimal digits")
    return digest
