"""A course over time in braille dots: the median as a line, the 90 % band around it as a lighter raster.

A character cell holds two by four dots, so a plot of 88 by 14 cells resolves 176 by 56; it is text, so it can be
copied, logged and tested.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from parpour_cli.reading import figure

Series = NDArray[np.float64]

WIDTH, HEIGHT = 88, 14
"""Cells of the drawing, without its axes."""
AXIS = 9
"""Cells that the axis to the left takes, at most."""
BRAILLE = 0x2800
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint8)
"""Unicode's numbering of a cell's dots, by line and column."""


def course_plot(*, low: Series, median: Series, high: Series, title: str, across: str, width: int = WIDTH) -> Text:
    """The plot with its axes: values upwards from 0, ticks across, f64 [ticks] each; `width` counts cells."""
    top = max(1.0, float(np.nanmax(high)))
    band = _raster(_heights(low, top=top, width=width), _heights(high, top=top, width=width))
    line = _line(_heights(median, top=top, width=width))
    label = max(len(figure(round(top))), 1)
    drawn = Text(f"{title} (median and 90 % band)\n", style="bold")
    for row in range(HEIGHT):
        name = {0: figure(round(top)), HEIGHT // 2: figure(round(top / 2)), HEIGHT - 1: "0"}.get(row, "")
        drawn.append(f"{name:>{label}} ┤" if name else f"{'':>{label}} │", style="dim")
        for column in range(width):
            cell = np.s_[row * 4 : row * 4 + 4, column * 2 : column * 2 + 2]
            dots = int(_BITS[band[cell] | line[cell]].sum())
            drawn.append(chr(BRAILLE + dots) if dots else " ", style="cyan" if line[cell].any() else "dim")
        drawn.append("\n")
    last = str(len(median) - 1)
    drawn.append(f"{'':>{label}} └{'─' * width}\n", style="dim")
    drawn.append(f"{'':>{label}}  0{across:^{width - 1 - len(last)}}{last}", style="dim")
    return drawn


def _heights(values: Series, *, top: float, width: int) -> NDArray[np.int64]:
    """Dot lines above the axis at each dot column, interpolated."""
    places = np.linspace(0, len(values) - 1, width * 2)
    across = np.interp(places, np.arange(len(values)), np.nan_to_num(values))
    return np.rint(across / top * (HEIGHT * 4 - 1)).astype(np.int64)


def _raster(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.bool_]:
    lines, columns = np.indices((HEIGHT * 4, len(low)))
    above = HEIGHT * 4 - 1 - lines
    raster: NDArray[np.bool_] = (above >= low) & (above <= high) & ((lines + columns) % 2 == 0)
    return raster


def _line(heights: NDArray[np.int64]) -> NDArray[np.bool_]:
    """A line whose dots touch: each column reaches to its left neighbour's height."""
    before = np.concatenate([heights[:1], heights[:-1]])
    lines = np.arange(HEIGHT * 4)[::-1, None]
    dots: NDArray[np.bool_] = (lines >= np.minimum(heights, before)) & (lines <= np.maximum(heights, before))
    return dots
