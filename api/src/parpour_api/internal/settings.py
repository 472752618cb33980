"""What the internal API needs to be told. It holds paths of secrets, never secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from parpour_api.settings import SettingsError
from parpour_contracts.funding import AUDIENCE

PREFIX = "PARPOUR_INTERNAL_"
IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class InternalSettings(BaseModel):
    """Settings of the internal API; the database and the key of contexts are those of the API around it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    """Address of its own listener; pods set 0.0.0.0."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8443
    """Port of its own listener."""
    certificate_file: Path
    """Certificate chain of the listener, PEM."""
    key_file: Path
    """Private key of the listener, PEM."""
    price_list_file: Path
    """The price list, JSON or YAML."""
    audience: Annotated[str, Field(min_length=1, max_length=253)] = AUDIENCE
    """Audience that callers' tokens are made for."""
    operator: Annotated[str, Field(pattern=r"^system:serviceaccount:[a-z0-9-]+:[a-z0-9.-]+$", max_length=253)]
    """The one account that is admitted, for example system:serviceaccount:parpour-system:parpour-operator."""
    kubernetes_url: Annotated[str, Field(pattern=r"^https://", max_length=1024)] = "https://kubernetes.default.svc"
    """Address of the Kubernetes API server, which reviews tokens."""
    kubernetes_ca_file: Path | None = IN_CLUSTER / "ca.crt"
    """Authority of the API server's certificate."""
    kubernetes_token_file: Path = IN_CLUSTER / "token"
    """This API's own token, which may create TokenReviews and nothing else."""


class ServiceSettings(InternalSettings):
    """Settings of the internal API as a process of its own, from environment variables with the prefix
    PARPOUR_INTERNAL_."""

    database: Annotated[str, Field(min_length=1, max_length=500)]
    """Address of PostgreSQL for the role parpour_app."""
    database_password_file: Path | None = None
    """File with the role's password; it wins over one in the address."""
    context_key_id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")] | None = None
    """Name of the key of contexts; by default the one that the installation gives it."""
    context_key_file: Path
    """File with that key, 32 bytes or more."""
    connections: Annotated[int, Field(ge=1, le=100)] = 4
    """Connections to the database."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """The settings of an environment.

        Raises:
            SettingsError: naming each that is missing, unknown or wrong, and no value.
        """
        values = {
            name.removeprefix(PREFIX).lower(): value for name, value in environ.items() if name.startswith(PREFIX)
        }
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
            raise SettingsError("; ".join(faults)) from None
