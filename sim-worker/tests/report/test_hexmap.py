"""Maps of hexagons: where cells lie, which sides are borders, and that what is drawn is what was given."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from civlab.report.charts import style
from civlab.report.hexmap import DIVERGING, RISING, HexMap, draw_amounts, draw_kinds

pytestmark = pytest.mark.unit

WIDTH, HEIGHT = 7, 6


def whole_map() -> HexMap:
    """Every cell is a region; nations are the western and the eastern half."""
    cell = np.arange(WIDTH * HEIGHT)
    return HexMap(cell, (cell % WIDTH >= 4).astype("u1"), WIDTH, HEIGHT)


def test_cells_are_regular_hexagons_that_tile_the_map() -> None:
    corners = whole_map().polygons()
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    assert sides == pytest.approx(1.0)
    centres = corners.mean(axis=1)
    apart = np.linalg.norm(centres[:, None] - centres[None, :], axis=2)
    np.fill_diagonal(apart, math.inf)
    assert apart.min() == pytest.approx(math.sqrt(3))
    neighbours = (apart < 1.8).sum(axis=1).reshape(HEIGHT, WIDTH)
    assert (neighbours[1:-1, 1:-1] == 6).all()
    assert centres[0, 1] > centres[-1, 1], "the first row is the northernmost"


def test_borders_are_the_sides_between_nations_seen_from_both_and_those_to_the_sea() -> None:
    """Counted by the corners that cells share, which knows nothing of rows and columns."""
    regions = whole_map()
    rounded = np.round(regions.polygons() * 1e6).astype("i8")
    owners: dict[frozenset[tuple[int, ...]], list[int]] = {}
    for region, corners in enumerate(rounded):
        for first, second in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            side = frozenset({tuple(first.tolist()), tuple(second.tolist())})
            owners.setdefault(side, []).append(int(regions.nation[region]))
    inner = ([0, 0], [1, 1])
    expected = {side: len(nations) for side, nations in owners.items() if sorted(nations) not in inner}
    found: dict[frozenset[tuple[int, ...]], int] = {}
    for first, second in np.round(regions.borders() * 1e6).astype("i8"):
        side = frozenset({tuple(first.tolist()), tuple(second.tolist())})
        found[side] = found.get(side, 0) + 1
    assert found == expected


def test_an_island_is_bordered_by_the_sea_all_around() -> None:
    assert len(HexMap(np.array([WIDTH + 3]), np.array([0]), WIDTH, HEIGHT).borders()) == 6
    pair = HexMap(np.array([WIDTH + 3, WIDTH + 4]), np.array([0, 0]), WIDTH, HEIGHT)
    assert len(pair.borders()) == 10


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_map_of_amounts_colours_each_region_by_its_value_and_shows_the_scale(logarithmic: bool) -> None:
    mpl.use("Agg")
    regions = whole_map()
    values = np.linspace(1.0, 1000.0, len(regions.cell))
    with style():
        figure = Figure()
        axes = figure.subplots()
        draw_amounts(axes, regions, values, "Citizens", "citizens", logarithmic=logarithmic)
        figure.canvas.draw()
    fill = next(part for part in axes.collections if isinstance(part, PolyCollection))
    place = np.log(values) / np.log(1000.0) if logarithmic else (values - 1.0) / 999.0
    assert np.asarray(fill.get_facecolor()) == pytest.approx(RISING(place), abs=0.01)
    assert any(isinstance(part, LineCollection) for part in axes.collections)
    assert [scale.get_ylabel() for scale in axes.child_axes] == ["citizens"]


def test_gains_and_losses_have_zero_in_the_middle_of_their_colours() -> None:
    regions = whole_map()
    values = np.zeros(len(regions.cell))
    values[0], values[1] = -3.0, 1.0
    axes = Figure().subplots()
    draw_amounts(axes, regions, values, "Migration", "citizens", colours=DIVERGING)
    fill = next(part for part in axes.collections if isinstance(part, PolyCollection))
    colours = np.asarray(fill.get_facecolor())
    assert colours[2] == pytest.approx(DIVERGING(0.5), abs=0.01)
    assert colours[0] == pytest.approx(DIVERGING(0.0), abs=0.01)
    assert colours[1] == pytest.approx(DIVERGING(2 / 3), abs=0.01)


def test_a_map_of_kinds_names_those_that_are_there() -> None:
    regions = whole_map()
    kinds = np.where(regions.cell % 2 == 0, 0, 2)
    axes = Figure().subplots()
    draw_kinds(axes, regions, kinds, ("tropical", "arid", "polar"), ("#0f8b8d", "#e09f3e", "#a9c8e6"), "Zones")
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["tropical", "polar"]
    fill = next(part for part in axes.collections if isinstance(part, PolyCollection))
    assert np.asarray(fill.get_facecolor())[1] == pytest.approx(to_rgba("#a9c8e6"))


def test_a_map_without_differences_can_be_drawn() -> None:
    regions = whole_map()
    for logarithmic in (False, True):
        figure = Figure()
        axes = figure.subplots()
        draw_amounts(axes, regions, np.full(len(regions.cell), 5.0), "Even", "", logarithmic=logarithmic)
        figure.canvas.draw()
        assert axes.get_title() == "Even"
