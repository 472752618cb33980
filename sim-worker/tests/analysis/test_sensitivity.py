"""Sensitivity through our own points: functions whose indices are known in closed form, then models."""

from __future__ import annotations

import itertools
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import gammaln

import civlab
from civlab.analysis.indices import ElementaryEffect, SobolIndex, sensitivity_indices
from civlab.analysis.outcomes import Outcome, check_outcome, member_values, parse_outcome
from civlab.analysis.ranges import checked_ranges, parse_range
from civlab.analysis.sampling import Method, Sample, listed_design, sample_points
from civlab.analysis.sensitivity import Question, make_question, run_question, share_of_chance
from civlab.design import plan_members
from civlab.errors import CivlabError
from civlab.results.schema import TIMESERIES
from civlab.runs.spec import RunSpec
from civlab.store import open_store
from parpour_contracts.simulation import DesignParameter, Ensemble

Function = Callable[..., float]


@dataclass(frozen=True)
class Known:
    kind: str = "decimal"
    minimum: Decimal | None = None
    maximum: Decimal | None = None


def span(name: str, low: object, high: object) -> DesignParameter:
    return DesignParameter(name=name, minimum=str(low), maximum=str(high))


def points_of(sample: Sample, known: Mapping[str, Known]) -> NDArray[np.float64]:
    """The points as members of a run get them: through the design's texts."""
    scales = checked_ranges(sample.ranges, known, where=lambda index, field: f"{index} {field}")
    ensemble = Ensemble(members=len(sample.unit), design=listed_design(sample, scales))
    members = plan_members(ensemble, seed=1, parameters=known)
    return np.array([[float(text) for _, text in member.values] for member in members])


def analysed(
    function: Function, ranges: Sequence[DesignParameter], *, method: Method, samples: int, seed: int = 3
) -> dict[str, SobolIndex | ElementaryEffect]:
    """The indices of a function over our points."""
    sample = sample_points(method, ranges, samples=samples, seed=seed)
    points = points_of(sample, {each.name: Known() for each in ranges})
    indices = sensitivity_indices(sample, np.array([function(*point) for point in points]), seed=seed)
    return {index.name: index for index in indices}


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(CivlabError) as caught:
        act()
    return caught.value.code


PI = "3.14159265358979"
CUBE = [span("a", f"-{PI}", PI), span("b", f"-{PI}", PI), span("c", f"-{PI}", PI)]


def ishigami(a: float, b: float, c: float) -> float:
    return math.sin(a) + 7 * math.sin(b) ** 2 + 0.1 * c**4 * math.sin(a)


def ishigami_indices() -> dict[str, tuple[float, float]]:
    """First and total order in closed form: Ishigami and Homma, ISUMA 1990, 398."""
    weight, curve = 7.0, 0.1
    alone_a = (1 + curve * math.pi**4 / 5) ** 2 / 2
    alone_b, both = weight**2 / 8, curve**2 * math.pi**8 * (1 / 18 - 1 / 50)
    variance = alone_a + alone_b + both
    return {
        "a": (alone_a / variance, (alone_a + both) / variance),
        "b": (alone_b / variance, alone_b / variance),
        "c": (0.0, both / variance),
    }


@pytest.mark.unit
def test_ishigamis_function_has_its_closed_form_indices() -> None:
    found = analysed(ishigami, CUBE, method=Method.SOBOL, samples=1024)
    for name, (first, total) in ishigami_indices().items():
        index = found[name]
        assert isinstance(index, SobolIndex)
        assert index.first == pytest.approx(first, abs=0.04)
        assert index.total == pytest.approx(total, abs=0.04)
        assert abs(index.first - first) <= index.first_interval + 1e-9
        assert abs(index.total - total) <= index.total_interval
        assert index.total_interval < 0.15


@pytest.mark.unit
def test_a_linear_function_shares_its_variance_by_squared_slopes_times_ranges() -> None:
    ranges = [span("x", 0, 1), span("y", -5, 5), span("z", 100, 103)]
    slopes, widths = (6.0, 0.3, -1.0), (1.0, 10.0, 3.0)
    found = analysed(lambda *x: 50 + float(np.dot(slopes, x)), ranges, method=Method.SOBOL, samples=512)
    parts = [(slope * width) ** 2 for slope, width in zip(slopes, widths, strict=True)]
    for each, part in zip(ranges, parts, strict=True):
        index = found[each.name]
        assert isinstance(index, SobolIndex)
        assert (index.first, index.total) == pytest.approx((part / sum(parts),) * 2, abs=0.02)


