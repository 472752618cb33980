"""The checks: each a pure function from what was observed to one finding with its remedy.

A check fails only for what stops Simulations or the treasury; what merely makes life worse, or what the user may not
see, is a warning. What is not installed, and need not be, has no finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from parpour_cli import __version__
from parpour_cli.doctor.observing import (
    BUS_SECRET,
    RIGHTS,
    SERVICE_ACCOUNT,
    STORE_SECRET,
    Answer,
    Observation,
)
from parpour_cli.reading import instant
from parpour_contracts import VERSION
from parpour_contracts.crd import simulation_crd

OLDEST_SERVER = (1, 33)
"""Indexed Jobs with a back-off limit for each index are stable from here on."""
SEALED_WITHIN_SECONDS = 30
"""Events that wait longer have no place in the history soon: a second or two is usual."""
ASKED = "it takes the right to get services/proxy there, and a network that lets the API server reach the pods"
GPU = "nvidia.com/gpu"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
WORKER_LABELS = {"app.kubernetes.io/name": "civlab-worker"}
INSTALL = "helm upgrade --install parpour charts/parpour --namespace parpour-system --create-namespace"


class Outcome(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One check's outcome: what was seen, and how to mend it."""

    check: str
    outcome: Outcome
    detail: str
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return {**asdict(self), "outcome": str(self.outcome)}


def judge(observed: Observation) -> list[Finding]:
    """All findings, in the order of CHECKS."""
    return [finding for check in CHECKS if (finding := check(observed)) is not None]


def failed(findings: Iterable[Finding]) -> bool:
    """Whether any check failed."""
    return any(finding.outcome is Outcome.FAIL for finding in findings)


def check_server(observed: Observation) -> Finding:
    """The API server is new enough."""
    version = observed.server.value or {}
    text = str(version.get("gitVersion", ""))
    found = re.match(r"v?(\d+)\.(\d+)", text)
    if not found:
        return Finding("api server", Outcome.WARN, f"its version is not known ({observed.server.message or text})")
    if (int(found[1]), int(found[2])) < OLDEST_SERVER:
        needed = ".".join(map(str, OLDEST_SERVER))
        return Finding("api server", Outcome.FAIL, f"Kubernetes {text} is too old", f"upgrade to {needed} or later")
    return Finding("api server", Outcome.OK, f"Kubernetes {text}")


def check_crd(observed: Observation) -> Finding:
    """The Simulation CRD is installed, established and of this version."""
    name = "custom resource"
    if observed.crd.value is None:
        if observed.group.value is not None and observed.crd.hidden:
            return Finding(name, Outcome.OK, "Simulations are served (its schema may not be read)")
        return Finding(name, Outcome.FAIL, "this cluster does not know Simulations", INSTALL)
    conditions = observed.crd.value.get("status", {}).get("conditions", ())
    if not _condition(conditions, "Established"):
        return Finding(name, Outcome.FAIL, "the CRD is not established", "kubectl describe crd simulations.parpour.dev")
    if _schema(observed.crd.value) != _schema(simulation_crd()):
        detail = f"the installed schema of {VERSION} is not that of this command ({__version__})"
        return Finding(name, Outcome.WARN, detail, f"bring both to one version: {INSTALL}")
    return Finding(name, Outcome.OK, f"Simulation {VERSION}, same schema as this command")


def _schema(crd: Mapping[str, Any]) -> Any:
    return next((v["schema"]["openAPIV3Schema"] for v in crd["spec"]["versions"] if v["name"] == VERSION), None)


def check_operator(observed: Observation) -> Finding:
    """The operator is installed and ready."""
    name = "operator"
    if observed.operators.value is None:
        hint = "give its namespace with --operator-namespace" if observed.operators.hidden else ""
        return Finding(name, Outcome.WARN, "its Deployment may not be seen", hint)
    if not observed.operators.value:
        return Finding(name, Outcome.FAIL, "it is not installed", INSTALL)
    deployment = observed.operators.value[0]
    where = f"{deployment['metadata']['namespace']}/{deployment['metadata']['name']}"
    ready = deployment.get("status", {}).get("readyReplicas", 0)
    wanted = deployment["spec"].get("replicas", 1)
    if not ready:
        remedy = f"kubectl -n {deployment['metadata']['namespace']} describe deployment,pods -l {_selector('operator')}"
        return Finding(name, Outcome.FAIL, f"{where} has no ready pod", remedy)
    version = deployment["metadata"].get("labels", {}).get("app.kubernetes.io/version", "")
    if version and version != __version__:
        detail = f"{where} is version {version}, this command is {__version__}"
        return Finding(name, Outcome.WARN, detail, "install the command of the same version")
    outcome = Outcome.OK if ready == wanted else Outcome.WARN
    return Finding(name, outcome, f"{where}: {ready} of {wanted} pods ready")


