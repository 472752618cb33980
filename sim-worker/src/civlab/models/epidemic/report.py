"""The epidemic's report: its charts in the order of the questions that a reader has."""

from __future__ import annotations

from civlab.models.epidemic import charts
from civlab.models.epidemic.figures import figures_of_run
from civlab.report.declaration import Chart, Curve, Outcome, Report, Section

REPORT = Report(
    figures=figures_of_run,
    sections=(
        Section(
            "The course of the epidemic",
            (
                Chart("incidence", charts.draw_incidence, "Introductions included."),
                Chart("states", charts.draw_states, "Persons in each state at the day's end."),
                Chart("cumulative", charts.draw_cumulative, "Infections since the first day."),
                Chart("hospital", charts.draw_hospital, "At the day's end; the dashed line is the number of beds."),
                Chart(
                    "reproduction",
                    charts.draw_reproduction,
                    "New infections times the mean time infectious, over the infectious of the day before; "
                    "days with at least ten.",
                ),
                Chart("layers", charts.draw_layers, "Where people were infected."),
            ),
        ),
        Section(
            "The members",
            (
                Chart("attack", charts.draw_attack_rates, "One count for each member; the line is the median."),
                Chart("peaks", charts.draw_peaks, "One point for each member."),
                Chart("deaths", charts.draw_deaths, "Since the first day."),
                Chart("ages", charts.draw_ages, "Bars are all members together; whiskers hold nine tenths of them."),
            ),
        ),
    ),
    outcome=Outcome("the attack rate", "% ever infected", 100),
    cards={
        "attack_rate": "ever infected",
        "infected": "persons infected",
        "peak_infectious": "most infectious at once",
        "peak_tick": "day of the peak",
        "peak_hospital": "most patients at once",
        "bedless_days": "patient-days without a bed",
        "deaths": "deaths",
        "last_infection": "day of the last infection",
    },
    picture=(charts.draw_incidence, charts.draw_layers, charts.draw_hospital, charts.draw_ages),
    curve=Curve("infectious", "Infectious persons by day"),
)