@pytest.mark.unit
def test_elementary_effects_of_a_linear_function_are_slope_times_range_and_do_not_scatter() -> None:
    ranges = [span("x", 0, 1), span("y", -5, 5), span("z", 100, 103)]
    found = analysed(lambda x, y, z: 6 * x + 0.3 * y - z, ranges, method=Method.MORRIS, samples=12)
    for name, effect in {"x": 6.0, "y": 3.0, "z": -3.0}.items():
        index = found[name]
        assert isinstance(index, ElementaryEffect)
        assert (index.mean, index.star) == pytest.approx((effect, abs(effect)), rel=1e-6)
        assert index.sigma < 1e-6


@pytest.mark.unit
def test_elementary_effects_scatter_where_parameters_act_together() -> None:
    ranges = [span("x", -1, 1), span("y", -1, 1), span("idle", 0, 1)]
    found = analysed(lambda x, y, _: x * y, ranges, method=Method.MORRIS, samples=40)
    x, idle = found["x"], found["idle"]
    assert isinstance(x, ElementaryEffect)
    assert isinstance(idle, ElementaryEffect)
    assert x.sigma > 1
    assert abs(x.mean) < 0.7 * x.star
    assert (idle.mean, idle.star, idle.sigma) == (0, 0, 0)


@pytest.mark.unit
@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
def test_a_seed_decides_points_and_intervals_and_another_gives_others(method: Method, seed: int) -> None:
    np.random.seed(1)
    first = sample_points(method, CUBE, samples=8, seed=seed)
    np.random.seed(2)  # what a library draws from unless it is told otherwise
    again = sample_points(method, CUBE, samples=8, seed=seed)
    other = sample_points(method, CUBE, samples=8, seed=5)
    assert np.array_equal(first.unit, again.unit)
    assert not np.array_equal(first.unit, other.unit)
    values = first.unit.sum(axis=1) ** 2
    indices = sensitivity_indices(first, values, seed=seed)
    np.random.seed(3)
    assert sensitivity_indices(first, values, seed=seed) == indices


@pytest.mark.unit
def test_points_are_texts_of_nine_digits_within_the_range_and_whole_numbers_where_asked() -> None:
    known = {"x": Known(), "n": Known("integer")}
    ranges = [span("x", "0.1", "0.3"), span("n", 3, 6)]
    for method in Method:
        sample = sample_points(method, ranges, samples=64, seed=0)
        design = listed_design(sample, checked_ranges(ranges, known, where=lambda _index, _field: ""))
        reals, wholes = (parameter.values or () for parameter in design.parameters)
        assert all(len(text) <= 12 and Decimal("0.1") <= Decimal(text) <= Decimal("0.3") for text in reals)
        assert set(wholes) == {"3", "4", "5", "6"}


@pytest.mark.unit
@pytest.mark.parametrize(("method", "samples"), [("sobol", 0), ("sobol", 48), ("morris", 1), ("morris", 1 << 20)])
def test_a_sample_that_the_method_cannot_use_is_refused(method: str, samples: int) -> None:
    assert code_of(lambda: sample_points(Method(method), CUBE, samples=samples, seed=0)) == "SENSITIVITY_SAMPLES"


@pytest.mark.unit
@pytest.mark.parametrize("method", list(Method))
def test_outcomes_without_variance_or_that_are_no_numbers_are_refused(method: Method) -> None:
    sample = sample_points(method, CUBE, samples=4, seed=0)
    still = np.full(len(sample.unit), 0.1)
    assert code_of(lambda: sensitivity_indices(sample, still, seed=0)) == "SENSITIVITY_NO_VARIANCE"
    still[3] = np.nan
    assert code_of(lambda: sensitivity_indices(sample, still, seed=0)) == "SENSITIVITY_NOT_A_NUMBER"


@pytest.mark.unit
def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SALib.sample.sobol", None)
    with pytest.raises(CivlabError, match=r"pip install 'civlab\[analysis\]'") as refused:
        sample_points(Method.SOBOL, CUBE, samples=4, seed=0)
    assert refused.value.code == "EXTRA_MISSING"