def check_leader(observed: Observation) -> Finding:
    """One operator pod holds the Lease and renews it."""
    name = "leader"
    if observed.lease.value is None:
        if observed.lease.hidden:
            return Finding(name, Outcome.WARN, "the Lease may not be read")
        return Finding(name, Outcome.FAIL, "no operator has taken the Lease", "see the operator's log")
    spec = observed.lease.value["spec"]
    renewed = instant(spec.get("renewTime"))
    holder = spec.get("holderIdentity") or ""
    valid = timedelta(seconds=spec.get("leaseDurationSeconds") or 0)
    if not holder or renewed is None or observed.now - renewed > valid:
        detail = f"the Lease of {holder or 'nobody'} has run out"
        return Finding(name, Outcome.FAIL, detail, "no operator is active: see its log")
    return Finding(name, Outcome.OK, f"{holder} leads")


def check_servers(observed: Observation) -> Finding:
    """The bus and the store that the chart installed are ready."""
    name = "bus and store servers"
    if observed.servers.value is None:
        return Finding(name, Outcome.WARN, "they may not be seen")
    if not observed.servers.value:
        return Finding(name, Outcome.OK, "none installed by the chart: external ones are used")
    return _all_ready(name, observed.servers.value, "pods,pvc,events")


def check_treasury(observed: Observation) -> Finding | None:
    """Every part of an installed treasury is ready."""
    name = "treasury"
    if observed.treasury.fault:
        return Finding(name, Outcome.WARN, "it may not be seen")
    if observed.treasury.value is None:
        return None
    return _all_ready(name, observed.treasury.value.workloads, "pods,jobs,pvc,events")


def _all_ready(name: str, workloads: Sequence[Mapping[str, Any]], look_at: str) -> Finding:
    """Whether each workload has a pod that is ready; if not, which kinds of resource tell why."""
    down = [one for one in workloads if not one.get("status", {}).get("readyReplicas")]
    names = ", ".join(sorted(str(one["metadata"]["name"]) for one in down or workloads))
    if down:
        space = down[0]["metadata"]["namespace"]
        return Finding(name, Outcome.FAIL, f"not ready: {names}", f"kubectl -n {space} get {look_at}")
    return Finding(name, Outcome.OK, f"ready: {names}")


def check_treasury_schema(observed: Observation) -> Finding | None:
    """The treasury's database answers, and has the schema that the API needs."""
    name = "treasury's database"
    if observed.treasury.value is None:
        return None
    ready = observed.treasury.value.ready
    if ready.value is not None:
        return Finding(name, Outcome.OK, "it answers, and its schema is what the API needs")
    if not _answered(ready):
        return Finding(name, Outcome.WARN, f"the API cannot be asked ({ready.fault})", ASKED)
    remedy = "see the API's log, and that of the Job that installs the schema: helm upgrade runs it"
    return Finding(name, Outcome.FAIL, f"the API is not ready: {ready.message}", remedy)


def check_sealing(observed: Observation) -> Finding | None:
    """Events are sealed soon after their commit."""
    name = "sealed events"
    if observed.treasury.value is None:
        return None
    behind = observed.treasury.value.behind_seconds
    if behind.value is None:
        return Finding(name, Outcome.WARN, f"the sealer cannot be asked ({behind.fault})", ASKED)
    if behind.value > SEALED_WITHIN_SECONDS:
        detail = f"a tenant's events have waited for {behind.value:.0f} s"
        return Finding(name, Outcome.WARN, detail, "see the sealer's log: it says which tenant, and why")
    return Finding(name, Outcome.OK, "none waits")


