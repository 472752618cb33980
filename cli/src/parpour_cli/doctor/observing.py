"""Gathers what the checks judge. What the user may not read is an answer too, and no check may fail for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

from parpour_cli.cluster import Cluster, Json
from parpour_cli.faults import CliError
from parpour_contracts import GROUP
from parpour_contracts.simulation import PLURAL

Value = TypeVar("Value")

OPERATOR_SELECTOR = "app.kubernetes.io/name=parpour,app.kubernetes.io/component=operator"
SERVERS_SELECTOR = "app.kubernetes.io/name=parpour,app.kubernetes.io/component in (nats,store)"
LEASE = "parpour-operator"
SERVICE_ACCOUNT = "parpour-worker"
STORE_SECRET = "parpour-store"  # noqa: S105 - the Secret's name
BUS_SECRET = "parpour-bus"  # noqa: S105 - the Secret's name

RIGHTS: tuple[tuple[str, str, str, str, bool], ...] = (
    ("create", GROUP, PLURAL, "create Simulations", True),
    ("delete", GROUP, PLURAL, "delete Simulations", False),
    ("list", GROUP, PLURAL, "list Simulations", True),
    ("list", "", "pods", "see worker pods (sim watch)", False),
    ("get", "", "pods/log", "read logs (sim logs, live bars)", False),
    ("list", "", "events", "read events (sim describe)", False),
)
"""Verb, group, resource, what it is for, and whether it is needed to use parpour at all."""


@dataclass(frozen=True)
class Answer(Generic[Value]):
    """What was asked for, or the code of the fault that stands in its place (API_FORBIDDEN, API_NOT_FOUND, …)."""

    value: Value | None
    fault: str = ""
    message: str = ""

    @property
    def hidden(self) -> bool:
        """Whether the user may not know."""
        return self.fault == "API_FORBIDDEN"


@dataclass(frozen=True)
class Observation:
    """Everything that `doctor` looked at."""

    now: datetime
    namespace: str
    server: Answer[Json]
    crd: Answer[Json]
    group: Answer[Json]
    operators: Answer[list[Json]]
    servers: Answer[list[Json]]
    lease: Answer[Json]
    namespace_object: Answer[Json]
    service_account: Answer[Json]
    store_keys: Answer[tuple[str, ...]]
    bus_keys: Answer[tuple[str, ...]]
    storage_classes: Answer[list[Json]]
    nodes: Answer[list[Json]]
    policies: Answer[list[Json]]
    rights: Mapping[tuple[str, str], Answer[bool]]


def observe(cluster: Cluster, *, operator_namespace: str | None, now: datetime) -> Observation:
    """Ask the API server everything, each question once."""
    own = f"/api/v1/namespaces/{cluster.namespace}"
    operators = _operators(cluster, operator_namespace)
    home = operator_namespace or next((str(o["metadata"]["namespace"]) for o in operators.value or ()), "")
    return Observation(
        now=now,
        namespace=cluster.namespace,
        server=_ask(lambda: cluster.get("/version")),
        crd=_ask(lambda: cluster.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{PLURAL}.{GROUP}")),
        group=_ask(lambda: cluster.get(f"/apis/{GROUP}")),
        operators=operators,
        servers=_ask(
            lambda: cluster.items(f"/apis/apps/v1/namespaces/{home}/statefulsets", labelSelector=SERVERS_SELECTOR)
        )
        if home
        else Answer([]),
        lease=_ask(lambda: cluster.get(f"/apis/coordination.k8s.io/v1/namespaces/{home}/leases/{LEASE}"))
        if home
        else Answer(None, "API_NOT_FOUND"),
        namespace_object=_ask(lambda: cluster.get(own)),
        service_account=_ask(lambda: cluster.get(f"{own}/serviceaccounts/{SERVICE_ACCOUNT}")),
        store_keys=_ask(lambda: _keys(cluster.get(f"{own}/secrets/{STORE_SECRET}"))),
        bus_keys=_ask(lambda: _keys(cluster.get(f"{own}/secrets/{BUS_SECRET}"))),
        storage_classes=_ask(lambda: cluster.items("/apis/storage.k8s.io/v1/storageclasses")),
        nodes=_ask(lambda: cluster.items("/api/v1/nodes")),
        policies=_ask(
            lambda: cluster.items(f"/apis/networking.k8s.io/v1/namespaces/{cluster.namespace}/networkpolicies")
        ),
        rights={
            (verb, resource): _ask(partial(_may, cluster, verb, group, resource))
            for verb, group, resource, _, _ in RIGHTS
        },
    )


def operator_image(cluster: Cluster) -> str | None:
    """Image of the operator, where the user may see its Deployment."""
    for deployment in _operators(cluster, None).value or ():
        containers: list[Any] = deployment["spec"]["template"]["spec"]["containers"]
        return str(containers[0]["image"])
    return None


def _operators(cluster: Cluster, namespace: str | None) -> Answer[list[Json]]:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments" if namespace else "/apis/apps/v1/deployments"
    return _ask(lambda: cluster.items(path, labelSelector=OPERATOR_SELECTOR))


def _keys(secret: Json) -> tuple[str, ...]:
    return tuple(sorted(secret.get("data") or {}))


def _may(cluster: Cluster, verb: str, group: str, resource: str) -> bool:
    name, _, part = resource.partition("/")
    attributes = {"namespace": cluster.namespace, "verb": verb, "group": group, "resource": name}
    if part:
        attributes["subresource"] = part
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = cluster.review("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool(answer.get("status", {}).get("allowed"))


def _ask(question: Callable[[], Value]) -> Answer[Value]:
    try:
        return Answer(question())
    except CliError as fault:
        if fault.code == "API_UNREACHABLE":
            raise
        return Answer(None, fault.code, fault.message)
