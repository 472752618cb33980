"""A funded Simulation's life: no pod without a reservation, no more charged than reserved, nothing left open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from parpour_contracts.funding import ReservationState
from parpour_operator.children import GRACE_SECONDS
from parpour_operator.observing import RESERVATION_ANNOTATION, Key
from parpour_operator.paying import FUNDS
from parpour_operator.settings import Settings
from parpour_operator.spending import CLOSING_SECONDS
from parpour_operator.testing.lives import Life, spec
from parpour_operator.testing.memory import MemoryCluster, namespace_uid
from parpour_operator.testing.money import Account, MemoryTreasury

pytestmark = pytest.mark.unit

OURS = Settings(identity="test", worker_image="worker:test", store_url="s3://results", funding_url="https://treasury")
BUDGET = {"amount": "100.00", "currency": "USD"}
MINUTE = 60


def funded_life(settings: Settings = OURS, **treasury: Any) -> Life:
    cluster = MemoryCluster()
    money = MemoryTreasury(cluster, UUID(namespace_uid("team")), **treasury)
    return Life(settings, cluster, money)


@pytest.fixture
def funded() -> Life:
    return funded_life()


def money(life: Life) -> MemoryTreasury:
    assert life.treasury is not None
    return life.treasury


def only(life: Life) -> Account:
    (account,) = money(life).accounts.values()
    return account


def job(life: Life) -> dict[str, Any]:
    found = life.cluster.find("Job", "demo-shards")
    assert found is not None
    return found


def funding(life: Life, key: Key) -> tuple[str, str]:
    found = life.condition(key, "Funded")
    assert found is not None
    return found["status"], found["reason"]


def finish_with_pods(life: Life, key: Key, seconds: int) -> None:
    """Every shard's pod ran so long and is still to be seen."""
    for place in [place for place in life.cluster.objects if place[0] == "Pod"]:
        del life.cluster.objects[place]
    began = life.cluster.clock.now() - timedelta(seconds=seconds)
    for index in range(4):
        life.cluster.put_pod("demo-shards", index=index, exit_code=0, exit_reason="Completed", started=began)
    life.finish_shards(key)


def finish(life: Life, key: Key, seconds: int = 100) -> dict[str, Any]:
    """From a running Job to the settled end."""
    life.cluster.clock.advance(seconds)
    finish_with_pods(life, key, seconds)
    life.reconcile(key)
    life.cluster.clock.advance(5)
    life.finish_collect(key)
    life.reconcile(key)
    life.reconcile(key)
    return life.status(key)


def begin(life: Life, **changes: Any) -> Key:
    """Create it and let Kubernetes start the pods."""
    key = life.cluster.apply(**spec(budget=BUDGET, **changes))
    life.reconcile(key)
    life.run_shards(key)
    life.reconcile(key)
    return key


def assert_books(life: Life, total: int = 1_000_000) -> None:
    """What must hold at any time, whoever died where."""
    treasury = money(life)
    held = sum(a.reserved for a in treasury.accounts.values() if a.answer.state is ReservationState.RESERVED)
    charged = sum(account.charged for account in treasury.accounts.values())
    assert treasury.budget + held + charged == total
    assert all(account.charged <= account.reserved for account in treasury.accounts.values())
    found = life.cluster.find("Job", "demo-shards")
    if found is not None:
        assert UUID(found["metadata"]["annotations"][RESERVATION_ANNOTATION]) in treasury.accounts
    writes = [write[:2] for write in life.cluster.writes]
    if ("create", "Job") in writes:
        assert writes.index(("reserve", "Reservation")) < writes.index(("create", "Job"))