@pytest.mark.unit
def test_the_share_of_chance_is_that_of_the_analysis_of_variance() -> None:
    random = np.random.default_rng(2)
    members = random.normal(0, 3, (4000, 1)) + random.normal(0, 1, (4000, 5))
    assert share_of_chance(members) == pytest.approx(0.1, abs=0.01)
    assert share_of_chance(members[:, :1]) is None
    assert share_of_chance(np.zeros((4, 2))) is None
    assert share_of_chance(np.array([[1.0, 1.0], [2.0, 2.0]])) == 0


def saving_question(savers: str, **changes: object) -> Question:
    ranges = [span("exchange.saving", 0, "0.9"), span("population.money", 500, 5000)]
    return make_question(savers, ranges, **{"samples": 16, "outcome": "gini", "seed": 4, **changes})  # type: ignore[arg-type]


def gini_of_savers(saving: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gini coefficient of the gamma law of shape 1 + 3 s / (1 - s): McDonald and Jensen, JASA 74, 1979, 856."""
    shape = 1 + 3 * saving / (1 - saving)
    logarithms = gammaln(shape + 0.5) - gammaln(shape + 1) - math.log(math.pi) / 2
    return np.asarray(np.exp(logarithms), dtype=np.float64)


@pytest.mark.kernel
def test_saving_takes_all_the_variance_of_inequality_and_money_none(savers: str, tmp_path: Path) -> None:
    """The stationary law depends on saving alone (Patriarca, Chakraborti and Kaski 2004), its mean is only a scale."""
    _, answer = run_question(saving_question(savers, samples=128), tmp_path, threads=1)
    assert answer is not None
    saving, money = answer.indices
    assert isinstance(saving, SobolIndex)
    assert isinstance(money, SobolIndex)
    assert (saving.first, saving.total) == pytest.approx((1, 1), abs=0.05)
    assert (money.first, money.total) == pytest.approx((0, 0), abs=0.02)
    true = gini_of_savers(np.linspace(0, 0.9, 10_001))
    assert (answer.mean, answer.deviation) == pytest.approx((true.mean(), true.std()), rel=0.05)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "run", "sensitivity.json", "sensitivity.png", "sensitivity.svg",
    ]  # fmt: skip
    assert json.loads((tmp_path / "sensitivity.json").read_text()) == answer.document()
    assert civlab.verify(tmp_path / "run", members=2, threads=1).holds
    assert "exchange.saving" in (tmp_path / "sensitivity.svg").read_text()
    assert (tmp_path / "sensitivity.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.kernel
def test_members_come_to_the_closed_form_of_their_own_point(savers: str, tmp_path: Path) -> None:
    """Each point's mean square is 1 + (1 - s) / (1 + 2 s) of the squared mean: the design's value is the member's."""
    question = saving_question(savers, outcome="squares@20..40", samples=8)
    _, answer = run_question(question, tmp_path, threads=1)
    assert answer is not None
    results = civlab.open(tmp_path / "run")
    squares = member_values(results, question.outcome)
    for point, found in zip(question.spec.points, squares, strict=True):
        saving, money = (float(text) for _, text in point.values)
        expected = 800 * money**2 * (1 + (1 - saving) / (1 + 2 * saving))
        assert found == pytest.approx(expected, rel=0.12)
    whole = results.arrow(TIMESERIES, ["squares"]).column(0).to_pylist()
    assert squares[0] == pytest.approx(float(sum(whole[20:40])) / 20, rel=1e-12)


@pytest.mark.kernel
def test_an_interrupted_analysis_goes_on_to_the_same_answer(savers: str, tmp_path: Path) -> None:
    question = saving_question(savers, method="morris", samples=4, replicates=2)
    ticks = itertools.count()
    stopped, nothing = run_question(
        question, tmp_path / "a", threads=1, checkpoint_every=0, stop=lambda: next(ticks) > 12
    )
    assert nothing is None
    assert 0 < stopped.ticks_done < stopped.ticks_total
    done, answer = run_question(question, tmp_path / "a", threads=1)
    assert done.resumed_ticks == stopped.ticks_done
    _, undisturbed = run_question(question, tmp_path / "b", threads=2)
    assert answer == undisturbed
    pictures = [(tmp_path / folder / "sensitivity.svg").read_bytes() for folder in "ab"]
    assert pictures[0] == pictures[1]


@pytest.mark.kernel
def test_replicates_share_their_random_numbers_between_points(savers: str) -> None:
    spec = saving_question(savers, replicates=3).spec
    assert [point.stream for point in spec.points[:7]] == [0, 1, 2, 0, 1, 2, 0]
    assert spec.ensemble.members == 16 * 4 * 3


@pytest.mark.kernel
def test_another_question_in_the_same_place_is_refused_unless_forced(savers: str, tmp_path: Path) -> None:
    run_question(saving_question(savers, method="morris", samples=2), tmp_path, threads=1)
    other = saving_question(savers, method="morris", samples=2, seed=5)
    assert code_of(lambda: run_question(other, tmp_path)) == "PLACE_TAKEN"
    _, answer = run_question(other, tmp_path, threads=1, force=True)
    assert answer is not None


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"outcome": "ginny"}, "OUTCOME_UNKNOWN", "outcome"),
        ({"outcome": "squares@20..41"}, "OUTCOME_WINDOW", "outcome"),
        ({"outcome": "squares@20..20"}, "OUTCOME_WINDOW", "outcome"),
        ({"outcome": "gini@1..2"}, "OUTCOME_UNKNOWN", "outcome"),
        ({"outcome": "squares"}, "OUTCOME_UNKNOWN", "outcome"),
        ({"outcome": "gini of all"}, "OUTCOME_MALFORMED", "outcome"),
        ({"samples": 20}, "SENSITIVITY_SAMPLES", "samples"),
        ({"overrides": {"exchange.saving": "0.1"}}, "RUN_PARAMETER_TWICE", "exchange.saving"),
        ({"replicates": 100_000}, "RUN_MEMBERS_OUT_OF_RANGE", "ensemble.members"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_with_its_place(
    savers: str, changes: dict[str, object], code: str, path: str
) -> None:
    with pytest.raises(CivlabError) as refused:
        saving_question(savers, **changes)
    assert (refused.value.code, refused.value.path) == (code, path)


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("exchange.savings=0..0.5", "SCENARIO_UNKNOWN_PARAMETER"),
        ("exchange.saving=0..2", "SCENARIO_OUT_OF_RANGE"),
        ("exchange.saving=0.5..0.1", "SCENARIO_OUT_OF_RANGE"),
        ("exchange.saving=a..b", "SCENARIO_WRONG_TYPE"),
        ("population.money=1.5..7", "SCENARIO_WRONG_TYPE"),
        ("exchange.saving=0..1e-20", "RANGE_MALFORMED"),
    ],
)
def test_a_range_that_does_not_fit_is_refused_with_the_parameters_name(savers: str, text: str, code: str) -> None:
    with pytest.raises(CivlabError) as refused:
        make_question(savers, [parse_range(text)], outcome="gini")
    assert refused.value.code == code
    assert refused.value.path.endswith(text.partition("=")[0])


