"""Settings of the API: one frozen model, from a TOML file and the environment, which comes first.

A variable is the field's name in capitals behind PARPOUR_API_. The key of contexts comes as the path of a file that
holds it, so that it does not stand in an environment.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from parpour_api.identity.fetching import checked_url
from parpour_api.identity.principal import ClaimNames

PREFIX = "PARPOUR_API_"
CONFIG = f"{PREFIX}CONFIG"
"""The variable that names the TOML file."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Claim = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SettingsError(Exception):
    """Settings that cannot be used; the message names them and no value."""


def read_file(path: Path, name: str) -> bytes:
    """A file that a setting names.

    Raises:
        SettingsError: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{name}: {type(error).__name__}") from error


def read_password(path: Path | None) -> str | None:
    """The password in the file that `database_password_file` names; None without one.

    Raises:
        SettingsError: if it cannot be read.
    """
    return None if path is None else read_file(path, "database_password_file").decode().strip()


class Settings(BaseModel):
    """What an installation decides."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    database: Text
    """Address of PostgreSQL for the role parpour_app."""
    database_password_file: Path | None = None
    """File with the role's password; it wins over one in the address."""
    context_key_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")] | None = None
    """Id under which the database knows the key of contexts; by default the one that the installation gives it."""
    context_key_file: Path
    """File with the key of contexts, 32 bytes or more."""
    issuer: Text
    """Claim `iss` of the tokens that are taken."""
    audience: Text = "parpour"
    """Claim `aud`."""
    keys_url: Text
    """Where the issuer publishes its keys."""
    keys_ca_file: Path | None = None
    """PEM file of the authority that signed the certificate there; by default what is commonly trusted."""
    claim_tenant: Claim = ClaimNames.tenant
    """Claim that names the tenant, as a UUID."""
    claim_roles: Claim = ClaimNames.roles
    """Claim that lists the roles."""
    claim_kind: Claim = ClaimNames.kind
    """Claim that says user or agent; user, if it is not there."""
    claim_person: Claim = ClaimNames.person
    """Claim that names the human behind the account; the subject, if it is not there."""
    step_up: tuple[str, ...] = ()
    """Values of the claim `acr` with which a person may approve and confirm; any, if none is named."""
    revoked: tuple[str, ...] = ()
    """Actors, and ids of tokens, that are refused."""
    webhooks: Path | None = None
    """Folder with the endpoints of webhooks, and their secrets; without it none are taken."""

    host: Text = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port to listen on."""
    connections: Annotated[int, Field(ge=1, le=100)] = 8
    """Connections to the database of one process."""

    body_bytes_max: Annotated[int, Field(ge=1024, le=16 * 2**20)] = 256 * 1024
    """Bytes of a request's body."""
    request_seconds_max: Annotated[float, Field(gt=0, le=60)] = 25.0
    """Seconds until an answer begins; shorter than a context lives."""
    drain_seconds_max: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Seconds that a stop waits for what is in flight."""

    query_tokens_max: Annotated[int, Field(ge=10, le=20_000)] = 2_000
    """Tokens of a document."""
    query_depth_max: Annotated[int, Field(ge=2, le=100)] = 12
    """Levels of a document."""
    query_aliases_max: Annotated[int, Field(ge=0, le=1000)] = 30
    """Aliases of a document."""
    query_cost_max: Annotated[int, Field(ge=1, le=1_000_000)] = 2_000
    """Points of one operation."""
    page_max: Annotated[int, Field(ge=1, le=1000)] = 200
    """Items of a page."""
    introspection: bool = True
    """Whether the schema may be asked for."""
    persisted_file: Path | None = None
    """Operations that are listed, as JSON: SHA-256 in hexadecimal to text."""
    persisted_only: bool = False
    """Whether nothing but listed operations is carried out."""

    sockets_max: Annotated[int, Field(ge=0, le=10_000)] = 200
    """WebSockets of one process."""
    tenant_sockets_max: Annotated[int, Field(ge=0, le=10_000)] = 20
    """WebSockets of one tenant in one process."""
    socket_subscriptions_max: Annotated[int, Field(ge=1, le=100)] = 4
    """Subscriptions of one WebSocket."""
    socket_first_seconds_max: Annotated[float, Field(gt=0, le=60)] = 5.0
    """Seconds until a WebSocket says who it is."""
    socket_send_seconds_max: Annotated[float, Field(gt=0, le=600)] = 10.0
    """Seconds that a reader may take for one message."""
    socket_trust_seconds: Annotated[float, Field(gt=0, le=60)] = 2.0
    """Seconds between two looks whether the bearer was revoked."""
    origins: tuple[str, ...] = ()
    """Origins whose scripts may open WebSockets, as browsers name them."""

    principal_points_a_second: Annotated[int, Field(ge=1)] = 2_000
    """Points that refill for one caller."""
    principal_points_burst: Annotated[int, Field(ge=1)] = 10_000
    """Points that one caller may take at once."""
    tenant_points_a_second: Annotated[int, Field(ge=1)] = 10_000
    """Points that refill for all callers of a tenant."""
    tenant_points_burst: Annotated[int, Field(ge=1)] = 50_000
    """Points that they may take at once."""

    @field_validator("keys_url")
    @classmethod
    def _keys_over_tls(cls, value: str) -> str:
        return checked_url(value)

    @field_validator("revoked", "step_up", "origins", mode="before")
    @classmethod
    def _listed_as_text(cls, value: object) -> object:
        return tuple(filter(None, value.split(","))) if isinstance(value, str) else value

    @property
    def claim_names(self) -> ClaimNames:
        """Under what names the issuer writes its claims."""
        return ClaimNames(self.claim_tenant, self.claim_roles, self.claim_kind, self.claim_person, self.step_up)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """The settings of an environment and of the file that it names.

        Raises:
            SettingsError: if one is missing, unknown or wrong.
        """
        values: dict[str, Any] = {}
        if environ.get(CONFIG):
            try:
                values.update(tomllib.loads(Path(environ[CONFIG]).read_text(encoding="utf-8")))
            except (OSError, ValueError) as error:
                raise SettingsError(f"{CONFIG}: {type(error).__name__}") from error
        for name, value in environ.items():
            if name.startswith(PREFIX) and name != CONFIG:
                values[name.removeprefix(PREFIX).lower()] = value
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
            raise SettingsError("; ".join(faults)) from None