def test_a_run_within_its_budget_is_reserved_first_and_settled_by_its_pods_seconds(funded: Life) -> None:
    key = begin(funded)
    assert funding(funded, key) == ("True", "Reserved")
    deadline = only(funded).answer.deadline_seconds
    assert job(funded)["spec"]["activeDeadlineSeconds"] == deadline
    assert deadline >= OURS.reserve_seconds
    status = finish(funded, key)
    assert status["state"] == "Complete"
    assert funding(funded, key) == ("True", "Settled")
    cost = status["cost"]
    assert (cost["workerSeconds"], cost["closingSeconds"], cost["measured"]) == (400, 0, True)
    assert cost["charged"] == "0.40"  # 400 s at a tenth of a cent
    simulation = funded.cluster.find("Simulation", "demo")
    assert simulation is not None
    assert simulation["metadata"]["finalizers"] == []
    assert_books(funded)


def test_nothing_is_created_while_the_budget_does_not_allow_it() -> None:
    life = funded_life(budget=10)
    key = life.cluster.apply(**spec(budget=BUDGET))
    outcome = life.reconcile(key)
    assert funding(life, key) == ("False", "TreasuryLimitExceeded")
    assert (life.condition(key, "Accepted") or {})["status"] == "True"
    assert life.cluster.names("Job") == life.cluster.names("ConfigMap") == []
    assert outcome.requeue_after == OURS.refused_retry_seconds
    assert "TreasuryLimitExceeded" in [write[2] for write in life.cluster.writes if write[1] == "Event"]
    money(life).budget = 1_000_000
    life.reconcile(key)
    assert life.cluster.names("Job") == ["demo-shards"]


def test_a_budget_that_pays_for_no_minute_is_refused_with_the_least_that_does(funded: Life) -> None:
    key = funded.cluster.apply(**spec(budget={"amount": "0.01", "currency": "USD"}))
    funded.reconcile(key)
    assert funding(funded, key) == ("False", "FundingBudgetTooSmall")
    found = funded.condition(key, "Funded") or {}
    least = found["message"].split()[-2]
    funded.cluster.apply(**spec(budget={"amount": least, "currency": "USD"}))
    funded.reconcile(key)
    assert job(funded)["spec"]["activeDeadlineSeconds"] >= MINUTE


def test_another_currency_than_the_ventures_is_refused(funded: Life) -> None:
    key = funded.cluster.apply(**spec(budget={"amount": "5.00", "currency": "EUR"}))
    funded.reconcile(key)
    assert funding(funded, key) == ("False", "FundingCurrencyMismatch")


@pytest.mark.parametrize(
    ("namespace", "budget", "allowed", "expected"),
    [
        ("team", None, True, ("False", "BudgetMissing")),
        ("lone", None, False, ("False", "UnbudgetedNotAllowed")),
        ("lone", BUDGET, True, ("False", "NamespaceUnbound")),
        ("lone", None, True, None),
    ],
)
def test_who_may_run_without_a_budget(namespace: str, budget: Any, allowed: bool, expected: Any) -> None:
    life = funded_life(OURS.model_copy(update={"allow_unbudgeted": allowed}))
    key = life.cluster.apply(namespace=namespace, **spec(budget=budget))
    life.reconcile(key)
    if expected is None:
        assert life.condition(key, "Funded") is None
        assert life.cluster.names("Job") == ["demo-shards"]
    else:
        assert funding(life, key) == expected
        assert life.cluster.names("Job") == []


def test_without_a_treasury_a_budget_is_refused_and_everything_else_is_as_before(life: Life) -> None:
    key = life.cluster.apply(**spec(budget=BUDGET))
    life.reconcile(key)
    assert funding(life, key) == ("False", "TreasuryNotConfigured")
    assert life.cluster.names("Job") == []
    life.cluster.apply(**spec())
    life.reconcile(key)
    assert life.cluster.names("Job") == ["demo-shards"]


def test_while_the_treasury_is_away_nothing_begins(funded: Life) -> None:
    money(funded).away = "connection refused"
    key = funded.cluster.apply(**spec(budget=BUDGET))
    outcome = funded.reconcile(key)
    assert funding(funded, key) == ("Unknown", "TreasuryUnavailable")
    assert funded.cluster.names("Job") == []
    assert outcome.requeue_after is not None
    money(funded).away = ""
    funded.reconcile(key)
    assert funded.cluster.names("Job") == ["demo-shards"]


