"""Verifies bearer tokens: signed JWTs (RFC 7519, RFC 9068) of one issuer for one audience.

Times are compared with a clock that is passed in, and everything about a token is bounded before it is looked at.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from parpour_api.errors import ApiError
from parpour_api.identity.keys import ALGORITHMS, KID_MAX, KeySet, VerifyingKey
from parpour_api.identity.principal import ClaimNames, Principal, principal_of, seconds

TOKEN_MAX = 8192
"""Characters of a token."""

LEEWAY_SECONDS = 30
"""By how much the issuer's clock may differ from ours."""

LIFE_SECONDS_MAX = 24 * 3600
"""Longest life of a token."""

VERIFIED_MAX = 4096
"""Tokens whose verification is remembered."""

TYPES = ("at+jwt", "application/at+jwt", "jwt")
"""Headers `typ`, in lower case: an id token or a logout token is no access token where the issuer tells them apart."""

_REFUSALS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.InvalidIssuerError, "API_TOKEN_ISSUER"),
    (jwt.InvalidAudienceError, "API_TOKEN_AUDIENCE"),
    (jwt.MissingRequiredClaimError, "API_TOKEN_CLAIMS"),
    (jwt.InvalidSignatureError, "API_TOKEN_SIGNATURE"),
    (jwt.InvalidAlgorithmError, "API_TOKEN_ALGORITHM"),
    (jwt.PyJWTError, "API_TOKEN_MALFORMED"),
)


class Revocations(Protocol):
    """Knows who was revoked before the token said so."""

    async def revoked(self, principal: Principal) -> bool:
        """Whether the principal's token or account was revoked."""
        ...


@dataclass(frozen=True)
class RevokedList:
    """Actors and ids of tokens that the installation's settings revoke."""

    entries: frozenset[str] = frozenset()

    async def revoked(self, principal: Principal) -> bool:
        """Whether the actor or the token's id is on the list."""
        return principal.actor in self.entries or (principal.token_id or "") in self.entries


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token whose signature and claims were verified; its times are looked at each time."""

    key: VerifyingKey
    claims: Mapping[str, Any]
    principal: Principal


class TokenVerifier:
    """Turns bearer tokens into principals. A signature is verified once for each token and key."""

    def __init__(
        self,
        keys: KeySet,
        *,
        issuer: str,
        audience: str,
        revocations: Revocations,
        clock: Callable[[], float],
        names: ClaimNames | None = None,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._revocations = revocations
        self._clock = clock
        """Seconds of the epoch."""
        self._names = names or ClaimNames()
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

    async def of_headers(self, headers: Sequence[str]) -> Principal:
        """The principal of a request's Authorization headers, of which there is one.

        Raises:
            ApiError: API_TOKEN_…, or API_IDENTITY_UNAVAILABLE.
        """
        if len(headers) > 1:
            # Whatever stands before this may have looked at another one of them.
            raise ApiError("API_TOKEN_MALFORMED", "one Authorization header a request")
        return await self.of_header(headers[0] if headers else None)

    async def of_header(self, header: str | None) -> Principal:
        """The principal of an Authorization header.

        Raises:
            ApiError: API_TOKEN_…, or API_IDENTITY_UNAVAILABLE.
        """
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise ApiError("API_TOKEN_MISSING")
        return await self.verify(token.strip())

    async def verify(self, token: str) -> Principal:
        """The principal of a token.

        Raises:
            ApiError: API_TOKEN_…, or API_IDENTITY_UNAVAILABLE.
        """
        known = self._verified.get(token)
        # A set that was fetched anew has new keys, so what an old one has verified is verified again.
        if known is None or await self._keys.key(known.key.kid) is not known.key:
            known = await self._verify(token)
            self._verified[token] = known
            if len(self._verified) > VERIFIED_MAX:
                self._verified.popitem(last=False)
        check_times(known.claims, now=self._clock())
        if await self._revocations.revoked(known.principal):
            raise ApiError("API_TOKEN_REVOKED")
        return known.principal

    async def _verify(self, token: str) -> _Verified:
        header = read_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise ApiError("API_TOKEN_ALGORITHM")
        key = await self._keys.key(header["kid"])
        if key.algorithm != header["alg"]:
            raise ApiError("API_TOKEN_ALGORITHM")
        try:
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                issuer=self._issuer,
                audience=self._audience,
                options={
                    "require": ["iss", "aud", "exp", "iat", "sub"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "verify_jti": False,
                    "verify_sub": False,
                },
            )
        except jwt.PyJWTError as error:
            raise ApiError(next(code for kind, code in _REFUSALS if isinstance(error, kind))) from None
        except RecursionError:
            raise ApiError("API_TOKEN_MALFORMED") from None
        check_times(claims, now=self._clock())
        return _Verified(key, claims, principal_of(claims, self._names))


def read_header(token: str) -> Mapping[str, Any]:
    """A token's header, with a key id and a type that can be one.

    Raises:
        ApiError: API_TOKEN_MALFORMED.
    """
    if len(token) > TOKEN_MAX or not token.isascii():
        raise ApiError("API_TOKEN_MALFORMED")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError):
        raise ApiError("API_TOKEN_MALFORMED") from None
    kid, kind = header.get("kid"), header.get("typ")
    if not isinstance(kid, str) or not 1 <= len(kid) <= KID_MAX:
        raise ApiError("API_TOKEN_MALFORMED", "the token names no key")
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise ApiError("API_TOKEN_MALFORMED", "this is no access token")
    if "crit" in header:
        raise ApiError("API_TOKEN_MALFORMED", "the token asks for extensions")
    return header


def check_times(claims: Mapping[str, Any], *, now: float) -> None:
    """Refuse a token that is not of this time.

    Raises:
        ApiError: API_TOKEN_EXPIRED, API_TOKEN_FUTURE or API_TOKEN_CLAIMS.
    """
    expires, issued = seconds(claims, "exp"), seconds(claims, "iat")
    begins = seconds(claims, "nbf") if "nbf" in claims else issued
    if now >= expires + LEEWAY_SECONDS or expires - issued > LIFE_SECONDS_MAX:
        raise ApiError("API_TOKEN_EXPIRED")
    if max(issued, begins) > now + LEEWAY_SECONDS:
        raise ApiError("API_TOKEN_FUTURE")
