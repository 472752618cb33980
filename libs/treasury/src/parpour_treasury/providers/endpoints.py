"""Where providers send webhooks: endpoints, each with the tenant that it speaks for and the secrets that sign.

They come from a folder of mounted secrets of their own, which holds nothing that pays: whoever reads it can at most
make the payment worker look. An endpoint is a folder whose name is in its address; `endpoint.json` in it names the
tenant, the provider, and the files beside it that hold the secrets, two of them while they are exchanged.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, ValidationError, field_validator

from parpour_contracts.model import Document
from parpour_treasury.providers.credentials import CredentialUnavailable, Secret, read_secret
from parpour_treasury.providers.port import Hint
from parpour_treasury.providers.webhooks import parse_mercury, parse_stripe

NAME = "endpoint.json"
NIL = UUID(int=0)
HEADERS = {"stripe": "stripe-signature", "mercury": "mercury-signature"}
"""Which header bears the signature, by provider."""
_ENDPOINT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)

logger = logging.getLogger(__name__)


class EndpointFile(Document):
    """What `endpoint.json` says."""

    tenant: UUID
    provider: Literal["stripe", "mercury"]
    secrets: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")], ...],
        Field(min_length=1, max_length=4),
    ]

    @field_validator("tenant")
    @classmethod
    def _somebody(cls, value: UUID) -> UUID:
        if value == NIL:
            raise ValueError("no tenant")
        return value


@dataclass(frozen=True)
class Endpoint:
    """Where one provider sends what it has to tell about one tenant."""

    tenant: UUID
    provider: Literal["stripe", "mercury"]
    secrets: Sequence[Secret]

    def parse(self, body: bytes, header: str, *, now: datetime) -> Hint:
        """What a body tells.

        Raises:
            WebhookRefused: one of `webhooks.REASONS`.
        """
        parse = parse_stripe if self.provider == "stripe" else parse_mercury
        return parse(body, header, self.secrets, now=now)


class MountedEndpoints:
    """Endpoints of every tenant; files are read anew each time, so that an exchange of secrets takes effect at once."""

    def __init__(self, folder: Path | None) -> None:
        """Without a folder there are no endpoints."""
        self._folder = folder

    def find(self, name: str) -> Endpoint | None:
        """The endpoint of a name; None if there is none, or it cannot be read."""
        if self._folder is None or not _ENDPOINT.fullmatch(name):
            return None
        path = self._folder / name / NAME
        if not path.is_file():
            return None
        try:
            described = EndpointFile.from_json(path.read_bytes())
            secrets = [read_secret(self._folder, f"{name}/{secret}") for secret in described.secrets]
        except (ValidationError, OSError, CredentialUnavailable) as error:
            reason = str(error) if isinstance(error, CredentialUnavailable) else type(error).__name__
            logger.warning("webhook endpoint %s cannot be read: %s", name, reason)
            return None
        return Endpoint(described.tenant, described.provider, secrets)
