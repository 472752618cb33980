"""Maps of hexagonal cells: regions filled by a number or by what they are, borders of nations drawn strong.

Cells lie as the civilisation's kernels count them: row times the map's width plus column, the first row in the north,
odd rows half a cell to the east. A border belongs to the edge between two cells, so it is drawn as segments of a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, Normalize, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from civlab.report.charts import INK, MUTED

SEA = "#eef3f7"
FINE, STRONG = 0.35, 1.1
"""Widths of the lines between regions of one nation and around nations, points."""
MARGIN = 1.5
"""Sea around the land, in units of half a cell's height."""
RISING: Colormap = LinearSegmentedColormap.from_list("rising", ["#f3f7f4", "#8fc7b5", "#2e8f8e", "#1d4e74", "#1b2a3a"])
"""For amounts: from little to much."""
WARM: Colormap = LinearSegmentedColormap.from_list("warm", ["#fff6e6", "#f4c27a", "#e0795a", "#b03250", "#4d1838"])
"""For warming and losses."""
DIVERGING: Colormap = LinearSegmentedColormap.from_list(
    "diverging", ["#2e6fb7", "#a9c8e6", "#f5f5f3", "#eeb1a8", "#c0392b"]
)
"""For gains and losses about zero."""
CORNERS = np.array([(0.0, 1.0), (1.0, 0.5), (1.0, -0.5), (0.0, -1.0), (-1.0, -0.5), (-1.0, 0.5)])
"""Corners of a cell in half widths and half heights, clockwise from the north."""
SIDES = ((0, 1, 1, -1), (1, 2, 1, 0), (2, 3, 1, 1), (3, 4, 0, 1), (4, 5, -1, 0), (5, 0, 0, -1))
"""Each side: its two corners, and how far east and south the neighbour behind it lies; to another row that is for odd
rows, and one column less for even ones."""
HALF_WIDTH = 3**0.5 / 2


@dataclass(frozen=True)
class HexMap:
    """Where the regions of a member lie.

    `cell` is the map's cell of each region and `nation` its nation, both int [regions]; `width` and `height` are the
    columns and rows of the map.
    """

    cell: np.ndarray
    nation: np.ndarray
    width: int
    height: int

    def polygons(self) -> np.ndarray:
        """Corners of the regions, float [regions, 6, 2]; a cell is 2 high, and north is up."""
        row, column = np.divmod(self.cell.astype("i8"), self.width)
        centres = np.stack([(2 * column + (row & 1)) * HALF_WIDTH, -1.5 * row], axis=1)
        return centres[:, None, :] + CORNERS * (HALF_WIDTH, 1.0)

    def borders(self) -> np.ndarray:
        """The sides of cells behind which another nation or the sea lies, float [sides, 2, 2]."""
        owner = np.full(self.width * self.height, -1)
        owner[self.cell] = self.nation
        row, column = np.divmod(self.cell.astype("i8"), self.width)
        corners = self.polygons()
        found = []
        for first, second, east, south in SIDES:
            across = column + (east - 1 + (row & 1) if south else east)
            down = row + south
            outside = (across < 0) | (across >= self.width) | (down < 0) | (down >= self.height)
            other = np.where(outside, -1, owner[np.where(outside, 0, down * self.width + across)])
            found.append(corners[other != self.nation][:, [first, second]])
        return np.concatenate(found)


def draw_amounts(
    axes: Axes,
    regions: HexMap,
    values: np.ndarray,
    title: str,
    unit: str,
    *,
    colours: Colormap = RISING,
    limits: tuple[float, float] | None = None,
    logarithmic: bool = False,
) -> None:
    """Fills each region by its value, float [regions], with a scale beside the map.

    `limits` fix the scale's ends, as where several maps share one. With DIVERGING colours its middle is zero. A
    `logarithmic` scale is for values above zero of which few are large, like those of a rank-size law.
    """
    low, high = limits or (float(values.min()), float(values.max()))
    if colours is DIVERGING:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    if high <= low:
        high = 2 * low if logarithmic else low + 1.0
    scale = ScalarMappable((LogNorm if logarithmic else Normalize)(low, high), colours)
    draw_cells(axes, regions, np.asarray(scale.to_rgba(values)), title)
    bar = figure_of(axes).colorbar(scale, cax=axes.inset_axes((1.04, 0.06, 0.035, 0.88)))
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8)
    if logarithmic:
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        bar.ax.yaxis.set_minor_locator(NullLocator())
    else:
        bar.ax.yaxis.set_major_locator(MaxNLocator(6))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    bar.set_label(unit, color=MUTED, fontsize=8.5)


def draw_kinds(
    axes: Axes, regions: HexMap, kinds: np.ndarray, names: Sequence[str], colours: Sequence[str], title: str
) -> None:
    """Fills each region by what it is, with a legend beside the map: `kinds`, int [regions], are places in `names`."""
    draw_cells(axes, regions, to_rgba_array(list(colours))[kinds], title)
    present = [place for place in range(len(names)) if (kinds == place).any()]
    axes.legend(
        handles=[Patch(color=colours[place], label=names[place]) for place in present],
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        handlelength=1.0,
        handleheight=1.0,
        labelspacing=0.7,
    )


def draw_cells(axes: Axes, regions: HexMap, fill: np.ndarray, title: str) -> None:
    """The map itself: filled cells on the sea, fine lines between regions, strong ones around nations."""
    corners = regions.polygons()
    axes.add_collection(PolyCollection(list(corners), facecolors=fill, edgecolors="white", linewidths=FINE))
    axes.add_collection(LineCollection(list(regions.borders()), colors=INK, linewidths=STRONG, capstyle="round"))
    axes.set_title(title)
    axes.set_facecolor(SEA)
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlim(corners[..., 0].min() - MARGIN, corners[..., 0].max() + MARGIN)
    axes.set_ylim(corners[..., 1].min() - MARGIN, corners[..., 1].max() + MARGIN)


def figure_of(axes: Axes) -> Figure:
    """The whole figure in which axes lie."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure
