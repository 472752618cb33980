"""The climate's equations against closed forms and published numbers."""

from __future__ import annotations

import csv
import ctypes
from collections.abc import Callable
from decimal import Decimal, getcontext
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civlab.models.climate.configuration import LIFETIMES, PARTITION
from civlab.runtime.world import World

pytestmark = pytest.mark.kernel

CMIP6_MEAN = (2.632438882, 9.262194928, 52.92769715, 1.876253552, 5.15359085, 0.643546006, 1.285458434)
"""Capacities, transfers and efficacy of FaIR's documentation of its energy balance, with F(4x) = 8.870602356 W m-2."""
DOUBLING = 8.870602356 / 2
C = ctypes.c_double


def doubles(values: np.ndarray) -> ctypes.c_void_p:
    """The address of an array of doubles."""
    assert values.dtype == np.float64
    return ctypes.c_void_p(values.ctypes.data)


def settled(probe: ctypes.CDLL, x: float, c: float) -> float:
    """Where the fold comes to rest."""
    return float(probe.probe_fold(C(x), C(c), C(0.5), 40_000))


def test_the_fold_jumps_up_at_plus_and_down_at_minus_the_root_of_4_27ths(probe: ctypes.CDLL) -> None:
    edge = (4 / 27) ** 0.5
    assert settled(probe, -1.0, edge - 1e-5) < -0.57
    assert settled(probe, -1.0, edge + 1e-5) > 1.1
    assert settled(probe, 1.0, -edge + 1e-5) > 0.57
    assert settled(probe, 1.0, -edge - 1e-5) < -1.1
    assert edge == pytest.approx(0.3849002, abs=5e-8)


def test_a_tipped_element_stays_tipped_when_the_warming_goes_back_to_zero(probe: ctypes.CDLL) -> None:
    path = [settled(probe, -1.0, 0.0)]
    for c in (0.3, 0.5, 0.3, 0.0, -0.3, -0.5, 0.0):
        path.append(settled(probe, path[-1], c))
    assert [x > 0 for x in path] == [False, False, True, True, True, True, False, False]
    assert path[4] == pytest.approx(1.0)
    assert path[7] == pytest.approx(-1.0)


def test_dice_2016r_warms_under_held_doubled_carbon_as_recomputed_from_its_equations(probe: ctypes.CDLL) -> None:
    surface = np.zeros(100)
    probe.probe_dice_doubled(100, doubles(surface))
    after = [surface[periods - 1] for periods in (1, 2, 10, 20, 100)]
    assert after == pytest.approx([0.370, 0.6925, 2.160, 2.731, 3.069], abs=6e-4)


def test_dice_2016r_follows_the_published_baseline(make_world: Callable[..., World]) -> None:
    """Nordhaus's workbook DICE2016R-090916ap-v2, sheet Base, years 2015-2500."""
    world = make_world(
        text="apiVersion: civlab/v1\nmodel: climate\ntitle: DICE\nticks: 97\nstart: 2015\n"
        "configuration: {kind: dice-2016r}\npathway: {kind: family, name: dice-2016r-baseline}\n",
        members=1,
    )
    world.advance(97)
    series = world.metrics(0, 97)
    with (Path(__file__).parent / "dice_2016r_baseline.csv").open() as lines:
        rows = list(csv.DictReader(lines))[1:98]
    assert np.abs(series["co2"][:, 0] * 2.13 - [float(row["air"]) for row in rows]).max() < 1e-5
    assert np.abs(series["temperature"][:, 0] - [float(row["temperature"]) for row in rows]).max() < 1e-7


def test_a_pulse_of_co2_stays_airborne_as_in_joos_2013(probe: ctypes.CDLL) -> None:
    """Joos et al. (2013), table 5; a pulse spread over a year is half a year younger than its years."""
    airborne = np.zeros(1002)
    boxes = [np.array([float(text) for text in texts]) for texts in (PARTITION, LIFETIMES)]
    probe.probe_pulse(doubles(boxes[0]), doubles(boxes[1]), 1002, doubles(airborne))
    middle = (airborne[:-1] + airborne[1:]) / 2
    assert [middle[years - 1] for years in (20, 100, 1000)] == pytest.approx([0.596, 0.409, 0.235], abs=6e-4)
    fading = [p * t * (1 - np.exp(-1 / t)) * np.exp(-99 / t) for p, t in zip(*boxes, strict=True)]
    assert airborne[99] == pytest.approx(sum(fading), rel=1e-6)


def test_the_step_of_the_energy_balance_is_the_matrix_exponential(probe: ctypes.CDLL) -> None:
    """Against mpmath's at 40 digits: exp(A), and A^-1 (exp(A) - 1) b."""
    mpmath.mp.dps = 40
    numbers = np.array([*CMIP6_MEAN, 2.9])
    found = np.zeros(17)
    probe.probe_response(doubles(numbers), C(1.0), doubles(found))
    c1, c2, c3, k1, k2, k3, e, gamma = (mpmath.mpf(float(x)) for x in numbers)
    matrix = mpmath.matrix(
        [
            [-gamma, 0, 0, 0],
            [1 / c1, -(k1 + k2) / c1, k2 / c1, 0],
            [0, k2 / c2, -(k2 + e * k3) / c2, e * k3 / c2],
            [0, 0, k3 / c3, -k3 / c3],
        ]
    )
    step = mpmath.expm(matrix)
    forced = mpmath.lu_solve(matrix, (step - mpmath.eye(4)) * mpmath.matrix([gamma, 0, 0, 0]))
    expected = [step[0, 0], *(step[i, j] for i in range(1, 4) for j in range(4)), *forced]
    assert max(abs(float(a - mpmath.mpf(float(b)))) for a, b in zip(expected, found, strict=True)) < 5e-15


def test_sensitivity_and_transient_response_are_those_that_fair_publishes(probe: ctypes.CDLL) -> None:
    """ECS 2.363914 K and TCR 1.729768 K for these numbers: FaIR's documentation of its energy balance."""
    held, surface = np.full(20_000, DOUBLING), np.zeros(20_000)
    probe.probe_heat(doubles(np.array([*CMIP6_MEAN, 2.0])), C(1.0), doubles(held), 20_000, doubles(surface))
    assert surface[-1] == pytest.approx(2.363914, abs=1e-6)
    years = np.log(2) / np.log(1.01)
    ramp = DOUBLING * (np.arange(8000) + 0.5) / 8000
    surface = np.zeros(8000)
    probe.probe_heat(doubles(np.array([*CMIP6_MEAN, 2000.0])), C(years / 8000), doubles(ramp), 8000, doubles(surface))
    assert surface[-1] == pytest.approx(1.729768, abs=2e-4)


def test_damages_are_the_published_shares(probe: ctypes.CDLL) -> None:
    """DICE-2016R loses 2.1 % at 3 K; Howard and Sterner 6.7 %; Weitzman 9.1 % at 4 K and half at 6 K."""
    assert probe.probe_damage(C(0.00236), C(0), C(3)) == pytest.approx(0.02124)
    assert probe.probe_damage(C(0.007438), C(0), C(3)) == pytest.approx(0.066942)
    assert probe.probe_damage(C(0), C(1), C(6)) == pytest.approx(0.50, abs=0.01)
    exact = 1 - 1 / (1 + (4 / 20.46) ** 2 + (4 / 6.081) ** 6.754)
    assert probe.probe_damage(C(0), C(1), C(4)) == pytest.approx(exact, rel=1e-13)
    assert [probe.probe_damage(C(a), C(s), C(-2)) for a, s in ((0.00236, 0), (0, 1))] == pytest.approx(
        [0, 0], abs=1e-30
    )


def test_the_sea_rises_by_3_4_mm_a_year_a_kelvin_and_falls_behind_where_it_warms_fast(probe: ctypes.CDLL) -> None:
    assert probe.probe_sea(C(0.0034), C(0), C(-0.24), C(0.76), C(0.76), C(10)) == pytest.approx(0.034)
    assert probe.probe_sea(C(0.0056), C(-0.049), C(0), C(1), C(2), C(1)) == pytest.approx(0.0056 * 1.5 - 0.049)


def test_doubling_co2_forces_as_meinshausen_2020_have_it(probe: ctypes.CDLL) -> None:
    """Their table 3 gives 3.75 W m-2 for doubled CO2 at the other gases' reference, and nothing at the reference."""
    out = np.zeros(3)
    probe.probe_forcing(doubles(np.array([554.3, 731.41, 273.87])), doubles(out))
    assert out[0] == pytest.approx(3.75, abs=0.02)
    assert abs(out[1]) < 1e-12
    probe.probe_forcing(doubles(np.array([277.15, 731.41, 273.87])), doubles(out))
    assert np.abs(out).max() < 1e-12


@settings(max_examples=300, deadline=None)
@given(st.floats(-4e18, 4e18, allow_nan=False))
def test_kilograms_are_rounded_half_to_even(probe: ctypes.CDLL, x: float) -> None:
    getcontext().prec = 60
    assert probe.probe_whole(C(x)) == int(Decimal(x).to_integral_value(rounding="ROUND_HALF_EVEN"))


@pytest.mark.parametrize(("x", "whole"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (2.0**40 + 0.5, 2**40)])
def test_kilograms_halfway_go_to_the_even_one(probe: ctypes.CDLL, x: float, whole: int) -> None:
    assert probe.probe_whole(C(x)) == whole
