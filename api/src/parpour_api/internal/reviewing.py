"""Asks the Kubernetes API server whose a token is, and remembers the answer for less than a minute.

The audience is this API's own, so a token that a pod got for the API server or for anyone else is refused, and exactly
one ServiceAccount is admitted. Tokens are kept as digests alone.
Source: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from parpour_api.internal.faults import Refused
from parpour_contracts.funding import FundingCode

ADMITTED_SECONDS = 60.0
REFUSED_SECONDS = 5.0
"""Short, as a token may become valid, and so that a flood of one token does not reach the API server."""
KEPT_MAX = 1024
"""Refused tokens that are remembered, and likewise admitted ones: a flood of the first displaces none of the second."""
REVIEWS_MAX = 8
"""Reviews that the API server is asked for at a time, whoever asks here."""
TOKEN_MAX = 16_384
TIMEOUT_SECONDS = 5.0
PATH = "/apis/authentication.k8s.io/v1/tokenreviews"


@dataclass(frozen=True)
class Access:
    """How the API server is reached: its address, its authority, and this API's own token."""

    url: str
    ca_file: Path | None
    token_file: Path

    def client(self) -> httpx2.AsyncClient:
        """A client that trusts this authority alone."""
        trusted = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        timeout = httpx2.Timeout(TIMEOUT_SECONDS)
        return httpx2.AsyncClient(base_url=self.url, verify=trusted, timeout=timeout, trust_env=False)


class TokenReviewer:
    """Admits one ServiceAccount."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        *,
        token_file: Path,
        audience: str,
        username: str,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._token_file = token_file
        self._audience = audience
        self._username = username
        self._clock = clock
        self._admitted: OrderedDict[bytes, float] = OrderedDict()
        self._refused: OrderedDict[bytes, tuple[float, Refused]] = OrderedDict()
        self._reviews = asyncio.Semaphore(REVIEWS_MAX)

    async def admit(self, token: str) -> None:
        """Nothing, if the token is the operator's.

        Raises:
            Refused: FUNDING_UNAUTHENTICATED, FUNDING_FORBIDDEN, or FUNDING_UNAVAILABLE if nobody can say.
        """
        if not token or len(token) > TOKEN_MAX or not token.isascii():
            raise Refused(FundingCode.UNAUTHENTICATED, "no token, or none that could be one")
        digest = hashlib.sha256(token.encode()).digest()
        if self._admitted.get(digest, 0.0) > self._clock():
            return
        until, refused = self._refused.get(digest, (0.0, None))
        if refused is None or until <= self._clock():
            async with self._reviews:
                refused = self._remember(digest, await self._review(token))
        if refused is not None:
            raise refused

    def _remember(self, digest: bytes, verdict: Refused | None) -> Refused | None:
        self._admitted.pop(digest, None)
        self._refused.pop(digest, None)
        if verdict is None:
            self._admitted[digest] = self._clock() + ADMITTED_SECONDS
        else:
            self._refused[digest] = self._clock() + REFUSED_SECONDS, verdict
        for known in (self._admitted, self._refused):
            while len(known) > KEPT_MAX:
                known.popitem(last=False)
        return verdict

    async def _review(self, token: str) -> Refused | None:
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [self._audience]},
        }
        try:
            own = self._token_file.read_text(encoding="ascii").strip()
            answer = await self._client.post(PATH, json=body, headers={"Authorization": f"Bearer {own}"})
        except (OSError, UnicodeError, httpx2.HTTPError) as error:
            raise Refused(FundingCode.UNAVAILABLE, f"no token can be reviewed: {type(error).__name__}") from error
        if answer.status_code not in (200, 201):
            raise Refused(FundingCode.UNAVAILABLE, f"no token can be reviewed: status {answer.status_code}")
        return self._verdict(answer)

    def _verdict(self, answer: httpx2.Response) -> Refused | None:
        try:
            status: dict[str, Any] = answer.json()["status"]
            authenticated = status.get("authenticated") is True and self._audience in status.get("audiences", ())
            username = status.get("user", {}).get("username", "")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused(FundingCode.UNAVAILABLE, "the answer is no TokenReview") from error
        if not authenticated:
            return Refused(FundingCode.UNAUTHENTICATED, "the token is not valid for this audience")
        if username != self._username:
            return Refused(FundingCode.FORBIDDEN, "the token is another account's")
        return None
