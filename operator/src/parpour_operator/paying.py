"""Decides what is asked of the treasury for one Simulation, from facts alone: a part of `planning`.

Acceptance comes first, then the reservation, then the children. A run that has a reservation keeps it by the annotation
on its Job and by its status, so neither a lost status nor a later edit can make it pay twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from parpour_contracts.funding import Reservation, ReservationRequest, ReservationState, Settlement
from parpour_contracts.run import RunDocument
from parpour_contracts.simulation import Cost, SimulationSpec
from parpour_operator import children, spending
from parpour_operator.accepting import camel
from parpour_operator.observing import Job, Observed
from parpour_operator.reporting import Report, Truth
from parpour_operator.settings import Settings

FUNDS = "parpour.dev/funds"
"""Finalizer that stands while money is kept free for the resource."""
AWAY = "TreasuryUnavailable"
AT_ONCE = 1
"""Deadline, in seconds, of a run that nothing pays for any more."""


@dataclass(frozen=True)
class Reserve:
    """Ask the treasury to keep money free."""

    request: ReservationRequest


@dataclass(frozen=True)
class Renew:
    """Ask that a reservation cover a longer run."""

    reservation: Reservation
    seconds: int


@dataclass(frozen=True)
class Settle:
    """Say what was used; the rest is released."""

    reservation: Reservation
    settlement: Settlement


@dataclass(frozen=True)
class Cancel:
    """Release a reservation of which nothing was used."""

    reservation: Reservation


@dataclass(frozen=True)
class SetDeadline:
    """Set for how long a Job may run, counted from when its present stretch began."""

    job: str
    uid: str
    seconds: int


Step = Reserve | Renew | Settle | Cancel | SetDeadline


class Unfunded(Exception):
    """The run may not begin: there is no money for it, or nobody to ask."""

    def __init__(self, status: Truth, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Grant:
    """What pays for a run that may begin, or has begun."""

    cost: Cost
    """Brought up to date."""
    workers: int
    reservation: Reservation | None
    """None while the treasury cannot be asked."""

    @property
    def open(self) -> Reservation | None:
        """The reservation while it keeps money free."""
        standing = self.reservation
        return standing if standing is not None and standing.state is ReservationState.RESERVED else None


def pinned(observed: Observed) -> str:
    """The reservation that the run began with; empty if it has not begun, or has begun without one.

    The status comes first, as only the operator writes it; the annotation tells what a crash kept from the status.
    """
    cost = observed.resource.status.cost
    if cost is not None:
        return cost.reservation
    shards = observed.jobs.get(children.shards_name(observed.resource.key.name))
    return shards.reservation if shards is not None else ""


def claim(
    observed: Observed, spec: SimulationSpec, document: RunDocument, settings: Settings, now: datetime
) -> tuple[Step, ...] | Grant | None:
    """Steps to take first, or what pays for the run; None if it runs without a reservation.

    Raises:
        Unfunded: if it may not begin.
    """
    shards = observed.jobs.get(children.shards_name(observed.resource.key.name))
    if shards is not None:
        return _standing(observed, spec, document, shards, now)
    funds = observed.funds
    if funds is None:
        if spec.budget is None:
            return None
        message = "spec.budget: this installation has no treasury that would keep it; leave it out"
        raise Unfunded("False", "TreasuryNotConfigured", message)
    if funds.away:
        raise Unfunded("Unknown", AWAY, f"{funds.away}; it is asked again")
    if funds.venture is None:
        _refuse_outside(spec, settings)
        return None
    if spec.budget is None:
        raise Unfunded("False", "BudgetMissing", "spec.budget: a Simulation in a Venture names what it may cost")
    if funds.refused is not None:
        raise Unfunded("False", camel(funds.refused.code), funds.refused.message)
    wanted = spending.request(observed.resource, spec, document, settings, funds)
    kept = pinned(observed)
    found = funds.find(kept) if kept else next((one for one in funds.reservations if one.key == wanted.key), None)
    stale = tuple(Cancel(one) for one in funds.open() if found is None or one.reservation != found.reservation)
    if stale:
        return stale
    if found is not None and found.state is ReservationState.RESERVED:
        return _grant(observed, found, None, now)
    if found is not None and found.state is ReservationState.AWAITING:
        raise Unfunded("False", "ApprovalNeeded", "the venture's rules want people to approve it in the treasury first")
    if found is not None and (kept or found.state is ReservationState.SETTLED):
        raise Unfunded("False", "ReservationClosed", f"what was reserved for this run is {found.state}; create another")
    return (Reserve(wanted),)


def _refuse_outside(spec: SimulationSpec, settings: Settings) -> None:
    if spec.budget is not None:
        message = "spec.budget: no Venture owns this namespace, so nothing can pay; create it in a Venture's namespace"
        raise Unfunded("False", "NamespaceUnbound", message)
    if not settings.allow_unbudgeted:
        message = "no Venture owns this namespace, and this installation runs nothing without a budget"
        raise Unfunded("False", "UnbudgetedNotAllowed", message)


def _standing(
    observed: Observed, spec: SimulationSpec, document: RunDocument, shards: Job, now: datetime
) -> Grant | None:
    """What pays for a run whose Job exists. Nothing here keeps the Job from going on."""
    kept = pinned(observed)
    if not kept:
        return None
    found = observed.funds.find(kept) if observed.funds is not None else None
    if found is not None:
        return _grant(observed, found, shards, now)
    cost = observed.resource.status.cost
    if cost is not None:
        return Grant(spending.advance(cost, shards, now), spending.workers_at_a_time(spec, document), None)
    away = observed.funds.away if observed.funds is not None else ""
    raise Unfunded("Unknown", AWAY, f"{away or 'the treasury knows no reservation of this run'}; it is asked again")


def _grant(observed: Observed, reservation: Reservation, shards: Job | None, now: datetime) -> Grant:
    cost = spending.cost_of(reservation, observed.resource.status.cost)
    return Grant(spending.advance(cost, shards, now), reservation.workers, reservation)


def upkeep(
    observed: Observed, grant: Grant, spec: SimulationSpec, shards: Job, settings: Settings, now: datetime
) -> tuple[Step, ...]:
    """Steps that keep a running Job inside of what is reserved for it."""
    reservation = grant.reservation
    if reservation is None or shards.outcome or shards.deleting or (shards.suspended and spec.suspend):
        return ()
    if grant.open is None:
        return () if shards.deadline == AT_ONCE else (SetDeadline(shards.name, shards.uid, AT_ONCE),)
    if not shards.suspended and spending.renewal_due_in(reservation, grant.cost, now) <= 0:
        renewal = renew(observed, reservation, settings)
        if renewal is not None:
            return (renewal,)
    wanted = spending.job_deadline(spec, reservation, grant.cost)
    return () if shards.deadline == wanted else (SetDeadline(shards.name, shards.uid, wanted),)


def renew(observed: Observed, reservation: Reservation, settings: Settings) -> Renew | None:
    """The step that reserves more, unless there is no more to have."""
    funds = observed.funds
    if funds is None or funds.refused is not None or funds.away or not reservation.renewable:
        return None
    return Renew(reservation, reservation.deadline_seconds + settings.reserve_seconds)


def renewal_in(grant: Grant | None, observed: Observed, settings: Settings, now: datetime) -> float | None:
    """Seconds until the reservation has to be looked at again; None if never."""
    if grant is None or grant.cost.since is None:
        return None
    if grant.reservation is None or (observed.funds is not None and observed.funds.refused is not None):
        return settings.refused_retry_seconds
    if not grant.reservation.renewable:
        return None
    return max(1.0, spending.renewal_due_in(grant.reservation, grant.cost, now))


def tell(report: Report, grant: Grant | None, observed: Observed) -> Report:
    """The report with what is reserved."""
    if grant is None:
        return report
    report = report.cost(grant.cost)
    reservation, funds = grant.reservation, observed.funds
    if reservation is None:
        return report
    amount = f"{reservation.reserved} {reservation.currency}"
    if grant.open is None:
        return report.funded("False", "ReservationClosed", f"{amount} were reserved and are {reservation.state}")
    if funds is not None and funds.refused is not None:
        message = f"{amount} pay until the deadline; more is refused: {funds.refused.code}: {funds.refused.message}"
        return report.funded("True", "RenewalRefused", message)
    message = f"{amount} reserved for {reservation.deadline_seconds} s of run; price list {reservation.price_list}"
    return report.funded("True", "Reserved", message)


def bill(observed: Observed, grant: Grant, now: datetime, reason: str) -> Settlement:
    """What the run has used; what the status says of it already, if it was over before."""
    cost, name = grant.cost, observed.resource.key.name
    if cost.worker_seconds is not None:
        return Settlement(
            worker_seconds=cost.worker_seconds,
            closing_seconds=cost.closing_seconds or 0,
            measured=bool(cost.measured),
            reason=reason[:253],
        )
    return spending.settlement(
        cost,
        workers=grant.workers,
        shards=observed.jobs.get(children.shards_name(name)),
        collect=observed.jobs.get(children.collect_name(name)),
        pods=observed.pods,
        now=now,
        reason=reason,
    )


def payable(observed: Observed, grant: Grant) -> Reservation | None:
    """The reservation that can be settled now."""
    funds = observed.funds
    return grant.open if funds is not None and not funds.away and funds.refused is None else None


def settled(report: Report, grant: Grant, used: Settlement, observed: Observed) -> Report:
    """The report of a run that is over."""
    seconds = {
        "worker_seconds": used.worker_seconds,
        "closing_seconds": used.closing_seconds,
        "measured": used.measured,
        "since": None,
    }
    report = report.cost(grant.cost.model_copy(update=seconds))
    reservation = grant.reservation
    if reservation is not None and reservation.state is not ReservationState.RESERVED:
        return _closed(report, reservation)
    funds = observed.funds
    why = funds.refused.message if funds is not None and funds.refused is not None else ""
    why = why or (funds.away if funds is not None else "") or "the treasury is not configured any more"
    return report.funded("Unknown", AWAY, f"the run is over and not settled: {why}; it is tried again")


def _closed(report: Report, reservation: Reservation) -> Report:
    if reservation.state is ReservationState.SETTLED:
        charged, reserved = reservation.charged or "0", reservation.reserved
        return report.funded("True", "Settled", f"{charged} of {reserved} {reservation.currency} charged")
    return report.funded("False", "ReservationClosed", f"what was reserved is {reservation.state}")


def told_closed(report: Report, observed: Observed) -> Report:
    """The report of a finished run with what the treasury says of its reservation."""
    cost, funds = report.status.cost, observed.funds
    found = funds.find(cost.reservation) if funds is not None and cost is not None else None
    if found is None or found.state is ReservationState.RESERVED:
        return report
    return _closed(report.cost(spending.cost_of(found, cost)), found)


def release(observed: Observed, now: datetime, reason: str) -> tuple[Step, ...]:
    """Steps that close every reservation of a resource that is finished or goes: used ones are settled."""
    funds = observed.funds
    if funds is None or funds.away or funds.refused is not None:
        return ()
    kept = pinned(observed)
    steps: list[Step] = []
    shards = observed.jobs.get(children.shards_name(observed.resource.key.name))
    for one in funds.open():
        if str(one.reservation) != kept:
            steps.append(Cancel(one))
            continue
        used = bill(observed, _grant(observed, one, shards, now), now, reason)
        steps.append(Settle(one, used) if used.worker_seconds or used.closing_seconds else Cancel(one))
    return tuple(steps)
