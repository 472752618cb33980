"""Decides the next steps for one Venture from facts alone, as `parpour_operator.planning` does for a Simulation.

A namespace is created by POST with the Venture's UID as a label, and one that does not bear it is never adopted. Which
namespace belongs to which tenant is decided by the treasury's database; labels only say what was made for whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from parpour_contracts.conditions import set_condition
from parpour_contracts.funding import Binding, Bound, Fault, Freezing, FundingCode
from parpour_contracts.venture import ConditionType, NamespacePolicy, VentureSpec, VentureStatus
from parpour_operator.accepting import camel

FINALIZER = "parpour.dev/venture"
NAME_LABEL = "parpour.dev/venture"
UID_LABEL = "parpour.dev/venture-uid"
RETRY_SECONDS = 20.0
CHECK_SECONDS = 5.0

Truth = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Resource:
    """A Venture as it was read."""

    name: str
    uid: str
    generation: int
    deleting: bool
    finalizers: tuple[str, ...]
    spec: VentureSpec | None
    """None if this operator cannot read the spec; `fault` then says why."""
    status: VentureStatus
    fault: str = ""

    @property
    def namespace(self) -> str:
        """Name of its namespace."""
        return (self.spec.namespace if self.spec is not None else None) or self.name


@dataclass(frozen=True)
class Namespace:
    """The namespace of that name."""

    uid: str
    ours: bool
    """It bears the Venture's UID."""
    deleting: bool


@dataclass(frozen=True)
class Answer:
    """What the treasury said in this reconciliation."""

    bound: Bound | None = None
    fault: Fault | None = None
    away: str = ""


@dataclass(frozen=True)
class Observed:
    """All facts about one Venture."""

    resource: Resource
    namespace: Namespace | None = None
    refused: str = ""
    """Why the API server does not take the namespace."""
    furnished: bool = False
    """What Simulations need has been put there, or was refused."""
    unfurnished: str = ""
    """Which of it the API server does not take, and why."""
    answer: Answer | None = None


@dataclass(frozen=True)
class Hold:
    """Add or release our finalizer."""

    present: bool


@dataclass(frozen=True)
class MakeNamespace:
    """POST the namespace."""

    manifest: dict[str, Any]


@dataclass(frozen=True)
class Furnish:
    """Put what Simulations need into the namespace."""

    namespace: str


@dataclass(frozen=True)
class DropNamespace:
    """Delete the namespace, if it is still the same."""

    name: str
    uid: str


@dataclass(frozen=True)
class Bind:
    """Bind the namespace to the tenant."""

    binding: Binding


@dataclass(frozen=True)
class Freeze:
    """Stop the tenant's spending; its records stay."""

    venture: UUID
    freezing: Freezing


Step = Hold | MakeNamespace | Furnish | DropNamespace | Bind | Freeze


@dataclass(frozen=True)
class Plan:
    """What to do now; with a step, do it and plan again, else write the status if it differs."""

    step: Step | None = None
    status: VentureStatus | None = None
    requeue_after: float | None = None


@dataclass(frozen=True)
class Finding:
    """A condition to be."""

    status: Truth
    reason: str
    message: str


def plan(observed: Observed, *, now: datetime) -> Plan:
    """The next step for a Venture."""
    resource, spec = observed.resource, observed.resource.spec
    if resource.deleting:
        return _plan_deletion(observed, now)
    if spec is None:
        wrong = Finding("False", "SpecInvalid", f"spec.{resource.fault}; is the CRD of the operator's version?")
        return _write(observed, now, namespace=wrong)
    if FINALIZER not in resource.finalizers:
        return Plan(step=Hold(present=True))
    fault = _namespace_fault(observed)
    if fault is not None:
        return _write(observed, now, namespace=fault, requeue_after=RETRY_SECONDS)
    if observed.namespace is None:
        return Plan(step=MakeNamespace(namespace_manifest(resource)))
    if not observed.furnished:
        return Plan(step=Furnish(resource.namespace))
    if observed.unfurnished:
        message = f"in namespace {resource.namespace} the API server refuses {observed.unfurnished}"
        return _write(
            observed, now, namespace=Finding("False", "NamespaceUnfurnished", message), requeue_after=RETRY_SECONDS
        )
    there = Finding("True", "NamespaceReady", f"namespace {resource.namespace} was made for this Venture")
    if observed.answer is None:
        return Plan(step=Bind(_binding(resource, spec, observed.namespace)))
    standing, bound = _treasury(observed.answer), observed.answer.bound
    rest = None if bound is not None and bound.pending is None else RETRY_SECONDS
    return _write(observed, now, namespace=there, treasury=standing, bound=bound, requeue_after=rest)


