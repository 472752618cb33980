"""A Simulation as the API server serves it, made easy to render.

An object that a newer or older release wrote must still be shown, so what cannot be read is an error with a code and
never a trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from parpour_cli.faults import CliError
from parpour_contracts.conditions import Condition
from parpour_contracts.simulation import Progress, Simulation, SimulationSpec, SimulationStatus, State

FINISHED = frozenset({State.COMPLETE, State.FAILED})


@dataclass(frozen=True)
class Run:
    """One Simulation with what every view of it needs."""

    namespace: str
    name: str
    uid: str
    generation: int
    created: datetime
    spec: SimulationSpec
    status: SimulationStatus

    @property
    def progress(self) -> Progress:
        """Its progress, or none yet."""
        return self.status.progress or Progress()

    @property
    def scenario(self) -> str:
        """What it runs, also before the operator has said so."""
        source = self.spec.scenario
        if self.status.scenario:
            return self.status.scenario
        if source.config_map:
            return f"{source.config_map.name}/{source.config_map.key}"
        return source.builtin or "inline"

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self.status.state in FINISHED

    @property
    def refused(self) -> bool:
        """Whether the operator has refused this very spec; it looks again by itself when something is mended."""
        accepted = self.condition("Accepted")
        current = accepted is not None and accepted.observed_generation >= self.generation
        return current and accepted is not None and accepted.status == "False" and not self.finished

    def condition(self, type: str) -> Condition | None:
        """The condition of a type, if it was ever set."""
        return next((c for c in self.status.conditions if c.type == type), None)

    def reason(self) -> str:
        """One sentence for people on why it is in its state; nothing to say of a complete one."""
        if self.status.state is State.COMPLETE:
            return ""
        for type, status in (("Failed", "True"), ("Accepted", "False"), ("Suspended", "True"), ("Running", "False")):
            found = self.condition(type)
            if found is not None and found.status == status:
                return f"{found.reason}: {found.message}" if found.message else found.reason
        return ""


def read_run(document: Mapping[str, Any]) -> Run:
    """The Simulation in a mapping.

    Raises:
        CliError: RESOURCE_UNREADABLE when it does not fit this version's model.
    """
    metadata = document.get("metadata", {})
    try:
        simulation = Simulation.model_validate({**document, "status": document.get("status") or {}})
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise CliError(
            "RESOURCE_UNREADABLE",
            f"Simulation {metadata.get('name')!r} cannot be read: {where}: {first['msg']}",
            remedy="this command may be older than the cluster's CRD; `parpour doctor` compares them",
        ) from None
    return Run(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        uid=str(metadata.get("uid", "")),
        generation=int(metadata.get("generation", 0)),
        created=instant(metadata.get("creationTimestamp")) or datetime.fromtimestamp(0, UTC),
        spec=simulation.spec,
        status=simulation.status,
    )


def instant(text: str | None) -> datetime | None:
    """The time that a Kubernetes object states."""
    return None if not text else datetime.fromisoformat(text.replace("Z", "+00:00"))


def age_of(then: datetime, *, now: datetime) -> str:
    """How long ago, as kubectl writes it: 42s, 3m, 5h, 2d."""
    return span(max(0, int((now - then).total_seconds())))


def span(seconds: int) -> str:
    """A length of time in its largest fitting unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size or (unit != "m" and seconds >= size):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def figure(value: int) -> str:
    """A large count in three digits: 12.3 M."""
    for power, unit in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if value >= 10**power:
            return f"{value / 10**power:.3g} {unit}"
    return str(value)