def check_payments(observed: Observation) -> Finding | None:
    """Payments may be sent."""
    name = "payments"
    if observed.treasury.value is None:
        return None
    locked = observed.treasury.value.locked_tenants
    if locked.value is None:
        return Finding(name, Outcome.WARN, f"the payment worker cannot be asked ({locked.fault})", ASKED)
    if locked.value:
        detail = f"locked for {locked.value:.0f} of the tenants that have something to pay"
        remedy = "see the payment worker's log; after a restore people compare the providers' lists and unlock"
        return Finding(name, Outcome.WARN, detail, remedy)
    return Finding(name, Outcome.OK, "no tenant that has something to pay is locked")


def _answered(answer: Answer[Any]) -> bool:
    """Whether the service said so itself, with a code, and not the API server that would not or could not ask it."""
    return re.match(r"[A-Z]+(_[A-Z]+)+: ", answer.message) is not None


def check_namespace(observed: Observation) -> Finding:
    """The namespace is there and the operator serves it."""
    name = "namespace"
    space = observed.namespace
    if observed.namespace_object.fault == "API_NOT_FOUND":
        return Finding(name, Outcome.FAIL, f"{space} does not exist", f"kubectl create namespace {space}")
    if (observed.namespace_object.value or {}).get("metadata", {}).get("deletionTimestamp"):
        return Finding(name, Outcome.FAIL, f"{space} is being deleted", "choose another with -n")
    watched = _watched(observed.operators)
    if watched and space not in watched:
        remedy = f"add it to operator.watchNamespaces and simulationNamespaces, then: {INSTALL}"
        return Finding(name, Outcome.FAIL, f"the operator serves {', '.join(watched)}, not {space}", remedy)
    return Finding(name, Outcome.OK, f"{space} is served")


def _watched(operators: Answer[list[dict[str, Any]]]) -> list[str]:
    for deployment in operators.value or ():
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            for variable in container.get("env") or ():
                if variable["name"] == "PARPOUR_WATCH_NAMESPACES":
                    return [part.strip() for part in str(variable.get("value", "")).split(",") if part.strip()]
    return []


def check_service_account(observed: Observation) -> Finding:
    """Worker pods have an account to run as."""
    name = "workers' service account"
    if observed.service_account.value is not None:
        return Finding(name, Outcome.OK, SERVICE_ACCOUNT)
    if observed.service_account.hidden:
        return Finding(name, Outcome.WARN, f"{SERVICE_ACCOUNT} may not be read")
    return Finding(name, Outcome.FAIL, f"{SERVICE_ACCOUNT} is missing", _add_namespace(observed))


def check_store_secret(observed: Observation) -> Finding:
    """The default store's Secret is there and holds credentials."""
    name = "store Secret"
    if observed.store_keys.value is not None:
        if not any(key.startswith(("AWS_", "GOOGLE_", "AZURE_")) for key in observed.store_keys.value):
            remedy = "its keys must be the store's environment, for example AWS_ACCESS_KEY_ID"
            return Finding(name, Outcome.FAIL, f"{STORE_SECRET} holds no store's variables", remedy)
        return Finding(name, Outcome.OK, f"{STORE_SECRET} holds {', '.join(observed.store_keys.value)}")
    if observed.store_keys.hidden:
        return Finding(name, Outcome.WARN, f"{STORE_SECRET} may not be read, so it is not known to exist")
    remedy = f"{_add_namespace(observed)}; or name your own in spec.output.secretName"
    return Finding(name, Outcome.FAIL, f"{STORE_SECRET} is missing", remedy)


def check_bus_secret(observed: Observation) -> Finding:
    """The bus Secret is there; without it runs have no live progress."""
    name = "bus Secret"
    if observed.bus_keys.value is not None:
        if "url" not in observed.bus_keys.value:
            return Finding(name, Outcome.WARN, f"{BUS_SECRET} has no key url", _add_namespace(observed))
        return Finding(name, Outcome.OK, f"{BUS_SECRET} holds {', '.join(observed.bus_keys.value)}")
    if observed.bus_keys.hidden:
        return Finding(name, Outcome.WARN, f"{BUS_SECRET} may not be read, so it is not known to exist")
    detail = f"{BUS_SECRET} is missing: runs complete, but show no live progress"
    return Finding(name, Outcome.WARN, detail, _add_namespace(observed))


