"""One picture of a run: the four charts that tell most, as PNG, for a README or a slide."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

from civlab.report.charts import style
from civlab.report.declaration import Report
from civlab.report.figures import Figures


def render_picture(report: Report, figures: Figures, *, title: str, caption: str) -> bytes:
    """The PNG's bytes: a model's four charts in a two-by-two grid, 1250 by 750 pixels."""
    with style():
        figure = Figure(figsize=(12.5, 7.5), dpi=100, layout="constrained")
        figure.suptitle(title, fontsize=15, fontweight="bold", x=0.012, ha="left")
        axes = figure.subplots(2, 2)
        for draw, place in zip(report.picture, axes.flat, strict=True):
            draw(place, figures)
        figure.supxlabel(caption, fontsize=8.5, color="#5d6b7a")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
