"""What zooming out costs: the same seeds person by person and with aggregated regions, metric by metric.

Two worlds of one seed draw other numbers once one of them is aggregated, so that they differ by chance alone. An error
is therefore told in units of the spread between seeds too: it matters where it is not small beside what another seed
would change. Of all analyses this one alone knows a section of a model's scenario.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civlab import api
from civlab.errors import CivlabError
from civlab.runs.spec import RunSpec, civlab_errors
from civlab.runs.verify import MemberWatcher, uncounted
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import Scenario
from parpour_contracts.scenario.civilisation.document import CivilisationScenario
from parpour_contracts.scenario.parse import plain, validate

INDEPENDENT = 2**0.5
"""The root mean square by which two worlds of different seeds differ, in spreads."""
Course = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class MetricError:
    """One metric in both zooms, over all ticks and members.

    `persons` and `aggregated` are means; `mean_error` their difference and `rms_error` the root mean square of the
    differences of a seed and tick; `spread` the standard deviation between seeds, person by person, of a tick.
    """

    metric: str
    unit: str
    persons: float
    aggregated: float
    mean_error: float
    rms_error: float
    spread: float

    def in_spreads(self, error: float) -> float | None:
        """An error over the spread between seeds; None where seeds do not differ."""
        return error / self.spread if self.spread > 0 else None


@dataclass(frozen=True)
class ZoomCheck:
    """How much aggregated regions differ from persons, and what they cost: CPU seconds of all members' ticks."""

    title: str
    ticks: int
    members: int
    seed: int
    changes: list[dict[str, Any]]
    errors: tuple[MetricError, ...]
    seconds_persons: float
    seconds_aggregated: float

    @property
    def speed_up(self) -> float:
        """CPU seconds person by person over those aggregated."""
        return self.seconds_persons / max(self.seconds_aggregated, 1e-9)


def check_zoom(
    scenario: str | Path,
    *,
    regions: str | None = None,
    members: int = 8,
    seed: int = 0,
    ticks: int | None = None,
    population: int | None = None,
    overrides: Mapping[str, str] | None = None,
    backend: Backend | None = None,
    on_member: MemberWatcher = uncounted,
) -> ZoomCheck:
    """Run the members of a civilisation person by person and aggregated, and compare all metrics.

    The regions that `regions` names (`all`, `nation=NAME`, `largest=3`, `all-but-largest=3` or `0,4,7`) are aggregated
    from the first week on; without it the scenario's own changes of zoom are made, or all regions are aggregated where
    it has none. Raises CivlabError ZOOM_NOT_OF_MODEL, ZOOM_REGIONS_MALFORMED, RUN_MEMBERS_OUT_OF_RANGE for fewer than
    two members, and those of runs and scenarios.
    """
    if members < 2:
        raise CivlabError(
            "RUN_MEMBERS_OUT_OF_RANGE", "members", f"{members} show no spread between seeds; take 2 or more"
        )
    spec = api.make_spec(scenario, members=members, seed=seed, ticks=ticks, population=population, parameters=overrides)
    persons, aggregated = both_zooms(spec.scenario, regions)
    device = backend or Backend.cpu()
    runs: list[tuple[list[Course], float]] = []
    for number, form in enumerate((persons, aggregated)):
        courses, seconds = [], 0.0
        for member in range(members):
            course, cost = member_course(spec, form, member, device)
            courses.append(course)
            seconds += cost
            on_member(number * members + member + 1, 2 * members)
        runs.append((courses, seconds))
    return ZoomCheck(
        title=spec.scenario.title,
        ticks=spec.ticks,
        members=members,
        seed=seed,
        changes=[change.model_dump(mode="json") for change in aggregated.zoom.changes],
        errors=tuple(
            metric_error(metric.name, metric.unit, *(stacked(courses, metric.name) for courses, _ in runs))
            for metric in spec.model.metrics
        ),
        seconds_persons=runs[0][1],
        seconds_aggregated=runs[1][1],
    )


