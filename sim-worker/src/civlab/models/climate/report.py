"""The climate's report: its charts from what is emitted to what it costs."""

from __future__ import annotations

from civlab.models.climate import charts
from civlab.models.climate.figures import figures_of_run
from civlab.report.declaration import Chart, Curve, Outcome, Report, Section

REPORT = Report(
    figures=figures_of_run,
    sections=(
        Section(
            "From emissions to warming",
            (
                Chart("warming", charts.draw_warming, "Bands hold half and nine tenths of the members."),
                Chart("emissions", charts.draw_emissions, "Whole kilograms, counted in the ledger."),
                Chart("co2", charts.draw_co2, "At the year's end."),
                Chart("forcing", charts.draw_forcing, "CO2, CH4, N2O and what is prescribed."),
                Chart("ch4", charts.draw_ch4, "At the year's end."),
                Chart("n2o", charts.draw_n2o, "At the year's end."),
            ),
        ),
        Section(
            "What it does",
            (
                Chart(
                    "zones", charts.draw_zones, "Land of each zone; factors of the scenario times the global warming."
                ),
                Chart("sea", charts.draw_sea_level, "A semi-empirical law, from 1880 on."),
                Chart("damage", charts.draw_damage, "By the scenario's damage function."),
                Chart("tipped", charts.draw_tipped, "Each element by the share to which it has tipped."),
                Chart("peaks", charts.draw_peaks, "One count for each member; the line is the median."),
            ),
        ),
    ),
    outcome=Outcome("the peak warming", "K", 1),
    cards={
        "peak_warming": "K at the peak",
        "peak_year": "tick of the peak",
        "final_warming": "K at the end",
        "final_co2": "ppm CO2 at the end",
        "sea_level": "m of sea level",
        "damage": "of output lost",
        "tipped": "elements tipped",
        "emitted": "GtC emitted",
    },
    picture=(charts.draw_warming, charts.draw_co2, charts.draw_sea_level, charts.draw_zones),
    curve=Curve("warming", "Global warming by year"),
)
