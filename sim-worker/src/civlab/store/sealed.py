"""Canonical JSON, its hash, and sealed documents.

Whatever names other bytes (a run document, a checkpoint, a manifest) carries the BLAKE3 hash of its own canonical
form: a flipped bit in it is then found when it is read, not when a digest comes out wrong hours later.
"""

from __future__ import annotations

import json
from typing import Any

from blake3 import blake3

from civlab.errors import CivlabError


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces. Floats are refused with ValueError: they have no one text."""
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def seal(document: dict[str, Any], *, readable: bool = False) -> bytes:
    """The document as JSON with one more field, `seal`: the hash of all the others.

    `readable` indents it, for documents that people open; it costs a while on long ones.
    """
    sealed = {**document, "seal": blake3(canonical_json(document)).hexdigest()}
    text = json.dumps(sealed, sort_keys=True, indent=1 if readable else None, ensure_ascii=False)
    return text.encode() + b"\n"


def unseal(data: bytes, *, address: str) -> dict[str, Any]:
    """The document without its seal. Raises CivlabError STORE_OBJECT_DAMAGED when the seal does not hold."""
    try:
        document = json.loads(data)
        stated = document.pop("seal")
        true = blake3(canonical_json(document)).hexdigest()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        stated, true = None, ""
    if stated != true:
        raise CivlabError("STORE_OBJECT_DAMAGED", address, "its seal does not hold: the file was changed or cut short")
    return dict(document)


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError("a canonical document holds no floating-point number")
    if isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
