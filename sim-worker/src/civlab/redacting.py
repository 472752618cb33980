"""Cuts out of a text what an address may carry and nobody should read: a user and password, and the query string.

A presigned address holds its signature in the query (SAS, X-Amz-Signature), and clients quote the whole address in
their errors. Which parameter is secret differs from store to store, so the query goes as a whole.
"""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(r"//[^/@\s]+@")
_QUERY = re.compile(
    r"""(://[^\s?"<>]*\?|\?(?=[\w.%~-]+=))  # of an address, or of a path alone if it looks like one
        [^\s"<>]*?
        (?=[)\]}'.,;:]*(?:[\s"<>]|$))       # the sentence's own punctuation stays""",
    re.VERBOSE,
)


def without_address_secrets(text: str) -> str:
    """The text with user, password and query string of every address in it replaced by "…"."""
    return _QUERY.sub(r"\1…", _CREDENTIALS.sub("//…@", text))
