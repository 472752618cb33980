"""Keys of the providers' accounts, by reference, from a folder of mounted secrets.

Only the payment worker has the folder. A reference is `tenant/name`; each secret is a file of its own whose mode lets
nobody but its owner and group read it. Values show in no `repr`, no error and no log.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

SECRET_BYTES_MAX = 4096
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_LIVE = re.compile(r"(?:sk|rk|pk)_live_")
_TEST = re.compile(r"(?:sk|rk|pk)_test_")
_MERCURY = "secret-token:mercury_"
_MERCURY_SANDBOX = "secret-token:mercury_sandbox_"


class CredentialUnavailable(Exception):
    """A secret cannot be used; the message names the reference and the reason, never the value."""


@dataclass(frozen=True)
class Secret:
    """A value that shows only when asked for by name."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """The value."""
        return self._value

    def __str__(self) -> str:
        return "[secret]"

    __repr__ = __str__


def is_live(key: str | Secret) -> bool:
    """Whether a key moves real money. What is not known to be a key for tests counts as live."""
    text = (key.reveal() if isinstance(key, Secret) else key).strip()
    if _LIVE.match(text):
        return True
    return not (_TEST.match(text) or text.startswith(_MERCURY_SANDBOX))


def looks_like_live_key(text: str) -> bool:
    """Whether a text is surely a provider's live key: what a development tool looks for before it refuses to start."""
    text = text.strip()
    return bool(_LIVE.match(text)) or (text.startswith(_MERCURY) and not text.startswith(_MERCURY_SANDBOX))


def read_secret(folder: Path, reference: str) -> Secret:
    """Reads `tenant/name` below a folder.

    Kubernetes mounts secrets as links within the folder; a link that leads out of it is refused.

    Raises:
        CredentialUnavailable: the reference is malformed, or its file is missing, outside the folder, open to others,
            empty or too long.
    """
    parts = reference.split("/")
    if len(parts) != 2 or not all(_PART.fullmatch(part) for part in parts):
        raise CredentialUnavailable("a reference of a secret is tenant/name")
    root = folder.resolve()
    try:
        path = root.joinpath(*parts).resolve(strict=True)
        tenant = root.joinpath(parts[0]).resolve(strict=True)
    except OSError:
        raise CredentialUnavailable(f"{reference}: no such secret") from None
    if not path.is_relative_to(tenant) or not tenant.is_relative_to(root):
        raise CredentialUnavailable(f"{reference}: it leads out of its tenant's folder")
    state = path.stat()
    if not stat.S_ISREG(state.st_mode) or state.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise CredentialUnavailable(f"{reference}: others can read it, or its group can write it")
    if state.st_size > SECRET_BYTES_MAX:
        raise CredentialUnavailable(f"{reference}: too long")
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise CredentialUnavailable(f"{reference}: it cannot be read") from None
    if not value or not value.isprintable():
        raise CredentialUnavailable(f"{reference}: it is empty or no line of text")
    return Secret(value)
