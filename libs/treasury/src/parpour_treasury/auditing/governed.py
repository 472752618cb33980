"""Compares members, envelopes, payees and stops that were handed over with what the events left of each.

What an event of these says is the whole thing as it is from then on, so the last one tells, and a stop and its release
tell whether it still stands. Where one of a thing's events was erased, nothing is said about it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from parpour_treasury.auditing.dossier import Dossier
from parpour_treasury.auditing.events import Event
from parpour_treasury.auditing.findings import Finding
from parpour_treasury.spending.states import State

RESERVING = (State.RESERVED, State.SUBMITTING, State.UNKNOWN, State.SENT)
"""States in which a spend takes of what its envelopes have, before it is settled."""
WHO = ("name", "category", "provider", "destination", "fingerprint")
"""What tells a payee from another."""


@dataclass
class ToldGoverned:
    """What all events come to, by what they are about, an event at a time."""

    members: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    envelopes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    payees: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    """Members that are revoked, payees that are held, `frozen` and `stopped`."""
    erased: set[str] = field(default_factory=set)
    """Subjects of which an event was erased."""
    findings: list[Finding] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """One more event, in their order."""
        try:
            self._take(event)
        except (KeyError, TypeError) as error:
            detail = f"{event.type}: {type(error).__name__}: {error}"
            self.findings.append(Finding("AUDIT_EVENT_MALFORMED", event.subject, detail))

    def _take(self, event: Event) -> None:
        said = event.payload
        if said is None:
            self.erased.add(event.subject)
            return
        match event.type:
            case "treasury.member.changed":
                self.members[_name(said, "actor")] = said
                self.stopped.discard(_name(said, "actor"))
            case "treasury.member.revoked":
                self.stopped.add(_name(said, "actor"))
            case "treasury.envelope.changed":
                self.envelopes[_name(said, "envelope")] = said
            case "treasury.payee.changed":
                self.payees[_name(said, "payee")] = said
            case "treasury.payee.held":
                self.stopped.add(_name(said, "payee"))
            case "treasury.payee.released":
                self.stopped.discard(_name(said, "payee"))
            case "treasury.venture.frozen":
                self.stopped.add("frozen")
            case "treasury.venture.unfrozen":
                self.stopped.discard("frozen")
            case "treasury.venture.stopped":
                self.stopped.add("stopped")
            case "treasury.venture.resumed":
                self.stopped.discard("stopped")


def _name(said: Mapping[str, Any], field: str) -> str:
    if not isinstance(said[field], str):
        raise TypeError(f"{field} is no text")
    return str(said[field])


def compare_governed(dossier: Dossier, told: ToldGoverned) -> list[Finding]:
    """Every contradiction; none if what stands is what the events left."""
    findings = list(told.findings)
    for compare in (_members, _envelopes, _payees, _stops):
        findings += compare(dossier, told)
    return findings


def _members(dossier: Dossier, told: ToldGoverned) -> Iterator[Finding]:
    if "member" in told.erased:
        return
    for actor in sorted(dossier.members.keys() | told.members.keys()):
        kept, said = dossier.members.get(actor), told.members.get(actor)
        stands = wanted = None
        if kept is not None:
            stands = {"person": kept.person, "roles": list(kept.roles), "revoked": kept.revoked_at is not None}
        if said is not None:
            wanted = {"person": said.get("person"), "roles": said.get("roles"), "revoked": actor in told.stopped}
        yield from _differing("AUDIT_MEMBER_CHANGED", f"member/{actor}", stands, wanted)


def _envelopes(dossier: Dossier, told: ToldGoverned) -> Iterator[Finding]:
    taken = _taken(dossier)
    there = {str(one.envelope_id): one for one in dossier.envelopes.values()}
    for name in sorted(there.keys() | told.envelopes.keys()):
        if f"envelope/{name}" in told.erased:
            continue
        kept, said = there.get(name), told.envelopes.get(name)
        stands = wanted = None
        if kept is not None:
            stands = {one: getattr(kept, one) for one in ("code", "currency", "cap", "reserved", "spent")}
            stands["parent"] = None if kept.parent_id is None else str(kept.parent_id)
        if said is not None:
            wanted = {one: said.get(one) for one in ("code", "currency", "cap", "parent")}
            wanted["reserved"], wanted["spent"] = taken[name]
        yield from _differing("AUDIT_ENVELOPE_CHANGED", f"envelope/{name}", stands, wanted)


def _taken(dossier: Dossier) -> Mapping[str, tuple[int, int]]:
    """What spends have reserved and spent of each envelope, and of each around it."""
    taken: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for spend in dossier.spends.values():
        part = (spend.amount * (spend.state in RESERVING), spend.settled * (spend.state is State.SETTLED))
        name, seen = spend.envelope_id, set[UUID]()
        # Whoever is audited may have made a circle of them.
        while any(part) and name is not None and name not in seen:
            seen.add(name)
            taken[str(name)] = (taken[str(name)][0] + part[0], taken[str(name)][1] + part[1])
            around = dossier.envelopes.get(name)
            name = None if around is None else around.parent_id
    return taken


def _payees(dossier: Dossier, told: ToldGoverned) -> Iterator[Finding]:
    there = {str(one.payee_id): one for one in dossier.payees.values()}
    for name in sorted(there.keys() | told.payees.keys()):
        if f"payee/{name}" in told.erased:
            continue
        kept, said = there.get(name), told.payees.get(name)
        stands: dict[str, Any] | None = None
        wanted: dict[str, Any] | None = None
        # What is said of one that is retired is what was proposed then, and changes nothing else of it.
        fields = () if said is None or said.get("retired") else WHO
        if kept is not None:
            stands = {"held": kept.held_at is not None, "retired": kept.retired_at is not None}
            stands |= {one: getattr(kept, one) for one in fields}
        if said is not None:
            wanted = {"held": name in told.stopped, "retired": said.get("retired")}
            wanted |= {one: said.get(one) for one in fields}
        yield from _differing("AUDIT_PAYEE_CHANGED", f"payee/{name}", stands, wanted)


def _stops(dossier: Dossier, told: ToldGoverned) -> Iterator[Finding]:
    if dossier.stops is None or "venture" in told.erased:
        return
    stands = {"frozen": dossier.stops.frozen_at is not None, "stopped": dossier.stops.stopped_at is not None}
    yield from _differing("AUDIT_STOPS_CHANGED", "venture", stands, {name: name in told.stopped for name in stands})


def _differing(
    code: str, place: str, stands: Mapping[str, Any] | None, told: Mapping[str, Any] | None
) -> Iterator[Finding]:
    if stands is None or told is None:
        yield Finding(code, place, "it is not there" if stands is None else "no event tells of it")
        return
    names = sorted(name for name in told if stands.get(name) != told[name])
    if names:
        shown = ", ".join(f"{name} is {stands.get(name)!r}, by the events {told[name]!r}" for name in names)
        yield Finding(code, place, shown)
