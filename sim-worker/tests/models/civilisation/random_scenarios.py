"""Draws documents of small civilisations: any number within its documented bounds, any of the named choices.

A document starts from the defaults and turns some numbers, at times to a bound; where all were drawn anew nothing would
ever be produced or bought, and little would be tried.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from parpour_contracts.scenario import Scenario, ScenarioError, override, parameters
from parpour_contracts.scenario.civilisation.economy import GOODS
from parpour_contracts.scenario.parse import Parameter, validate

FRACTION = st.integers(0, 1000).map(lambda k: Decimal(k) / 1000)
ELSEWHERE = (
    "ticks",
    "population.",
    "world.map.regions",
    "world.settlement.minimum",
    ".share",
    "people.schooling.",
    "people.round",
    "zoom.changes.",
)
"""Numbers that depend on others, which `documents` draws itself."""


def whole_shares(parts: int) -> st.SearchStrategy[list[Decimal]]:
    """Hundredths that sum to one, each at least one hundredth."""

    def cut(points: list[int]) -> list[Decimal]:
        edges = [0, *sorted(points), 100]
        return [Decimal(b - a) / 100 for a, b in pairwise(edges)]

    return st.lists(st.integers(1, 99), min_size=parts - 1, max_size=parts - 1, unique=True).map(cut)


def number_of(known: Parameter) -> st.SearchStrategy[str]:
    """A number within the bounds: one of them, one in between, or some multiple of the default."""
    low = known.minimum if known.minimum is not None else Decimal(0)
    high = known.maximum if known.maximum is not None else Decimal("0.99")
    times = [Decimal(factor) * known.value for factor in ("0.1", "0.5", "0.9", "1.1", "2", "10")]
    drawn = st.one_of(
        st.sampled_from([low, high]),
        FRACTION.map(lambda part: low + part * (high - low)),
        st.sampled_from([min(max(value, low), high) for value in times]),
    )
    if known.kind == "integer":
        return drawn.map(lambda value: str(int(value)))
    return drawn.map(lambda value: format(value.normalize(), "f"))


@st.composite
def own_technology(draw: st.DrawFn) -> dict[str, Any]:
    """Industries of one's own; some have no capital, some no inputs."""
    industries = {}
    for good in GOODS:
        inputs = draw(st.dictionaries(st.sampled_from(GOODS), st.sampled_from(["0.01", "0.05", "0.1"]), max_size=4))
        industries[good] = {
            "labour": Decimal(draw(st.sampled_from(["0.05", "0.2", "0.4"]))),
            "inputs": {name: Decimal(share) for name, share in inputs.items()},
            "capital": Decimal(draw(st.sampled_from(["0", "0", "0.5", "3"]))),
            "wear": Decimal(draw(st.sampled_from(["0", "0.05", "0.1"]))),
        }
    return {"kind": "own", "industries": industries}


@st.composite
def shares_of_goods(draw: st.DrawFn, *, without: str = "") -> dict[str, Decimal]:
    """What money is spent on: some of the goods."""
    known = [good for good in GOODS if good != without]
    goods = draw(st.lists(st.sampled_from(known), min_size=1, max_size=len(known), unique=True))
    return dict(zip(goods, draw(whole_shares(len(goods))), strict=True))


@st.composite
def changes_of_zoom(draw: st.DrawFn, regions: int, nations: int) -> list[dict[str, Any]]:
    """When which regions are aggregated, and when they are brought back."""
    choices = st.one_of(
        st.just({"kind": "all"}),
        st.integers(0, nations - 1).map(lambda k: {"kind": "nation", "nation": f"N{k}"}),
        st.integers(0, regions).map(lambda k: {"kind": "largest", "number": k}),
        st.integers(0, regions).map(lambda k: {"kind": "all-but-largest", "number": k}),
        st.lists(st.integers(0, regions - 1), min_size=1).map(lambda k: {"kind": "listed", "regions": k}),
    )
    weeks = sorted(draw(st.lists(st.integers(0, 40), min_size=1, max_size=6)))
    zooms = st.sampled_from(["aggregated", "persons"])
    return [{"week": week, "to": draw(zooms), "regions": draw(choices)} for week in weeks]


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """The plain values of a document without any of its numbers turned."""
    regions = draw(st.integers(2, 20))
    size = draw(st.integers(max(1000, 60 * regions), 5000))
    nations = draw(whole_shares(draw(st.integers(1, min(4, regions)))))
    schooling = draw(whole_shares(3))
    found: dict[str, Any] = {
        "apiVersion": "civlab/v1",
        "model": "civilisation",
        "title": "Drawn",
        "ticks": draw(st.integers(30, 60)),
        "population": {"size": size, "room": Decimal(draw(st.sampled_from(["0", "0.25", "2"])))},
        "world": {
            "map": {"regions": regions, "terrain": draw(st.sampled_from(["shared", "own"]))},
            "settlement": {"minimum": draw(st.sampled_from([1, 10, 60]))},
            "nations": [
                {
                    "name": f"N{k}",
                    "share": share,
                    "government": {"purchases": draw(st.sampled_from(["follow", "fixed"]))},
                }
                for k, share in enumerate(nations)
            ],
        },
        "people": {
            "round": draw(st.sampled_from([1, 2, 4, 13])),
            "life_table": draw(st.sampled_from(["united-states-1950", "united-states-2017"])),
            "schooling": dict(zip(("basic", "trained", "expert"), schooling, strict=True)),
        },
        "economy": {
            "technology": draw(st.one_of(st.just({"kind": "united-states-2014"}), own_technology())),
            "energy": {"priority": draw(st.permutations(GOODS))},
        },
        "climate": {
            "coupling": draw(st.sampled_from(["both", "emissions", "none"])),
            "pathway": {"kind": "family", "name": draw(st.sampled_from(["low", "middle", "high", "overshoot"]))},
            "damages": draw(st.sampled_from(["howard-sterner-2017", "dice-2016r", "weitzman-2012"])),
        },
    }
    if draw(st.booleans()):
        found["economy"]["demand"] = {
            name: draw(shares_of_goods(without="energy" if name == "investment" else ""))
            for name in draw(st.lists(st.sampled_from(["consumption", "investment", "government"]), unique=True))
        }
    if draw(st.booleans()):
        found["economy"]["firms"] = {"number": draw(st.integers(9 * regions, max(9 * regions, size // 5)))}
    if draw(st.booleans()):
        found["zoom"] = {"changes": draw(changes_of_zoom(regions, len(nations)))}
    if draw(st.booleans()):
        found["people"]["total_fertility"] = Decimal(draw(st.integers(1, 100))) / 10
    return found


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario | ScenarioError:
    """A scenario, or why the document is none: bounds alone do not make one."""
    try:
        document: dict[str, Any] = draw(documents())
        scenario = validate(document)  # type: ignore[arg-type]
        known = {path: p for path, p in parameters(scenario).items() if not any(part in path for part in ELSEWHERE)}
        paths = draw(st.lists(st.sampled_from(sorted(known)), max_size=10, unique=True))
        return override(scenario, {path: draw(number_of(known[path])) for path in paths})
    except ScenarioError as refused:
        return refused