def _namespace_fault(observed: Observed) -> Finding | None:
    resource, namespace = observed.resource, observed.namespace
    known, name = resource.status.namespace_uid, resource.namespace
    if observed.refused:
        return Finding("False", "NamespaceRefused", f"the API server refuses namespace {name}: {observed.refused}")
    if namespace is None:
        if known is None:
            return None
        message = f"namespace {name} was deleted; what ran there is gone. Delete this Venture and create another"
        return Finding("False", "NamespaceLost", message)
    if not namespace.ours:
        message = f"spec.namespace: namespace {name} exists and was not made for this Venture; choose another name"
        return Finding("False", "NamespaceConflict", message)
    if namespace.deleting:
        return Finding("False", "NamespaceTerminating", f"namespace {name} is being deleted")
    return None


def _treasury(answer: Answer) -> Finding:
    if answer.away:
        return Finding("Unknown", "TreasuryUnavailable", f"{answer.away}; it is asked again")
    if answer.fault is not None:
        return Finding("False", camel(answer.fault.code), answer.fault.message)
    bound = answer.bound
    if bound is None:
        raise AssertionError("an answer is a binding, a fault or a silence")
    if bound.frozen:
        return Finding("False", "Frozen", "the venture is frozen: nothing is spent until two people unfreeze it")
    if bound.pending is not None:
        kept = f"the budget in force is {bound.budget.amount} {bound.budget.currency}"
        return Finding("True", camel(bound.pending.code), f"spec.budget: {bound.pending.message}; {kept}")
    return Finding(
        "True", "Bound", f"tenant {bound.tenant} may spend up to {bound.budget.amount} {bound.budget.currency}"
    )


def _write(
    observed: Observed,
    now: datetime,
    *,
    namespace: Finding,
    treasury: Finding | None = None,
    bound: Bound | None = None,
    requeue_after: float | None = None,
) -> Plan:
    """The status, with Ready derived from the other two."""
    resource = observed.resource
    treasury = treasury or Finding("Unknown", "NamespaceNotReady", "the treasury is asked once the namespace is there")
    first = next((one for one in (namespace, treasury) if one.status != "True"), None)
    ready = first or Finding("True", "Ready", "Simulations may be created in its namespace")
    conditions = resource.status.conditions
    for kind, one in (
        (ConditionType.NAMESPACE, namespace),
        (ConditionType.TREASURY, treasury),
        (ConditionType.READY, ready),
    ):
        conditions = set_condition(
            conditions,
            type=kind.value,
            status=one.status,
            reason=one.reason,
            message=one.message,
            observed_generation=resource.generation,
            now=now,
        )
    status = resource.status.model_copy(
        update={
            "observed_generation": resource.generation,
            "conditions": conditions,
            "namespace": resource.namespace,
            "namespace_uid": _own_uid(observed),
            **({"tenant": str(bound.tenant), "budget": bound.budget} if bound is not None else {}),
        }
    )
    return Plan(status=status, requeue_after=requeue_after)


def _own_uid(observed: Observed) -> str | None:
    namespace = observed.namespace
    return namespace.uid if namespace is not None and namespace.ours else observed.resource.status.namespace_uid


def _plan_deletion(observed: Observed, now: datetime) -> Plan:
    """Freeze first; the namespace goes only where the policy says so; no record of the treasury ever goes."""
    resource = observed.resource
    if FINALIZER not in resource.finalizers:
        return Plan()
    answer = observed.answer
    if answer is None:
        reason = f"Venture {resource.name} is being deleted"
        return Plan(step=Freeze(UUID(resource.uid), Freezing(reason=reason[:253])))
    if answer.away or (answer.fault is not None and answer.fault.code != FundingCode.VENTURE_UNKNOWN):
        there = Finding("True", "NamespaceReady", "deletion waits for the treasury")
        return _write(observed, now, namespace=there, treasury=_treasury(answer), requeue_after=RETRY_SECONDS)
    namespace, spec = observed.namespace, resource.spec
    goes = spec is not None and spec.deletion_policy is NamespacePolicy.DELETE
    if goes and namespace is not None and namespace.ours:
        if namespace.deleting:
            return Plan(requeue_after=CHECK_SECONDS)
        return Plan(step=DropNamespace(resource.namespace, namespace.uid))
    return Plan(step=Hold(present=False))


def namespace_manifest(resource: Resource) -> dict[str, Any]:
    """The namespace of a Venture."""
    labels = {
        "app.kubernetes.io/managed-by": "parpour",
        "app.kubernetes.io/part-of": "parpour",
        NAME_LABEL: resource.name,
        UID_LABEL: resource.uid,
        "pod-security.kubernetes.io/enforce": "restricted",
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": resource.namespace, "labels": labels}}


def _binding(resource: Resource, spec: VentureSpec, namespace: Namespace) -> Binding:
    return Binding(
        uid=UUID(resource.uid),
        name=resource.name,
        display_name=spec.display_name,
        namespace=resource.namespace,
        namespace_uid=UUID(namespace.uid),
        owners=spec.owners,
        budget=spec.budget,
    )
