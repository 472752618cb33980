"""Fetches the issuer's keys over HTTP, and trusts nothing of the answer but its size and its status."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from parpour_api.identity.keys import SET_BYTES_MAX, Fetch

TIMEOUT_SECONDS = 5.0
_HEADERS = {"accept": "application/json", "accept-encoding": "identity"}
"""Nothing is unpacked: a few bytes that become many would be counted too late."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def checked_url(url: str) -> str:
    """The address, if keys may come from there: over TLS, or from this machine.

    Raises:
        ValueError: if not.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("keys come over https, or over http from this machine")
    return url


def fetching(url: str, *, authority: Path | None = None) -> Fetch:
    """What fetches the key set of an address, whose certificate `authority` has signed if one is given.

    Raises:
        OSError: if the authority's file cannot be read, or holds none.
    """
    checked_url(url)
    trusted = ssl.create_default_context(cafile=str(authority)) if authority is not None else True

    async def fetch() -> bytes:
        try:
            async with (
                httpx.AsyncClient(
                    verify=trusted, timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
                ) as client,
                client.stream("GET", url, headers=_HEADERS) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise OSError(f"status {response.status_code}")
                body = b""
                async for chunk in response.aiter_raw():
                    body += chunk
                    if len(body) > SET_BYTES_MAX:
                        raise OSError("the key set is too large")
                return body
        except httpx.HTTPError as error:
            raise OSError(f"{type(error).__name__}: {error}") from error

    return fetch
