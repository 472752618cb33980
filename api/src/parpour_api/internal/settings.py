"""What the internal API needs to be told. It holds paths of secrets, never secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from parpour_contracts.funding import AUDIENCE

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
