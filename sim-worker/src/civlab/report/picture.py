"""One picture of a run: the four charts that tell most, as PNG, for a README or a slide."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

from civlab.report.charts import draw_ages, draw_hospital, draw_incidence, draw_layers, style
from civlab.report.figures import Figures


def render_picture(figures: Figures, *, title: str, caption: str) -> bytes:
    """The PNG's bytes: incidence, layers, hospital and ages in a two-by-two grid, 1250 by 750 pixels."""
    with style():
        figure = Figure(figsize=(12.5, 7.5), dpi=100, layout="constrained")
        figure.suptitle(title, fontsize=15, fontweight="bold", x=0.012, ha="left")
        axes = figure.subplots(2, 2)
        draw_incidence(axes[0, 0], figures)
        draw_layers(axes[0, 1], figures)
        draw_hospital(axes[1, 0], figures)
        draw_ages(axes[1, 1], figures)
        figure.supxlabel(caption, fontsize=8.5, color="#5d6b7a")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
