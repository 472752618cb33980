"""Keys and tokens of the development issuer. Time and ids are passed in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from jwt.algorithms import ECAlgorithm

ALGORITHM = "ES256"
TYPE = "at+jwt"
KEYS_MAX = 3
"""Keys that are published: the one that signs and those before it, so that a rotation cuts nobody off."""

LIFE_SECONDS_MAX = 24 * 3600


@dataclass(frozen=True)
class SigningKey:
    """A private key and its id."""

    kid: str
    private: EllipticCurvePrivateKey

    def public(self) -> dict[str, Any]:
        """Its public half as a JSON Web Key."""
        key: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(self.private.public_key()))
        return {**key, "kid": self.kid, "use": "sig", "alg": ALGORITHM}


class Issuer:
    """Signs tokens with its newest key."""

    def __init__(self, url: str, *, audience: str, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self.url = url
        self._audience = audience
        self._clock = clock
        self._new_id = new_id
        self._keys: list[SigningKey] = []
        self.rotate()

    def rotate(self) -> str:
        """Make a new key that signs from now on; returns its id. The one before stays published."""
        key = SigningKey(self._new_id(), generate_private_key(SECP256R1()))
        self._keys = [key, *self._keys][:KEYS_MAX]
        return key.kid

    def withdraw(self) -> None:
        """Publish the newest key alone."""
        del self._keys[1:]

    def keys(self) -> dict[str, Any]:
        """The JSON Web Key Set."""
        return {"keys": [key.public() for key in self._keys]}

    def discovery(self) -> dict[str, Any]:
        """What OpenID Connect Discovery says of the issuer."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "token_endpoint": f"{self.url}/token",
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }

    def token(self, asked: Mapping[str, Any]) -> str:
        """A token with the claims that were asked for: tenant, sub, roles, and optionally actor_kind, person, life.

        Raises:
            ValueError: if a field is missing, unknown or of another type.
        """
        fields = dict(asked)
        claims: dict[str, Any] = {}
        for name in ("tenant", "sub"):
            claims[name] = _text(fields.pop(name, None), name)
        for name in ("actor_kind", "person"):
            if name in fields:
                claims[name] = _text(fields.pop(name), name)
        roles = fields.pop("roles", None)
        if not isinstance(roles, list) or not all(isinstance(one, str) for one in roles):
            raise ValueError("roles: a list of texts")
        life = fields.pop("life", 3600)
        if type(life) is not int or not 1 <= life <= LIFE_SECONDS_MAX:
            raise ValueError(f"life: 1 to {LIFE_SECONDS_MAX} seconds")
        if fields:
            raise ValueError(f"unknown: {', '.join(sorted(map(str, fields)))}")
        now = int(self._clock())
        claims |= {
            "roles": roles,
            "iss": self.url,
            "aud": self._audience,
            "iat": now,
            "nbf": now,
            "exp": now + life,
            "auth_time": now,
            "jti": self._new_id(),
        }
        key = self._keys[0]
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid, "typ": TYPE})


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 200:
        raise ValueError(f"{name}: a text of 1 to 200 characters")
    return value
