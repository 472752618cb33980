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
TREASURY = ("api", "internal", "payments", "postgres", "relay", "sealer", "sweeper")
TREASURY_SELECTOR = f"app.kubernetes.io/name=parpour,app.kubernetes.io/component in ({','.join(TREASURY)})"
COMPONENT = "app.kubernetes.io/component"
PROXY_SECONDS = 10
"""How long a service of the release is waited for, which the API server asks on the user's behalf."""
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
class Treasury:
    """What was seen of an installed treasury."""

    workloads: tuple[Json, ...]
    """Its Deployments and StatefulSets."""
    ready: Answer[str]
    """What the API said to whether it can serve."""
    behind_seconds: Answer[float]
    """For how long an event has waited for the sealer."""
    locked_tenants: Answer[float]
    """Tenants that have something to pay of which nothing may be sent."""


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
    treasury: Answer[Treasury]
    """Without value and fault: there is none."""
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
        treasury=_treasury(cluster, home) if home else Answer(None),
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


def _treasury(cluster: Cluster, home: str) -> Answer[Treasury]:
    kinds = [f"/apis/apps/v1/namespaces/{home}/{kind}" for kind in ("deployments", "statefulsets")]
    found = [_ask(partial(cluster.items, path, labelSelector=TREASURY_SELECTOR)) for path in kinds]
    fault = next((one for one in found if one.value is None), None)
    if fault is not None:
        return Answer(None, fault.fault, fault.message)
    workloads = [item for one in found for item in one.value or ()]
    names = {str(item["metadata"]["labels"][COMPONENT]): str(item["metadata"]["name"]) for item in workloads}
    if "api" not in names:
        return Answer(None)

    def said(component: str, port: str, path: str) -> str:
        place = f"/api/v1/namespaces/{home}/services/{names.get(component, component)}:{port}/proxy/{path}"
        return "\n".join(cluster.lines(place, seconds=PROXY_SECONDS))

    def figure(component: str, name: str) -> float:
        for line in said(component, "metrics", "metrics").splitlines():
            metric, _, value = line.partition(" ")
            if metric == name:
                return float(value)
        raise CliError("API_NOT_FOUND", f"it tells no {name}")

    return Answer(
        Treasury(
            workloads=tuple(workloads),
            ready=_ask_service(lambda: said("api", "http", "readyz")),
            behind_seconds=_ask_service(lambda: figure("sealer", "parpour_worker_seal_behind_seconds")),
            locked_tenants=_ask_service(lambda: figure("payments", "parpour_worker_pay_locked_tenants")),
        )
    )


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


def _ask_service(question: Callable[[], Value]) -> Answer[Value]:
    """As `_ask`, of something behind the API server: when that is silent, the API server still is not."""
    try:
        return Answer(question())
    except CliError as fault:
        return Answer(None, fault.code, fault.message)


def _ask(question: Callable[[], Value]) -> Answer[Value]:
    try:
        return Answer(question())
    except CliError as fault:
        if fault.code == "API_UNREACHABLE":
            raise
        return Answer(None, fault.code, fault.message)
