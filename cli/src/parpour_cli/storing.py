"""Opens the results of a Simulation with the credentials that the user has.

The user's own environment comes first; without it, the Secret that the run's pods use is read, which works exactly
when the user's rights allow it. The store's client reads the environment, so that is where credentials are put, for
this process alone.
"""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from parpour_cli.cluster import Cluster
from parpour_cli.faults import CliError
from parpour_cli.reading import Run

DEFAULT_SECRET = "parpour-store"  # noqa: S105 - the Secret's name
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
OWN_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_STORAGE_ACCOUNT_NAME")


@contextlib.contextmanager
def reachable_store(cluster: Cluster, run: Run) -> Iterator[str]:
    """The address of the run's results, with credentials and, where needed, a port-forward set up around it.

    Raises:
        CliError: STORE_CREDENTIALS_MISSING, FORWARD_IMPOSSIBLE, or the API server's answer.
    """
    result = run.status.result
    assert result is not None
    settings = {} if any(os.environ.get(name) for name in OWN_CREDENTIALS) else secret_settings(cluster, run)
    endpoint_name = next((name for name in ENDPOINTS if settings.get(name) or os.environ.get(name)), None)
    endpoint = (settings.get(endpoint_name) or os.environ[endpoint_name]) if endpoint_name else ""
    inside = service_of(endpoint, namespace=run.namespace)
    with contextlib.ExitStack() as stack:
        if inside is not None and endpoint_name is not None:
            from parpour_cli.forwarding import forwarded

            namespace, service, port = inside
            local = stack.enter_context(forwarded(cluster, namespace=namespace, service=service, port=port))
            settings |= {endpoint_name: f"http://127.0.0.1:{local}", "AWS_ALLOW_HTTP": "true"}
        stack.enter_context(environment(settings))
        yield result.store


def secret_settings(cluster: Cluster, run: Run) -> dict[str, str]:
    """The store's environment from the Secret that the run's pods use.

    Raises:
        CliError: STORE_CREDENTIALS_MISSING when it is not there or may not be read.
    """
    name = run.spec.output.secret_name if run.spec.output else DEFAULT_SECRET
    try:
        secret = cluster.find(f"/api/v1/namespaces/{run.namespace}/secrets/{name}")
    except CliError as fault:
        if fault.code != "API_FORBIDDEN":
            raise
        secret = None
    if secret is None:
        raise CliError(
            "STORE_CREDENTIALS_MISSING",
            f"there are no store credentials in the environment, and Secret {name!r} in namespace {run.namespace!r} "
            "is not there or may not be read",
            remedy="set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if it is not AWS, AWS_ENDPOINT_URL",
        )
    return {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}


def service_of(endpoint: str, *, namespace: str) -> tuple[str, str, int] | None:
    """(namespace, service, port) of an endpoint that only pods can resolve; None for every other address."""
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    labels = host.split(".")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if len(labels) == 1 and host and host != "localhost" and not host.isdecimal():
        return namespace, host, port
    if len(labels) >= 3 and labels[2] == "svc":
        return labels[1], labels[0], port
    return None


@contextlib.contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for the time of a block."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
