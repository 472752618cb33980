"""A Venture's life: its namespace is made and never adopted, its tenant bound once, nothing is lost when it goes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from parpour_operator.testing.memory import Crash, MemoryCluster
from parpour_operator.testing.money import MemoryTreasury
from parpour_operator.testing.ventures import MemoryVentures
from parpour_operator.ventures.furnishing import read_furniture
from parpour_operator.ventures.planning import FINALIZER, UID_LABEL
from parpour_operator.ventures.reconciling import VentureReconciler

pytestmark = pytest.mark.unit

BUDGET = {"amount": "500.00", "currency": "USD"}


def spec(**changes: Any) -> dict[str, Any]:
    base = {"displayName": "Acme", "owners": [{"subject": "ann", "person": "ann"}], "budget": BUDGET}
    return {**base, **changes}


@dataclass
class Course:
    """One Venture, led through its life."""

    cluster: MemoryCluster = field(default_factory=MemoryCluster)

    def __post_init__(self) -> None:
        self.api = MemoryVentures(self.cluster)
        self.treasury = MemoryTreasury(self.cluster, uuid4())
        self.api.apply("acme", **spec())
        self.furniture: tuple[dict[str, Any], ...] = ()

    def reconcile(self) -> float | None:
        reconciler = VentureReconciler(self.api, self.treasury, self.cluster.clock.now, lambda: self.furniture)
        while True:
            try:
                return asyncio.run(reconciler.reconcile("acme"))
            except Crash:
                continue

    def condition(self, kind: str) -> tuple[str, str]:
        conditions = self.api.objects["acme"]["status"]["conditions"]
        found = next(c for c in conditions if c["type"] == kind)
        return found["status"], found["reason"]

    @property
    def uid(self) -> str:
        return str(self.api.objects["acme"]["metadata"]["uid"])


@pytest.fixture
def course() -> Course:
    return Course()


def test_a_venture_gets_its_namespace_and_its_tenant(course: Course) -> None:
    assert course.reconcile() is None
    namespace = course.api.namespaces["acme"]["metadata"]
    assert namespace["labels"][UID_LABEL] == course.uid
    status = course.api.objects["acme"]["status"]
    assert (status["namespaceUid"], status["tenant"]) == (namespace["uid"], course.uid)
    assert status["budget"] == BUDGET
    assert course.condition("Namespace") == ("True", "NamespaceReady")
    assert course.condition("Treasury") == ("True", "Bound")
    assert course.condition("Ready") == ("True", "Ready")
    binding = course.treasury.bindings[UUID(course.uid)]
    assert [owner.subject for owner in binding.owners] == ["ann"]


def test_reconciling_again_writes_nothing(course: Course) -> None:
    course.reconcile()
    before = list(course.cluster.writes)
    course.cluster.clock.advance(100)
    course.reconcile()
    assert course.cluster.writes == before


@pytest.mark.parametrize("labels", [{}, {UID_LABEL: str(uuid4())}])
def test_a_foreign_namespace_is_never_adopted(course: Course, labels: dict[str, str]) -> None:
    course.api.put_namespace("acme", **labels)
    assert course.reconcile() is not None
    assert course.condition("Namespace") == ("False", "NamespaceConflict")
    assert course.condition("Ready") == ("False", "NamespaceConflict")
    assert course.treasury.bindings == {}
    assert course.api.namespaces["acme"]["metadata"]["labels"] == labels


def test_a_namespace_that_was_deleted_is_not_made_again_under_the_same_tenant(course: Course) -> None:
    course.reconcile()
    del course.api.namespaces["acme"]
    course.reconcile()
    assert course.condition("Namespace") == ("False", "NamespaceLost")
    assert course.api.namespaces == {}


def test_a_namespace_that_is_refused_says_why(course: Course) -> None:
    course.api.rejecting = "exceeded quota"
    course.reconcile()
    assert course.condition("Namespace") == ("False", "NamespaceRefused")
    assert course.condition("Treasury") == ("Unknown", "NamespaceNotReady")


FURNITURE = tuple(
    {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}
    for kind, name in (("ServiceAccount", "parpour-worker"), ("Secret", "parpour-store"))
)


def test_a_namespace_is_given_what_simulations_need_before_it_is_ready(course: Course) -> None:
    course.furniture = FURNITURE
    course.reconcile()
    assert list(course.api.given) == [
        ("ServiceAccount", "acme", "parpour-worker"),
        ("Secret", "acme", "parpour-store"),
    ]
    assert all(one["metadata"]["namespace"] == "acme" for one in course.api.given.values())
    before = list(course.cluster.writes)
    course.reconcile()
    assert course.cluster.writes == before
    course.furniture = ({**FURNITURE[1], "data": {"key": "bmV3"}},)
    course.reconcile()
    assert course.api.given["Secret", "acme", "parpour-store"]["data"] == {"key": "bmV3"}


def test_what_a_namespace_does_not_take_is_named(course: Course) -> None:
    course.furniture, course.api.refusing = FURNITURE, "Secret"
    assert course.reconcile() is not None
    assert course.condition("Ready") == ("False", "NamespaceUnfurnished")
    message = course.api.objects["acme"]["status"]["conditions"][0]["message"]
    assert message == "in namespace acme the API server refuses Secret parpour-store: no"
    assert course.treasury.bindings == {}
    course.api.refusing = ""
    course.reconcile()
    assert course.condition("Ready") == ("True", "Ready")


def test_a_namespace_of_others_is_given_nothing(course: Course) -> None:
    course.furniture = FURNITURE
    course.api.put_namespace("acme")
    course.reconcile()
    assert course.api.given == {}


def test_furniture_is_what_is_mounted(tmp_path: Path) -> None:
    assert read_furniture(tmp_path) == ()
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "objects.yaml").write_text("kind: ServiceAccount\n---\n---\nkind: NetworkPolicy\n")
    for name, files in (("parpour-bus", {}), ("parpour-store", {"USER": "worker", "KEY": "s3cret"})):
        kept = tmp_path / "secrets" / name / "..kept"
        kept.mkdir(parents=True)
        (kept.parent / "..data").symlink_to("..kept")
        for file, text in files.items():
            (kept / file).write_text(text)
            (kept.parent / file).symlink_to(f"..data/{file}")
    account, policy, secret = read_furniture(tmp_path)
    assert (account, policy) == ({"kind": "ServiceAccount"}, {"kind": "NetworkPolicy"})
    assert (secret["metadata"]["name"], secret["data"]) == ("parpour-store", {"KEY": "czNjcmV0", "USER": "d29ya2Vy"})


def test_a_treasury_that_refuses_or_is_away_is_told_apart(course: Course) -> None:
    course.treasury.away = "connection refused"
    assert course.reconcile() is not None
    assert course.condition("Ready") == ("Unknown", "TreasuryUnavailable")
    course.treasury.away = ""
    other = course.api.namespaces["acme"]["metadata"]["uid"]
    course.reconcile()
    known = course.treasury.bindings.pop(UUID(course.uid))
    course.treasury.bindings[uuid4()] = known
    assert str(known.namespace_uid) == other
    course.reconcile()
    assert course.condition("Treasury") == ("False", "FundingNamespaceConflict")


def test_a_budget_that_is_raised_later_waits_for_a_second_person_and_says_so(course: Course) -> None:
    course.reconcile()
    course.api.apply("acme", **spec(budget={"amount": "900.00", "currency": "USD"}))
    assert course.reconcile() is not None
    assert course.condition("Treasury") == ("True", "FundingBudgetChangePending")
    assert course.api.objects["acme"]["status"]["budget"] == BUDGET


def test_a_frozen_venture_is_not_ready(course: Course) -> None:
    course.treasury.frozen = True
    course.reconcile()
    assert course.condition("Ready") == ("False", "Frozen")


@pytest.mark.parametrize(("policy", "left"), [("Retain", ["acme"]), ("Delete", [])])
def test_deletion_freezes_and_takes_the_namespace_only_where_the_policy_says_so(
    course: Course, policy: str, left: list[str]
) -> None:
    course.api.apply("acme", **spec(deletionPolicy=policy))
    course.reconcile()
    course.api.delete("acme")
    course.reconcile()
    assert course.treasury.frozen
    assert list(course.api.namespaces) == left
    assert course.api.objects == {}


def test_deletion_waits_for_a_treasury_that_is_away(course: Course) -> None:
    course.reconcile()
    course.treasury.away = "connection refused"
    course.api.delete("acme")
    assert course.reconcile() is not None
    assert course.api.objects["acme"]["metadata"]["finalizers"] == [FINALIZER]
    course.treasury.away = ""
    course.reconcile()
    assert course.api.objects == {}


def test_a_venture_that_was_never_bound_can_be_deleted(course: Course) -> None:
    course.api.put_namespace("acme")
    course.reconcile()
    course.api.delete("acme")
    course.reconcile()
    assert course.api.objects == {}
    assert list(course.api.namespaces) == ["acme"]


def test_a_spec_of_another_version_is_told_and_changes_nothing(course: Course) -> None:
    course.api.apply("acme", displayName="Acme")
    course.reconcile()
    assert course.condition("Ready") == ("False", "SpecInvalid")
    assert course.api.namespaces == {}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("position", range(1, 10))
def test_a_crash_at_any_write_changes_nothing_in_the_end(moment: Any, position: int) -> None:
    course = Course()
    course.furniture = FURNITURE
    course.cluster.crash_at = (position, moment)
    course.reconcile()
    assert course.condition("Ready") == ("True", "Ready")
    created = [write for write in course.cluster.writes if write[0] == "create"]
    assert len(created) == 1
    course.api.delete("acme")
    course.reconcile()
    assert course.api.objects == {}