def test_a_running_simulation_minds_no_treasury_that_is_away(funded: Life) -> None:
    key = begin(funded)
    money(funded).away = "connection refused"
    funded.cluster.clock.advance(60)
    funded.reconcile(key)
    assert funding(funded, key) == ("True", "Reserved")
    assert funded.status(key)["state"] == "Running"


def test_a_result_does_not_wait_for_the_treasury_and_is_settled_later(funded: Life) -> None:
    key = begin(funded)
    money(funded).away = "connection refused"
    status = finish(funded, key)
    assert status["state"] == "Complete"
    assert funding(funded, key) == ("Unknown", "TreasuryUnavailable")
    assert status["cost"]["workerSeconds"] == 400
    for place in [place for place in funded.cluster.objects if place[0] in ("Pod", "Job")]:
        del funded.cluster.objects[place]
    money(funded).away = ""
    funded.reconcile(key)
    funded.reconcile(key)
    assert funding(funded, key) == ("True", "Settled")
    assert only(funded).charged == 40
    assert FUNDS not in funded.cluster.objects[("Simulation", "team", "demo")]["metadata"]["finalizers"]


def test_where_pods_are_gone_what_they_could_have_run_is_charged(funded: Life) -> None:
    key = begin(funded)
    funded.cluster.clock.advance(100)
    funded.finish_shards(key)  # four succeeded, and none of their pods is to be seen
    funded.reconcile(key)
    funded.finish_collect(key)
    funded.reconcile(key)
    cost = funded.status(key)["cost"]
    assert (cost["workerSeconds"], cost["measured"]) == (400, False)


def test_what_was_used_before_a_suspension_is_taken_off_the_deadline(funded: Life) -> None:
    key = begin(funded)
    whole = only(funded).answer.deadline_seconds
    funded.cluster.clock.advance(1000)
    funded.cluster.apply(**spec(budget=BUDGET, suspend=True))
    funded.reconcile(key)
    funded.cluster.clock.advance(50_000)
    funded.reconcile(key)
    assert funded.status(key)["cost"]["usedSeconds"] == 1000 + GRACE_SECONDS
    funded.cluster.apply(**spec(budget=BUDGET, suspend=False))
    funded.reconcile(key)
    assert job(funded)["spec"]["activeDeadlineSeconds"] == whole - 1000 - GRACE_SECONDS
    funded.run_shards(key)
    status = finish(funded, key)
    assert status["cost"]["workerSeconds"] == 4 * (1000 + GRACE_SECONDS) + 400
    assert_books(funded)


def test_a_long_run_is_renewed_before_its_slice_is_used_up(funded: Life) -> None:
    key = begin(funded)
    first = only(funded).answer.deadline_seconds
    outcome = funded.reconcile(key)
    assert outcome.requeue_after == pytest.approx(0.8 * first)
    funded.cluster.clock.advance(0.8 * first + 1)
    funded.reconcile(key)
    later = only(funded).answer.deadline_seconds
    assert later >= first + OURS.reserve_seconds
    assert job(funded)["spec"]["activeDeadlineSeconds"] == later
    assert funded.status(key)["cost"]["reserved"] == only(funded).answer.reserved
    finish(funded, key)
    assert_books(funded)


def test_a_run_whose_renewal_is_refused_ends_at_its_deadline(funded: Life) -> None:
    key = begin(funded)
    money(funded).frozen = True
    first = only(funded).answer.deadline_seconds
    funded.cluster.clock.advance(0.8 * first + 1)
    outcome = funded.reconcile(key)
    assert funding(funded, key) == ("True", "RenewalRefused")
    assert outcome.requeue_after == OURS.refused_retry_seconds
    assert job(funded)["spec"]["activeDeadlineSeconds"] == first
    funded.cluster.clock.advance(0.2 * first + 20)
    funded.cluster.end_job("demo-shards", "Failed", reason="DeadlineExceeded", failed=4)
    funded.reconcile(key)
    funded.reconcile(key)
    failed = funded.condition(key, "Failed") or {}
    assert failed["reason"] == "BudgetExhausted"
    assert only(funded).charged <= only(funded).reserved
    assert funding(funded, key) == ("True", "Settled")
    assert_books(funded)


