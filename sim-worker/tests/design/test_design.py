"""Designs: exact against outside truths, and stratified as their definitions say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from civlab.design import plan_members
from civlab.design.latin import latin_hypercube
from civlab.design.scale import scale_integer, scale_real
from civlab.design.sobol import DIMENSIONS, sobol_points
from civlab.errors import CivlabError
from parpour_contracts.simulation import DESIGN_LIMIT, Design, DesignParameter, DesignType, Ensemble

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class Known:
    kind: str = "decimal"
    minimum: Decimal | None = Decimal(0)
    maximum: Decimal | None = Decimal(10)


PARAMETERS = {"disease.r0": Known(), "population.size": Known("integer", Decimal(1), Decimal(1000))}


def ensemble(kind: DesignType, members: int, *parameters: DesignParameter) -> Ensemble:
    return Ensemble(members=members, design=Design(type=kind, parameters=parameters))


PAIR = DesignParameter(name="disease.r0", values=("1", "2"))
LISTED = DesignParameter(name="disease.r0", values=("1",))


def sampled(name: str = "disease.r0", low: str = "1", high: str = "3") -> DesignParameter:
    return DesignParameter(name=name, minimum=low, maximum=high)


def code_of(case: Ensemble) -> str:
    with pytest.raises(CivlabError) as caught:
        plan_members(case, seed=7, parameters=PARAMETERS)
    return caught.value.code


def test_the_plain_sobol_sequence_equals_scipys_bit_for_bit() -> None:
    outside = qmc.Sobol(DIMENSIONS, scramble=False, bits=32).random(4096) * 2.0**32
    own = np.array(sobol_points(points=4096, dimensions=DIMENSIONS, seed=None), dtype=np.float64)
    assert np.array_equal(own, outside)


def test_a_shifted_sobol_sequence_keeps_one_point_in_each_stratum() -> None:
    rows = sobol_points(points=256, dimensions=DIMENSIONS, seed=11)
    for dimension in range(DIMENSIONS):
        assert sorted(row[dimension] >> 24 for row in rows) == list(range(256))


def test_the_digital_shift_depends_on_the_seed() -> None:
    assert sobol_points(points=4, dimensions=3, seed=1) != sobol_points(points=4, dimensions=3, seed=2)


@given(points=st.integers(1, 60), dimensions=st.integers(1, 5), seed=st.integers(0, 2**63 - 1))
def test_a_latin_hypercube_has_one_point_in_each_stratum(points: int, dimensions: int, seed: int) -> None:
    rows = latin_hypercube(points=points, dimensions=dimensions, seed=seed)
    for dimension in range(dimensions):
        assert sorted(int(row[dimension] * points) for row in rows) == list(range(points))


def test_latin_hypercube_discrepancy_is_that_of_scipys() -> None:
    rows = np.array([[float(value) for value in row] for row in latin_hypercube(points=128, dimensions=4, seed=3)])
    others = [qmc.discrepancy(qmc.LatinHypercube(4, rng=seed).random(128)) for seed in range(40)]
    assert qmc.discrepancy(rows) < 1.5 * max(others)


@given(
    fraction=st.fractions(0, 1, max_denominator=2**32),
    low=st.decimals(-1000, 1000, places=3),
    width=st.decimals("0.001", 1000, places=3),
)
def test_a_scaled_value_stays_within_its_range(fraction: Fraction, low: Decimal, width: Decimal) -> None:
    value = Decimal(scale_real(fraction, low=low, high=low + width))
    assert low <= value <= low + width
    exact = Fraction(low) + fraction * Fraction(width)
    assert abs(Fraction(value) - exact) <= Fraction(width) / 10**8


def test_scaled_integers_take_every_value_equally_often() -> None:
    values = Counter(scale_integer(Fraction(k, 600), low=3, high=8) for k in range(600))
    assert values == {str(value): 100 for value in range(3, 9)}
    assert scale_integer(Fraction(1), low=3, high=8) == "8"


def test_replicates_differ_by_their_stream_alone() -> None:
    members = plan_members(Ensemble(members=3), seed=7, parameters=PARAMETERS)
    assert [(m.index, m.stream, m.values) for m in members] == [(0, 0, ()), (1, 1, ()), (2, 2, ())]


def test_points_of_a_grid_share_their_replicates_random_streams() -> None:
    case = ensemble(
        DesignType.GRID,
        8,
        DesignParameter(name="disease.r0", values=("1.5", "2")),
        DesignParameter(name="population.size", values=("10", "20")),
    )
    members = plan_members(case, seed=7, parameters=PARAMETERS)
    assert [m.stream for m in members] == [0, 1] * 4
    assert members[2].values == (("disease.r0", "1.5"), ("population.size", "20"))
    assert len({m.values for m in members}) == 4


def test_points_of_a_list_take_values_together_and_share_random_streams() -> None:
    case = ensemble(
        DesignType.LIST,
        6,
        DesignParameter(name="disease.r0", values=("1.5", "2", "1.5")),
        DesignParameter(name="population.size", values=("10", "20", "30")),
    )
    members = plan_members(case, seed=7, parameters=PARAMETERS)
    assert [m.stream for m in members] == [0, 1] * 3
    assert [tuple(value for _, value in m.values) for m in members[::2]] == [("1.5", "10"), ("2", "20"), ("1.5", "30")]


@pytest.mark.parametrize("kind", [DesignType.SOBOL, DesignType.LATIN_HYPERCUBE])
def test_sampled_members_have_a_stream_each_and_depend_on_the_seed(kind: DesignType) -> None:
    case = ensemble(kind, 16, sampled(), sampled("population.size", "1", "4"))
    members = plan_members(case, seed=7, parameters=PARAMETERS)
    assert [m.stream for m in members] == list(range(16))
    assert Counter(dict(m.values)["population.size"] for m in members) == dict.fromkeys("1234", 4)
    assert members != plan_members(case, seed=8, parameters=PARAMETERS)
    assert members == plan_members(case, seed=7, parameters=PARAMETERS)


def test_an_unknown_parameter_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(CivlabError, match=r"did you mean 'disease\.r0'") as caught:
        plan_members(ensemble(DesignType.SOBOL, 4, sampled("disease.ro")), seed=1, parameters=PARAMETERS)
    assert caught.value.path == "ensemble.design.parameters[0].name"


@pytest.mark.parametrize(
    ("case", "code"),
    [
        (ensemble(DesignType.SOBOL, 4, sampled(high="30")), "SCENARIO_OUT_OF_RANGE"),
        (ensemble(DesignType.SOBOL, 4, sampled(low="3")), "SCENARIO_OUT_OF_RANGE"),
        (ensemble(DesignType.SOBOL, 4, sampled(low="x")), "SCENARIO_WRONG_TYPE"),
        (ensemble(DesignType.SOBOL, 4, sampled(low="NaN")), "SCENARIO_OUT_OF_RANGE"),
        (ensemble(DesignType.SOBOL, 4, sampled("population.size", "1", "2.5")), "SCENARIO_WRONG_TYPE"),
        (ensemble(DesignType.SOBOL, 4, sampled(), sampled()), "DESIGN_DUPLICATE_PARAMETER"),
        (ensemble(DesignType.SOBOL, 4), "DESIGN_SHAPE"),
        (ensemble(DesignType.REPLICATE, 4, LISTED), "DESIGN_SHAPE"),
        (ensemble(DesignType.GRID, 4, sampled()), "DESIGN_SHAPE"),
        (ensemble(DesignType.LATIN_HYPERCUBE, 1, LISTED), "DESIGN_SHAPE"),
        (ensemble(DesignType.GRID, 3, PAIR), "DESIGN_MEMBERS_NOT_A_MULTIPLE"),
    ],
)
def test_a_design_that_makes_no_sense_is_refused_by_name(case: Ensemble, code: str) -> None:
    assert code_of(case) == code


def test_the_direction_numbers_reach_as_far_as_a_design_may() -> None:
    assert DIMENSIONS >= DESIGN_LIMIT