@pytest.mark.unit
@pytest.mark.parametrize("text", ["", "a", "a=", "a=1", "a=1..", "=1..2", "a b=1..2", "a=..", f"a={'9' * 65}..1"])
def test_a_malformed_range_is_refused(text: str) -> None:
    assert code_of(lambda: parse_range(text)) == "RANGE_MALFORMED"


@pytest.mark.unit
def test_too_many_and_no_parameters_are_refused() -> None:
    many = [span(f"p{number}", 0, 1) for number in range(17)]
    known = {each.name: Known() for each in many}
    for ranges in ([], many):
        act = lambda ranges=ranges: checked_ranges(ranges, known, where=lambda _index, _field: "")  # noqa: E731
        assert code_of(act) == "RANGE_MALFORMED"


@pytest.mark.unit
def test_an_outcomes_text_reads_back() -> None:
    for outcome in (Outcome("gini"), Outcome("warming", (3, 9))):
        assert parse_outcome(str(outcome), where="") == outcome


@pytest.mark.unit
def test_an_unknown_outcome_is_answered_with_the_nearest(savers: str) -> None:
    spec = RunSpec.create(savers)
    assert check_outcome(Outcome("moved"), spec, where="") == "money"
    with pytest.raises(CivlabError, match="did you mean 'penniless'"):
        check_outcome(Outcome("pennyless", (0, 9)), spec, where="")


@pytest.mark.kernel
def test_the_verb_for_python_asks_and_answers_at_once(savers: str, tmp_path: Path) -> None:
    ranges = {"exchange.saving": (0, "0.5")}
    answer = civlab.sensitivity(savers, tmp_path, ranges, method="morris", samples=2, outcome="gini")
    assert [index.name for index in answer.indices] == ["exchange.saving"]
    assert open_store(tmp_path).exists("sensitivity.json")