def test_the_specs_own_deadline_holds_where_it_is_shorter(funded: Life) -> None:
    key = begin(funded, activeDeadlineSeconds=120)
    assert job(funded)["spec"]["activeDeadlineSeconds"] == 120
    funded.cluster.clock.advance(125)
    funded.cluster.end_job("demo-shards", "Failed", reason="DeadlineExceeded", failed=4)
    funded.reconcile(key)
    assert (funded.condition(key, "Failed") or {})["reason"] == "DeadlineExceeded"


def test_deleting_a_running_simulation_stops_it_and_settles(funded: Life) -> None:
    key = begin(funded)
    funded.cluster.clock.advance(100)
    funded.cluster.delete(key)
    funded.reconcile(key)
    assert funded.cluster.find("Simulation", "demo") is None
    # the Job is gone in memory at once, so what its workers could have run is charged, a grace included
    assert only(funded).settlements[0].worker_seconds == 4 * (100 + GRACE_SECONDS)
    assert_books(funded)


def test_deletion_waits_for_a_treasury_that_is_away(funded: Life) -> None:
    key = begin(funded)
    money(funded).away = "connection refused"
    funded.cluster.delete(key)
    funded.reconcile(key)
    assert funded.cluster.names("Job") == []
    assert funding(funded, key) == ("Unknown", "TreasuryUnavailable")
    money(funded).away = ""
    funded.reconcile(key)
    assert funded.cluster.find("Simulation", "demo") is None
    assert only(funded).answer.state is ReservationState.SETTLED


def test_what_is_reserved_for_children_that_are_refused_is_released(funded: Life) -> None:
    funded.cluster.rejecting = "exceeded quota"
    key = funded.cluster.apply(**spec(budget=BUDGET))
    funded.reconcile(key)
    assert (funded.condition(key, "Accepted") or {})["reason"] == "ChildRefused"
    assert only(funded).answer.state is ReservationState.CANCELLED
    funded.cluster.rejecting = ""
    funded.reconcile(key)
    assert funded.cluster.names("Job") == ["demo-shards"]
    assert_books(funded)


def test_an_edit_before_the_start_cancels_what_was_reserved_for_the_earlier_spec(funded: Life) -> None:
    key = funded.cluster.apply(**spec(budget=BUDGET))
    funded.cluster.crash_at = (2, "after")  # the finalizer is the first write, the reservation the second
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(funded, "restart", lambda: funded.cluster.apply(**spec(budget=BUDGET, shards=2)))
        funded.reconcile(key)
    states = [account.answer.state for account in money(funded).accounts.values()]
    assert states == [ReservationState.CANCELLED, ReservationState.RESERVED]
    assert_books(funded)


def test_the_same_run_is_paid_for_once_although_later_edits_raise_its_generation(funded: Life) -> None:
    key = begin(funded)
    funded.cluster.apply(**spec(budget=BUDGET, ttlSecondsAfterFinished=9))
    funded.reconcile(key)
    del funded.cluster.objects[("Job", "team", "demo-shards")]
    funded.reconcile(key)
    assert len(money(funded).accounts) == 1
    assert only(funded).answer.key.endswith("/1")
    assert job(funded)["metadata"]["annotations"][RESERVATION_ANNOTATION] == str(only(funded).answer.reservation)


def test_a_reservation_that_was_closed_elsewhere_ends_the_run(funded: Life) -> None:
    key = begin(funded)
    account = only(funded)
    money(funded)._close(account, ReservationState.CANCELLED)
    funded.reconcile(key)
    assert job(funded)["spec"]["activeDeadlineSeconds"] == 1
    funded.cluster.end_job("demo-shards", "Failed", reason="DeadlineExceeded", failed=4)
    funded.reconcile(key)
    assert (funded.condition(key, "Failed") or {})["reason"] == "ReservationClosed"


