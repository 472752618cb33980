"""Settings of a worker: one frozen model from the environment. Secrets come as paths of files, never as values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

import httpx
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from parpour_api.settings import SettingsError
from parpour_treasury.providers.egress import is_loopback

PREFIX = "PARPOUR_WORKER_"
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class WorkerSettings(BaseModel):
    """What an installation decides; each part reads what concerns it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    database: Text
    """Address of PostgreSQL for the worker's role."""
    database_password_file: Path | None = None
    """File with the role's password."""
    context_key_file: Path
    """File with the key of the role's contexts, 32 bytes or more."""
    connections: Annotated[int, Field(ge=1, le=50)] = 4
    host: Text = "127.0.0.1"
    """Where /healthz and /metrics are answered; pods set 0.0.0.0."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 9090
    signing_key_files: tuple[Path, ...] = ()
    """Sealer: keys of checkpoints, oldest first, separated by commas."""
    checkpoints: Path | None = None
    """Sealer: folder of checkpoints, outside the database."""
    nats_url: Text = "nats://127.0.0.1:4222"
    """Relay: where events are published."""
    nats_user_file: Path | None = None
    nats_password_file: Path | None = None
    accounts: Path | None = None
    """Payments: folder of the tenants' accounts at providers."""
    tokens: Path | None = None
    """Payments: folder in which the workers that pay from a database keep what they have sent; never in its backup."""
    stripe_endpoint: Text | None = None
    """Payments: address of a double of Stripe, https or on loopback; live keys are not sent there."""
    mercury_endpoint: Text | None = None
    """Payments: address of a double of Mercury, https or on loopback; live keys are not sent there."""
    doubles_authority_file: Path | None = None
    """Payments: certificates (PEM) of the authority that vouches for doubles, and for nobody else."""

    @field_validator("stripe_endpoint", "mercury_endpoint")
    @classmethod
    def _where_a_double_is(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            url = httpx.URL(value)
        except httpx.InvalidURL:
            raise ValueError("no address") from None
        plain = url.scheme == "http" and is_loopback(url.host)
        secure = url.scheme == "https" and url.host and url.port is None
        if url.path not in {"", "/"} or url.userinfo or not (plain or secure):
            raise ValueError("https://HOST, or http:// and a loopback address")
        return value.rstrip("/")

    @property
    def doubles(self) -> dict[str, str]:
        """Addresses of doubles by the provider whom they stand for."""
        found = {"stripe": self.stripe_endpoint, "mercury": self.mercury_endpoint}
        return {name: address for name, address in found.items() if address is not None}

    @field_validator("signing_key_files", mode="before")
    @classmethod
    def _files_as_text(cls, value: object) -> object:
        return tuple(filter(None, value.split(","))) if isinstance(value, str) else value

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """The settings of an environment.

        Raises:
            SettingsError: if one is missing, unknown or wrong.
        """
        named = {name.removeprefix(PREFIX).lower(): text for name, text in environ.items() if name.startswith(PREFIX)}
        try:
            return cls.model_validate(named)
        except ValidationError as error:
            faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
            raise SettingsError("; ".join(faults)) from None