def both_zooms(scenario: Scenario, regions: str | None) -> tuple[CivilisationScenario, CivilisationScenario]:
    """The scenario without changes of zoom and with those that are to be checked."""
    if not isinstance(scenario, CivilisationScenario):
        message = f"the model {scenario.model} has one zoom; give a scenario of the model civilisation"
        raise CivlabError("ZOOM_NOT_OF_MODEL", "scenario", message)
    zoom = plain(scenario)["zoom"]
    own = [] if regions is not None else list(zoom["changes"])
    changes = own or [{"week": 0, "to": "aggregated", "regions": parse_regions(regions or "all")}]
    return tuple(with_changes(scenario, listed) for listed in ([], changes))  # type: ignore[return-value]


def with_changes(scenario: CivilisationScenario, changes: list[Any]) -> CivilisationScenario:
    """The scenario with these changes of zoom instead of its own. Raises CivlabError as scenarios do."""
    document: Any = plain(scenario)
    document["zoom"] = {**document["zoom"], "changes": changes}
    with civlab_errors():
        changed = validate(document)
    assert isinstance(changed, CivilisationScenario)
    return changed


def parse_regions(text: str) -> dict[str, Any]:
    """A choice of regions from the shell. Raises CivlabError ZOOM_REGIONS_MALFORMED."""
    kind, equals, value = (part.strip() for part in text.partition("="))
    if text.strip() == "all":
        return {"kind": "all"}
    if kind == "nation" and value:
        return {"kind": "nation", "nation": value}
    if kind in ("largest", "all-but-largest") and value.isdecimal():
        return {"kind": kind, "number": int(value)}
    numbers = [number.strip() for number in text.split(",")]
    if not equals and all(number.isdecimal() for number in numbers):
        return {"kind": "listed", "regions": [int(number) for number in numbers]}
    message = f"{text!r} is none of all, nation=NAME, largest=3, all-but-largest=3 or a list like 0,4,7"
    raise CivlabError("ZOOM_REGIONS_MALFORMED", "--regions", message)


def member_course(spec: RunSpec, scenario: CivilisationScenario, index: int, backend: Backend) -> tuple[Course, float]:
    """Every metric by tick of one member, and the CPU seconds of its ticks; founding a world is not counted."""
    member = MemberSpec(index=index, stream=spec.points[index].stream, scenario=spec.model.compile(scenario))
    world = World.create(spec.model, [member], seed=spec.seed, backend=backend)
    began = time.process_time()
    world.advance(world.ticks)
    seconds = time.process_time() - began
    return {name: floats(values) for name, values in world.metrics(0, world.ticks).items()}, seconds


def floats(values: NDArray[Any]) -> NDArray[np.float64]:
    """A metric of one member by tick, f64 [ticks]; numbers of 128 bits come in two limbs."""
    if values.ndim == 2:
        return values[:, 0].astype("f8")
    high = np.ascontiguousarray(values[:, 0, 1]).view("i8")
    return np.asarray(values[:, 0, 0].astype("f8") + high.astype("f8") * 2.0**64)


def stacked(courses: list[Course], name: str) -> NDArray[np.float64]:
    """A metric of all members, [members, ticks]."""
    return np.stack([course[name] for course in courses])


def metric_error(name: str, unit: str, persons: NDArray[np.float64], aggregated: NDArray[np.float64]) -> MetricError:
    """How much a metric differs, from its values person by person and aggregated, each [members, ticks]."""
    error = aggregated - persons
    return MetricError(
        metric=name,
        unit=unit,
        persons=float(persons.mean()),
        aggregated=float(aggregated.mean()),
        mean_error=float(error.mean()),
        rms_error=float(np.sqrt((error**2).mean())),
        spread=float(np.sqrt(persons.var(axis=0, ddof=1).mean())),
    )
