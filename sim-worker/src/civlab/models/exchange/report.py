"""The exchange model's report: its charts from how money ends up to how it moves."""

from __future__ import annotations

from civlab.models.exchange import charts
from civlab.models.exchange.figures import figures_of_run
from civlab.report.declaration import Chart, Curve, Outcome, Report, Section

REPORT = Report(
    figures=figures_of_run,
    sections=(
        Section(
            "How money ends up",
            (
                Chart("holdings", charts.draw_holdings, "All members' agents together; dashed, the stationary law."),
                Chart("lorenz", charts.draw_lorenz, "Share of all money by share of the agents."),
                Chart("gini", charts.draw_gini, "One count for each member; the line is the median."),
            ),
        ),
        Section(
            "How it gets there",
            (
                Chart("dispersion", charts.draw_dispersion, "Dashed, what the stationary law has."),
                Chart("penniless", charts.draw_penniless, "At the round's end."),
                Chart("richest", charts.draw_richest, "At the round's end."),
                Chart("turnover", charts.draw_turnover, "Pairs that could not pay moved nothing."),
            ),
        ),
    ),
    outcome=Outcome("the Gini coefficient", "Gini coefficient"),
    cards={
        "gini": "Gini coefficient",
        "top_tenth": "of the money held by the richest tenth",
        "median": "median holding",
        "richest": "held by the richest",
        "penniless": "agents without money",
        "moved": "money that changed hands",
    },
    picture=(charts.draw_holdings, charts.draw_dispersion, charts.draw_lorenz, charts.draw_turnover),
    curve=Curve("penniless", "Agents without money by round"),
)