def _add_namespace(observed: Observation) -> str:
    return f"add {observed.namespace} to the chart's simulationNamespaces, then: {INSTALL}"


def check_storage_class(observed: Observation) -> Finding:
    """There is a default StorageClass for the chart's bus and store."""
    name = "storage class"
    if observed.storage_classes.value is None:
        return Finding(name, Outcome.WARN, "storage classes may not be listed")
    for item in observed.storage_classes.value:
        if (item["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true":
            return Finding(name, Outcome.OK, f"{item['metadata']['name']} is the default")
    remedy = "mark one as default, or set store.storage.className and nats.storage.className"
    return Finding(name, Outcome.WARN, "no default: the chart's volumes stay unbound", remedy)


def check_nodes(observed: Observation) -> Finding:
    """Some node is ready; how many offer GPUs."""
    name = "nodes"
    if observed.nodes.value is None:
        return Finding(name, Outcome.WARN, "nodes may not be listed")
    ready = [n for n in observed.nodes.value if _condition(n.get("status", {}).get("conditions", ()), "Ready")]
    if not ready:
        return Finding(name, Outcome.FAIL, "no node is ready", "kubectl describe nodes")
    counts = [str(n["status"].get("allocatable", {}).get(GPU, "0")) for n in ready]
    gpus = sum(int(count) for count in counts if count.isdecimal())
    offer = f"{gpus} GPUs" if gpus else "no GPU: backend CUDA is refused, Auto runs on the CPU"
    return Finding(name, Outcome.OK, f"{len(ready)} of {len(observed.nodes.value)} ready, {offer}")


def check_rights(observed: Observation) -> Finding:
    """The user may do what the commands need."""
    name = "your rights"
    lacking, needed = [], False
    for verb, _, resource, purpose, required in RIGHTS:
        answer = observed.rights[(verb, resource)]
        if answer.value is False:
            lacking.append(purpose)
            needed = needed or required
    if not lacking:
        return Finding(name, Outcome.OK, f"all that parpour needs in {observed.namespace}")
    outcome = Outcome.FAIL if needed else Outcome.WARN
    remedy = "ask for a RoleBinding to edit or admin in this namespace"
    return Finding(name, outcome, f"you may not {', nor '.join(lacking)}", remedy)


def check_policies(observed: Observation) -> Finding:
    """Workers' traffic is limited, and not cut off."""
    name = "network policies"
    if observed.policies.value is None:
        return Finding(name, Outcome.WARN, "they may not be listed")
    mine = [p for p in observed.policies.value if _selects_workers(p)]
    if not mine:
        return Finding(name, Outcome.WARN, "workers may reach anything", _add_namespace(observed))
    outgoing = [p for p in mine if "Egress" in p["spec"].get("policyTypes", ())]
    if outgoing and not any(p["spec"].get("egress") for p in outgoing):
        names = ", ".join(str(p["metadata"]["name"]) for p in outgoing)
        return Finding(
            name, Outcome.FAIL, f"workers may reach nothing ({names}), not even the store", _add_namespace(observed)
        )
    return Finding(name, Outcome.OK, ", ".join(str(p["metadata"]["name"]) for p in mine))


def _selects_workers(policy: Mapping[str, Any]) -> bool:
    selector = policy["spec"].get("podSelector") or {}
    if selector.get("matchExpressions"):
        return False
    wanted = selector.get("matchLabels") or {}
    return all(WORKER_LABELS.get(key) == value for key, value in wanted.items())


def _condition(conditions: Iterable[Mapping[str, Any]], type: str) -> bool:
    return any(c.get("type") == type and c.get("status") == "True" for c in conditions)


def _selector(component: str) -> str:
    return f"app.kubernetes.io/name=parpour,app.kubernetes.io/component={component}"


CHECKS: tuple[Callable[[Observation], Finding | None], ...] = (
    check_server,
    check_crd,
    check_operator,
    check_leader,
    check_servers,
    check_treasury,
    check_treasury_schema,
    check_sealing,
    check_payments,
    check_nodes,
    check_storage_class,
    check_namespace,
    check_service_account,
    check_store_secret,
    check_bus_secret,
    check_policies,
    check_rights,
)