def test_a_job_whose_deadline_and_annotation_were_edited_is_held_to_its_reservation(funded: Life) -> None:
    key = begin(funded)
    deadline = only(funded).answer.deadline_seconds
    job(funded)["spec"]["activeDeadlineSeconds"] = 10 * deadline
    job(funded)["metadata"]["annotations"] = {RESERVATION_ANNOTATION: "00000000-0000-0000-0000-00000000000a"}
    funded.reconcile(key)
    assert job(funded)["spec"]["activeDeadlineSeconds"] == deadline
    job(funded)["metadata"]["annotations"] = {}
    status = finish(funded, key)
    assert status["cost"]["charged"] == "0.40"


def test_collecting_is_bounded_too(funded: Life) -> None:
    key = begin(funded)
    finish_with_pods(funded, key, 10)
    funded.reconcile(key)
    collect = funded.cluster.find("Job", "demo-collect")
    assert collect is not None
    assert collect["spec"]["activeDeadlineSeconds"] + GRACE_SECONDS == CLOSING_SECONDS


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("position", range(1, 16))
def test_a_crash_at_any_write_of_a_funded_life_changes_nothing_in_the_end(moment: Any, position: int) -> None:
    def live(crash: Any) -> tuple[Life, dict[str, Any]]:
        life = funded_life()
        life.cluster.crash_at = crash
        key = begin(life)
        return life, finish(life, key)

    _, expected = live(None)
    disturbed, found = live((position, moment))
    assert found == expected
    assert len(money(disturbed).accounts) == 1
    assert_books(disturbed)


ACTS = st.sampled_from(["reconcile", "run", "suspend", "resume", "away", "back", "freeze", "thaw", "wait", "lose job"])


@pytest.mark.long
@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    acts=st.lists(ACTS, max_size=14),
    crashes=st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["before", "after"])), max_size=6),
    ending=st.sampled_from(["finish", "fail", "delete"]),
)
def test_whatever_happens_every_reservation_ends_closed(acts: list[str], crashes: list[Any], ending: str) -> None:
    life = funded_life()
    key = life.cluster.apply(**spec(budget=BUDGET))
    pending = list(crashes)

    def reconcile() -> None:
        if life.cluster.crash_at is None and pending:
            life.cluster.crash_at = pending.pop()
        life.reconcile(key)
        assert_books(life)

    for act in acts:
        there = life.cluster.find("Job", "demo-shards")
        match act:
            case "run" if there is not None and not there["spec"]["suspend"]:
                life.run_shards(key)
            case "suspend" | "resume":
                life.cluster.apply(**spec(budget=BUDGET, suspend=act == "suspend"))
            case "away" | "back":
                money(life).away = "away" if act == "away" else ""
            case "freeze" | "thaw":
                money(life).frozen = act == "freeze"
            case "wait":
                life.cluster.clock.advance(700)
            case "lose job" if there is not None:
                del life.cluster.objects[("Job", "team", "demo-shards")]
        reconcile()
    money(life).away, money(life).frozen = "", False
    life.cluster.apply(**spec(budget=BUDGET))
    reconcile()
    reconcile()
    ended = life.status(key)["state"] in ("Complete", "Failed")
    if ending == "delete" or ended:
        life.cluster.delete(key)
    elif ending == "fail":
        life.run_shards(key)
        life.reconcile(key)
        life.cluster.end_job("demo-shards", "Failed", reason="PodFailurePolicy", failed=1)
    else:
        life.run_shards(key)
        life.reconcile(key)
        life.finish_shards(key)
        reconcile()
        life.finish_collect(key)
    for _ in range(3):
        reconcile()
    states = {account.answer.state for account in money(life).accounts.values()}
    assert ReservationState.RESERVED not in states
    assert_books(life)
