"""What a store's error says, in words that may be printed.

The client's own messages quote the request and the server's whole answer, which for S3 can hold the access key's
name; only the status and the server's code and message are kept, and known secrets are blanked in what remains, as
are the query strings of addresses.
"""

from __future__ import annotations

import os
import re

from obstore.exceptions import (
    InvalidPathError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)

from civlab.redacting import without_address_secrets

REFUSALS = (
    PermissionDeniedError,
    UnauthenticatedError,
    NotSupportedError,
    InvalidPathError,
    UnknownConfigurationKeyError,
    PermissionError,
    NotADirectoryError,
    IsADirectoryError,
)
SECRETS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SESSION_TOKEN",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_MASTER_KEY",
    "AZURE_STORAGE_SAS_KEY",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
)
_STATUS = re.compile(r"status(?: code:)? (\d{3} [A-Za-z ]+)")
_CODE = re.compile(r"<Code>([^<]{1,80})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,200})</Message>")
_NO_RETRY = re.compile(
    r"status(?: code:)? 4(0[0-7]|1\d|2[0-8])|no such host|credential|builder error|relative URL", re.IGNORECASE
)


def is_refusal(fault: Exception) -> bool:
    """Whether asking again would be in vain: the store answered no, or the request cannot be made."""
    return isinstance(fault, REFUSALS) or _NO_RETRY.search(str(fault)) is not None or "os error" in str(fault).lower()


def cause(fault: Exception) -> str:
    """One line that says why, without credentials."""
    text = str(fault)
    parts = [found.group(1).strip() for pattern in (_STATUS, _CODE, _MESSAGE) if (found := pattern.search(text))]
    line = ": ".join(parts) if parts else text.split("Debug source")[0]
    line = without_address_secrets(" ".join(line.split()))
    for name in SECRETS:
        value = os.environ.get(name)
        if value:
            line = line.replace(value, "…")
    return line[:240] or type(fault).__name__  # cut last, as half a secret would not be known for one
