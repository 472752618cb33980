"""The issuer's published keys: read strictly, kept, and fetched anew when they may have changed.

A key's type decides the one algorithm that it verifies, so a token can never choose another: neither none nor an HMAC
over a public key. An unknown key id fetches the set anew, at most once in an interval, however many tokens name one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from parpour_api.errors import ApiError

ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""Of keys of RSA (2048 bits or more), P-256 and Ed25519, in this order."""

RSA_BITS_MIN = 2048
KEYS_MAX = 32
"""Keys of one set: a rotation has two or three."""
SET_BYTES_MAX = 128 * 1024
KID_MAX = 200

FRESH_SECONDS = 300.0
"""How long a set is used before it is fetched anew, so that a withdrawn key ends."""
UNKNOWN_SECONDS = 30.0
"""Least time between two fetches for key ids that are unknown, and after a fetch that failed."""
STALE_SECONDS = 3600.0
"""How long a set still serves while the issuer does not answer."""

Fetch = Callable[[], Awaitable[bytes]]
"""Gets the issuer's set as it is published; raises OSError if it cannot be had."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key and the one algorithm that it verifies."""

    kid: str
    algorithm: str
    key: RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


def algorithm_of(key: object) -> str | None:
    """The algorithm of a public key; None if we verify none with it."""
    if isinstance(key, RSAPublicKey):
        return "RS256" if key.key_size >= RSA_BITS_MIN else None
    if isinstance(key, EllipticCurvePublicKey):
        return "ES256" if isinstance(key.curve, SECP256R1) else None
    return "EdDSA" if isinstance(key, Ed25519PublicKey) else None


def read_keys(text: bytes) -> dict[str, VerifyingKey]:
    """The keys of a JSON Web Key Set (RFC 7517) that we can use, by id; others are passed over.

    Raises:
        ValueError: if it is no such set.
    """
    if len(text) > SET_BYTES_MAX:
        raise ValueError(f"more than {SET_BYTES_MAX} bytes")
    try:
        entries = json.loads(text)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("no JSON Web Key Set") from error
    if not isinstance(entries, list) or len(entries) > KEYS_MAX:
        raise ValueError(f"a set has up to {KEYS_MAX} keys")
    found = (_key(entry) for entry in entries if isinstance(entry, dict))
    return {one.kid: one for one in found if one is not None}


def _key(entry: Mapping[str, Any]) -> VerifyingKey | None:
    kid = entry.get("kid")
    if not isinstance(kid, str) or not 1 <= len(kid) <= KID_MAX or entry.get("use", "sig") != "sig" or "d" in entry:
        return None
    if entry.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    try:
        key = PyJWK.from_dict(dict(entry)).key
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    algorithm = algorithm_of(key)
    if algorithm is None or entry.get("alg", algorithm) != algorithm:
        return None
    return VerifyingKey(kid, algorithm, key)


class KeySet:
    """The issuer's keys, fetched when they are needed; one fetch at a time."""

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        """Monotonic, in seconds."""
        self._keys: dict[str, VerifyingKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._one = asyncio.Lock()

    async def key(self, kid: str) -> VerifyingKey:
        """The key of an id.

        Raises:
            ApiError: API_TOKEN_KEY_UNKNOWN or API_IDENTITY_UNAVAILABLE.
        """
        if self._must_fetch(kid):
            async with self._one:
                # Whoever waited finds what the one before has fetched.
                if self._must_fetch(kid):
                    await self._refresh()
        if self._fetched_at is None or self._clock() - self._fetched_at > STALE_SECONDS:
            raise ApiError("API_IDENTITY_UNAVAILABLE")
        try:
            return self._keys[kid]
        except KeyError:
            raise ApiError("API_TOKEN_KEY_UNKNOWN") from None

    def _must_fetch(self, kid: str) -> bool:
        now = self._clock()
        if self._tried_at is not None and now - self._tried_at < UNKNOWN_SECONDS:
            return False
        return self._fetched_at is None or kid not in self._keys or now - self._fetched_at >= FRESH_SECONDS

    async def _refresh(self) -> None:
        try:
            self._keys = read_keys(await self._fetch())
            self._fetched_at = self._clock()
        except (OSError, ValueError):
            pass
        finally:
            # Only now: whoever comes while the set is on its way waits for it.
            self._tried_at = self._clock()
