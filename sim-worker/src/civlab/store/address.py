"""From an address to a store.

A plain path is a local folder; `s3://`, `gs://` and `az://` go to the object stores, whose credentials come from the
environment alone: an address with a user or a password in it is refused, since addresses are printed and logged.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, MemoryStore, S3Store

from civlab.errors import CivlabError
from civlab.redacting import without_address_secrets
from civlab.store.failures import cause
from civlab.store.objects import Store

SCHEMES = ("file", "memory", "s3", "gs", "az")


def open_store(address: str | Path, *, create: bool = False) -> Store:
    """The store at `address`, a path or a URL.

    With `create` a local folder is made; without it, a folder that does not exist is STORE_NOT_FOUND. Raises
    CivlabError STORE_ADDRESS_WRONG for an address that no store has, and STORE_REFUSED for one that cannot be opened.
    """
    text = str(address)
    if "://" not in text:
        return _local(Path(text), create=create)
    try:
        parts = urlsplit(text)
    except ValueError as fault:
        raise CivlabError("STORE_ADDRESS_WRONG", without_address_secrets(text), f"is not a URL: {fault}") from None
    if parts.username is not None or parts.password is not None:
        raise CivlabError(
            "STORE_ADDRESS_WRONG",
            f"{parts.scheme}://…",
            "holds credentials; give them in the environment (AWS_ACCESS_KEY_ID, …), never in an address",
        )
    if parts.query or parts.fragment or parts.scheme not in SCHEMES:
        raise CivlabError(
            "STORE_ADDRESS_WRONG",
            without_address_secrets(text),
            f"is not a store address; use a path or one of {', '.join(f'{name}://' for name in SCHEMES)}, "
            "without ? or #",
        )
    if parts.scheme == "file":
        return _local(Path(parts.path), create=create)
    if parts.scheme == "memory":
        return Store(MemoryStore(), text)
    if not parts.netloc:
        raise CivlabError("STORE_ADDRESS_WRONG", text, "names no bucket")
    return _remote(text, parts.scheme)


def _local(folder: Path, *, create: bool) -> Store:
    folder = folder.absolute()
    if not create and not folder.is_dir():
        raise CivlabError("STORE_NOT_FOUND", str(folder), "there is no such folder; was the run written elsewhere?")
    try:
        return Store(LocalStore(folder, mkdir=create, automatic_cleanup=True), str(folder), folder=folder)
    except (BaseError, OSError) as fault:
        raise CivlabError("STORE_REFUSED", str(folder), f"cannot be used as a folder: {cause(fault)}") from None


def _remote(url: str, scheme: str) -> Store:
    retries = {
        "max_retries": 4,
        "retry_timeout": timedelta(seconds=60),
        "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5)},
    }
    endpoints = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT")
    plain = any(os.environ.get(name, "").startswith("http://") for name in endpoints)
    options = {"allow_http": plain, "timeout": timedelta(seconds=60), "connect_timeout": timedelta(seconds=5)}
    kind = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}[scheme]
    try:
        store = kind.from_url(url, client_options=options, retry_config=retries)  # type: ignore[attr-defined]
    except BaseError as fault:
        raise CivlabError("STORE_REFUSED", url, f"cannot be opened: {cause(fault)}") from None
    return Store(store, url.rstrip("/"))
