"""All settings of the operator, read once from environment variables with the prefix `PARPOUR_`.

One frozen model instead of flags scattered over modules: what the operator does is a function of the cluster and of
this value, and `--print-settings` shows it whole. It holds paths of credentials, never credentials.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from parpour_operator.quantities import parse_quantity

PREFIX = "PARPOUR_"


class SettingsError(ValueError):
    """A setting is missing or wrong; the message names each variable and what it should be."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _quantity(value: object) -> object:
    return int(parse_quantity(value)) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Bytes = Annotated[int, BeforeValidator(_quantity), Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Port = Annotated[int, Field(ge=0, le=65_535)]


class Settings(BaseModel):
    """What an installation decides. Durations are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    namespace: Annotated[str, Field(min_length=1, max_length=63)] = "parpour-system"
    """Namespace of the operator itself; its Lease stands there."""
    identity: Annotated[str, Field(min_length=1, max_length=253)]
    """Name under which this process holds the Lease: the pod's name, so that a restarted container goes on at once."""
    watch_namespaces: Names = ()
    """Namespaces to serve, separated by commas; empty serves the whole cluster."""

    worker_image: Annotated[str, Field(min_length=1, max_length=512)]
    """Image of worker pods."""
    worker_cuda_image: Annotated[str, Field(max_length=512)] = ""
    """Image of worker pods on GPUs; empty where none is installed."""
    worker_image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """imagePullPolicy of worker pods."""
    worker_image_pull_secrets: Names = ()
    """Names of pull Secrets that stand in the Simulations' namespaces, separated by commas."""
    worker_service_account: Annotated[str, Field(min_length=1, max_length=253)] = "parpour-worker"
    """ServiceAccount of worker pods, in the Simulation's namespace; it needs no rights."""
    worker_scratch: Annotated[str, Field(min_length=1, max_length=32)] = "1Gi"
    """Size limit of a worker pod's /tmp."""
    worker_base_memory: Bytes = 192 * 1024**2
    """What a worker needs before the first agent: interpreter, libraries, buffers (a quantity such as 192Mi)."""
    store_url: Annotated[str, Field(max_length=1024)] = ""
    """Default output store, used where spec.output is unset, for example s3://parpour-results."""
    store_secret: Annotated[str, Field(min_length=1, max_length=253)] = "parpour-store"  # noqa: S105 - a name
    """Secret with the default store's environment, in the Simulation's namespace."""
    bus_secret: Annotated[str, Field(max_length=253)] = "parpour-bus"  # noqa: S105 - a name
    """Secret with the workers' NATS address and credentials, in the Simulation's namespace; it may be absent."""
    bus_directory: Annotated[str, Field(max_length=1024)] = ""
    """Folder with the operator's own NATS access: files `url` and either `creds` or `user` and `password`. Empty does
    without live progress."""
    bus_storage: Literal["file", "memory"] = "file"
    """Where JetStream keeps the latest progress messages."""

    funding_url: Annotated[str, Field(max_length=1024)] = ""
    """Address of the internal API that reserves and settles what runs cost, for example https://parpour-internal:8443.
    Empty does without budgets: then Ventures are not served, and a Simulation that names a budget is refused."""
    funding_ca_file: Annotated[str, Field(max_length=1024)] = ""
    """PEM file of the authority that signed the internal API's certificate; empty takes those of the system."""
    funding_token_file: Annotated[str, Field(max_length=1024)] = "/var/run/secrets/parpour/internal/token"  # noqa: S105
    """Projected ServiceAccount token for the internal API's audience; read anew when it is rotated."""
    funding_timeout_seconds: Seconds = 10.0
    """Longest time that an answer of the internal API may take."""
    allow_unbudgeted: bool = False
    """Whether Simulations outside of Ventures may run without a budget although there is an internal API."""
    venture_directory: Annotated[str, Field(max_length=1024)] = ""
    """Folder with what each Venture's namespace is given: `objects/` holds manifests, `secrets/NAME/` the keys of a
    Secret. Empty gives nothing."""
    reserve_seconds: Annotated[int, Field(ge=60, le=31_536_000)] = 3600
    """Run time that is reserved at once; a longer run is renewed when four fifths of it are used."""
    minimum_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    """Run time that a budget must pay for at least."""

    shard_seconds: Seconds = 20.0
    """Planned shards are at least this long, as starting a pod costs seconds."""
    agent_updates_per_core_second: Annotated[float, Field(gt=0)] = 5e7
    """Rate that shards are planned with: an epidemic's agents times days per core and second."""
    planned_shards_limit: Annotated[int, Field(ge=1, le=10_000)] = 16
    """Most shards that are planned when spec.shards is unset."""

    listen_host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    """Address of the health and metrics servers; pods set 0.0.0.0."""
    health_port: Port = 8080
    """Port of /livez and /readyz."""
    metrics_port: Port = 9090
    """Port of /metrics."""
    log_format: Literal["text", "json"] = "text"
    """How log lines are written."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severity that is logged."""

    workers: Annotated[int, Field(ge=1, le=64)] = 8
    """Simulations that are reconciled at a time."""
    requests_per_second: Annotated[float, Field(gt=0)] = 50.0
    """API requests per second over a long time (token bucket)."""
    requests_burst: Annotated[int, Field(ge=1)] = 100
    """API requests that may go at once."""
    resync_seconds: Seconds = 60.0
    """Time between two lists of unfinished Simulations and their Jobs, which repair what a watch may have missed."""
    refused_retry_seconds: Seconds = 20.0
    """Time until a refused Simulation is looked at again."""
    progress_seconds: Seconds = 10.0
    """Least time between two writes of one Simulation's progress."""

    lease_name: Annotated[str, Field(min_length=1, max_length=253)] = "parpour-operator"
    """Lease that elects the active replica."""
    lease_seconds: Annotated[int, Field(ge=3, le=300)] = 15
    """How long the Lease is valid without renewal."""
    lease_renew_deadline: Seconds = 10.0
    """Time without a successful renewal after which the leader stops writing and exits; below lease_seconds."""
    lease_retry_seconds: Seconds = 2.0
    """Time between renewals, and between a standby's looks."""

    @model_validator(mode="after")
    def _renews_in_time(self) -> Settings:
        if not self.lease_retry_seconds < self.lease_renew_deadline < self.lease_seconds:
            raise ValueError("need lease_retry_seconds < lease_renew_deadline < lease_seconds")
        return self

    @model_validator(mode="after")
    def _speaks_tls(self) -> Settings:
        if self.funding_url and not self.funding_url.startswith("https://"):
            raise ValueError("funding_url begins with https://: a token is sent there")
        return self

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        `PARPOUR_IDENTITY` falls back to `POD_NAME` and then to host and process; `PARPOUR_NAMESPACE` to
        `POD_NAMESPACE`.

        Raises:
            SettingsError: naming each wrong variable; unknown `PARPOUR_` variables that look like a setting are left
                alone, as other components share the prefix.
        """
        env = os.environ if environ is None else environ
        given = {name: env[PREFIX + name.upper()] for name in cls.model_fields if PREFIX + name.upper() in env}
        given.setdefault("identity", env.get("POD_NAME") or f"{socket.gethostname()}-{os.getpid()}")
        if "POD_NAMESPACE" in env:
            given.setdefault("namespace", env["POD_NAMESPACE"])
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            problems = [_explain(problem["loc"], problem["msg"]) for problem in error.errors()]
            raise SettingsError("; ".join(problems)) from error


def _explain(location: tuple[int | str, ...], message: str) -> str:
    name = PREFIX + str(location[0]).upper() if location else "settings"
    return f"{name}: {message}"
