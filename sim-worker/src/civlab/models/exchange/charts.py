"""The exchange model's charts: each function draws one question's answer, beside its closed form if one
is known."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from civlab.models.exchange.figures import ExchangeFigures, stationary_density
from civlab.models.exchange.results import BINS, PARTS
from civlab.report.charts import AMBER, BLUE, CORAL, INK, PLUM, TEAL, draw_band, dress

ROUND = "round"
SHOWN = 10
"""Means of the holdings' axis."""


def draw_holdings(axes: Axes, figures: ExchangeFigures) -> None:
    """The distribution of money on a logarithmic axis, over its stationary law."""
    edges = np.arange(BINS + 1) / 8
    filled = figures.density > 0
    axes.set_yscale("log")
    axes.stairs(np.where(filled, figures.density, np.nan), edges, color=BLUE, linewidth=1.6, label="agents")
    if figures.saving is not None:
        holding = (np.arange(8 * SHOWN) + 0.5) / 8
        label = "exponential law" if figures.saving == 0 else f"gamma law, saving {figures.saving:g}"
        closed = stationary_density(holding, figures.saving)
        axes.plot(holding, closed, color=CORAL, linewidth=1.8, linestyle="--", label=label)
    dress(axes, "Money of the agents at the end", "density", across="holding / mean", whole=False)
    axes.set_xlim(0, SHOWN)
    least = figures.density[filled].min() if filled.any() else 1e-4
    axes.set_ylim(least / 2, 2 * max(1.0, float(figures.density.max())))
    axes.legend(loc="upper right")


def draw_dispersion(axes: Axes, figures: ExchangeFigures) -> None:
    """How inequality comes to rest: the variance against what the stationary law has."""
    draw_band(axes, figures.ticks, figures.dispersion(), PLUM, "variance / mean²")
    if figures.saving is not None:
        rest = (1 - figures.saving) / (1 + 2 * figures.saving)
        axes.axhline(rest, color=INK, linewidth=1, linestyle="--")
    dress(axes, "Variance of the holdings", "in squared means", across=ROUND)


def draw_lorenz(axes: Axes, figures: ExchangeFigures) -> None:
    """Lorenz curves of the members, and that of the exponential law."""
    share = np.arange(PARTS + 1) / PARTS
    axes.plot(100 * share, 100 * figures.lorenz, color=TEAL, linewidth=2, label="median member")
    if figures.saving == 0:
        rest = 1 - share
        curve = share + rest * np.log(np.where(rest > 0, rest, 1))
        axes.plot(100 * share, 100 * curve, color=CORAL, linewidth=1.6, linestyle="--", label="exponential law")
    axes.plot((0, 100), (0, 100), color=INK, linewidth=0.8, label="equal")
    axes.legend(loc="upper left")
    dress(axes, "Lorenz curve at the end", "% of money", across="% of agents, the poorest first")


def draw_penniless(axes: Axes, figures: ExchangeFigures) -> None:
    """Agents without money."""
    draw_band(axes, figures.ticks, figures.band("penniless"), CORAL, "without money")
    dress(axes, "Agents without money", "agents", across=ROUND)


def draw_richest(axes: Axes, figures: ExchangeFigures) -> None:
    """The greatest holding."""
    draw_band(axes, figures.ticks, figures.band("richest"), AMBER, "richest")
    dress(axes, "Money of the richest agent", "money", across=ROUND)


def draw_turnover(axes: Axes, figures: ExchangeFigures) -> None:
    """How much money changes hands."""
    values = figures.mean_share_moved()
    axes.plot(figures.ticks, 100 * values.median, color=BLUE, linewidth=2)
    axes.fill_between(figures.ticks, 100 * values.low, 100 * values.high, color=BLUE, alpha=0.16, linewidth=0)
    dress(axes, "Money that changes hands in a round", "% of all money", across=ROUND)


def draw_gini(axes: Axes, figures: ExchangeFigures) -> None:
    """The Gini coefficient of each member."""
    values = figures.members["gini"]
    axes.hist(values, bins=min(30, max(5, len(values) // 4)), color=BLUE, alpha=0.8)
    axes.axvline(float(np.median(values)), color=CORAL, linewidth=1.8)
    dress(axes, "Gini coefficient at the end", "members", across="Gini coefficient")
