"""What is recorded: of the member and its nations every week, of regions by the quarter, of markets by the year.

Money is in minor units at current prices unless it says base money, which is quantities at the prices of the start. A
row of a quarter or a year holds the sums of its weeks' flows, and the stocks of its last week.
"""

from __future__ import annotations

from collections.abc import Iterable

from civlab.runtime.columns import Metric

METRICS = (
    Metric("citizens", "citizens", "stock", "citizens alive"),
    Metric("households", "households", "stock", "households"),
    Metric("births", "citizens", "flow", "births"),
    Metric("deaths", "citizens", "flow", "deaths"),
    Metric("moves", "citizens", "flow", "citizens who moved to another region"),
    Metric("employed", "citizens", "stock", "citizens with a job"),
    Metric("unemployed", "citizens", "stock", "citizens who may work and have no job"),
    Metric("vacancies", "jobs", "flow", "jobs open in the tick"),
    Metric("hires", "citizens", "flow", "jobs begun"),
    Metric("separations", "citizens", "flow", "jobs ended"),
    Metric("output", "money", "flow", "value of what was made, at current prices", dtype="i16"),
    Metric("output_real", "base money", "flow", "value of what was made, at base prices", dtype="i16"),
    Metric("product", "money", "flow", "gross product: final spending by households, governments and firms"),
    Metric("product_real", "base money", "flow", "gross product over the price level"),
    Metric("consumption", "money", "flow", "spending of households, taxes included"),
    Metric("public", "money", "flow", "purchases of governments"),
    Metric("investment", "money", "flow", "spending on capital goods"),
    Metric("unmet", "money", "flow", "budgets that found no seller"),
    Metric("price_level", "", "stock", "price level of consumption, 10000 at the start"),
    Metric("wage", "money", "stock", "mean pay of an efficiency unit and week"),
    Metric("policy_rate", "Q31.32 a week", "stock", "rate of the central bank, mean of nations by output"),
    Metric("money", "money", "stock", "all deposits", dtype="i16"),
    Metric("equity", "money", "stock", "capital of all banks", dtype="i16"),
    Metric("loans", "money", "stock", "loans of all firms", dtype="i16"),
    Metric("public_debt", "money", "stock", "debt of all governments", dtype="i16"),
    Metric("failures", "firms", "flow", "firms that failed"),
    Metric("energy_price", "money a lot", "stock", "price of the energy call, mean of nations by volume"),
    Metric("energy_sold", "mJ", "flow", "energy delivered by the call", dtype="i16"),
    Metric("energy_short", "mJ", "flow", "energy bid for at or above the price and not delivered", dtype="i16"),
    Metric("fuel_burnt", "mJ", "flow", "fuel used up", dtype="i16"),
    Metric("reserves", "mJ", "stock", "fuel in the ground", dtype="i16"),
    Metric("traded", "money", "flow", "goods sold across borders"),
    Metric("warming", "K", "stock", "global warming since 1750", dtype="f8"),
    Metric("co2", "ppm", "stock", "concentration of CO2", dtype="f8"),
    Metric("sea_level", "m", "stock", "rise of the sea since 1880", dtype="f8"),
    Metric(
        "carbon_own",
        "kg",
        "stock",
        "carbon emitted by the world's own people since the start, for all whom they stand for",
    ),
    Metric("carbon_emitted", "kg", "stock", "carbon emitted since 1750, the rest of the world's included"),
    Metric("carbon_air", "kg", "stock", "of that, what is in the air"),
    Metric("carbon_sinks", "kg", "stock", "of that, what land and sea took up"),
    Metric("damage", "", "stock", "share of output lost to the climate, mean of regions by people", dtype="f8"),
    Metric("estates", "money", "flow", "money of households that ended"),
    Metric("inherited", "money", "flow", "of that, what heirs received; the rest fell to treasuries"),
)

NATION_METRICS = (
    Metric("citizens", "citizens", "stock", "citizens"),
    Metric("households", "households", "stock", "households"),
    Metric("births", "citizens", "flow", "births"),
    Metric("deaths", "citizens", "flow", "deaths"),
    Metric("employed", "citizens", "stock", "citizens with a job"),
    Metric("unemployed", "citizens", "stock", "citizens who may work and have no job"),
    Metric("vacancies", "jobs", "flow", "jobs open in the tick"),
    Metric("output", "money", "flow", "value of what was made"),
    Metric("output_real", "base money", "flow", "value of what was made, at base prices"),
    Metric("product", "money", "flow", "gross product"),
    Metric("product_real", "base money", "flow", "gross product over the price level"),
    Metric("consumption", "money", "flow", "spending of households, taxes included"),
    Metric("purchases", "money", "flow", "purchases of the government"),
    Metric("investment", "money", "flow", "spending on capital goods"),
    Metric("exports", "money", "flow", "sales abroad"),
    Metric("imports", "money", "flow", "purchases abroad"),
    Metric("price_level", "", "stock", "price level of consumption, 10000 at the start"),
    Metric("wage", "money", "stock", "pay of an efficiency unit and week, mean of regions by those who work"),
    Metric("policy_rate", "Q31.32 a week", "stock", "rate of the central bank"),
    Metric("energy_price", "money a lot", "stock", "price of the energy call"),
    Metric("energy_sold", "mJ", "flow", "energy delivered by the call", dtype="i16"),
    Metric("energy_short", "mJ", "flow", "energy bid for at or above the price and not delivered", dtype="i16"),
    Metric("failures", "firms", "flow", "firms that failed"),
    Metric("holdings", "money", "stock", "deposits of households as the week's plans begin"),
    Metric("deposits", "money", "stock", "deposits of households"),
    Metric("cash", "money", "stock", "what firms hold"),
    Metric("treasury", "money", "stock", "what the government holds"),
    Metric("pool", "money", "stock", "dividends to be paid out"),
    Metric("equity", "money", "stock", "capital of the banks"),
    Metric("loans", "money", "stock", "loans of firms"),
    Metric("debt", "money", "stock", "what the government owes"),
    Metric("income", "money", "flow", "income of households after income tax"),
    Metric("wages", "money", "flow", "wages that firms paid"),
    Metric("contributions", "money", "flow", "social contributions of firms"),
    Metric("taxes_income", "money", "flow", "income tax"),
    Metric("taxes_sales", "money", "flow", "sales tax"),
    Metric("taxes_profit", "money", "flow", "profit tax"),
    Metric("benefits", "money", "flow", "benefits of those without work"),
    Metric("pensions", "money", "flow", "pensions"),
    Metric("child_benefits", "money", "flow", "benefits for minors"),
    Metric("dividends", "money", "flow", "dividends that households received"),
    Metric("revenue", "money", "flow", "what firms earned by sales"),
    Metric("spent", "money", "flow", "what firms spent on inputs, energy and capital goods"),
    Metric("lent", "money", "flow", "loans made to firms"),
    Metric("repaid", "money", "flow", "loans paid back by firms"),
    Metric("interest", "money", "flow", "interest paid by firms"),
    Metric("write_offs", "money", "flow", "loans that banks wrote off"),
    Metric("paid_out", "money", "flow", "dividends that firms paid out"),
    Metric("interest_public", "money", "flow", "interest paid by the government"),
    Metric("rescues", "money", "flow", "losses of banks that the government took over"),
    Metric("unclaimed", "money", "flow", "estates that fell to the treasury"),
)

REGION_METRICS = (
    Metric("citizens", "citizens", "stock", "citizens"),
    Metric("employed", "citizens", "stock", "citizens with a job"),
    Metric("unemployed", "citizens", "stock", "citizens who may work and have no job"),
    Metric("births", "citizens", "flow", "births"),
    Metric("deaths", "citizens", "flow", "deaths"),
    Metric("arrivals", "citizens", "flow", "citizens who came from other regions"),
    Metric("departures", "citizens", "flow", "citizens who left for other regions"),
    Metric("output", "money", "flow", "value of what was made"),
    Metric("income", "money", "flow", "income of households after income tax"),
    Metric("consumption", "money", "flow", "spending of households before sales tax"),
    Metric("deposits", "money", "stock", "deposits of households"),
    Metric("wage", "money", "stock", "pay of an efficiency unit and week"),
    Metric("warming", "Q31.32 K", "stock", "warming of the land"),
    Metric("damage", "Q1.31", "stock", "share of output lost to the climate"),
    Metric("farmed", "km^2", "stock", "farmed land"),
    Metric("mined", "km^2", "stock", "mined land"),
    Metric("settled", "km^2", "stock", "settled land"),
    Metric("wild", "km^2", "stock", "wild land"),
    Metric("reserve", "mJ", "stock", "fuel in the ground", dtype="i16"),
    Metric("extracted", "mJ", "flow", "fuel taken from the ground", dtype="i16"),
    Metric("gained", "mJ", "flow", "energy gained from renewable sources", dtype="i16"),
    Metric("embodied_new", "J", "flow", "primary energy that went into goods", dtype="i16"),
    Metric("embodied_used", "J", "flow", "embodied energy of goods consumed and built", dtype="i16"),
    Metric("embodied_lost", "J", "flow", "embodied energy of goods that perished", dtype="i16"),
)
"""Of a region and quarter."""

MARKET_METRICS = (
    Metric("price", "money a lot", "stock", "price last paid"),
    Metric("made", "units", "flow", "made in the region", dtype="i16"),
    Metric("used", "units", "flow", "used as input in the region", dtype="i16"),
    Metric("sold", "units", "flow", "sold by the region's firms", dtype="i16"),
    Metric("received", "units", "flow", "received by the region's buyers", dtype="i16"),
    Metric("consumed", "units", "flow", "consumed by the region's households and government", dtype="i16"),
    Metric("built", "units", "flow", "built into the capital of the region's firms", dtype="i16"),
    Metric("perished", "units", "flow", "perished in store", dtype="i16"),
    Metric("carried", "units", "flow", "used up by carrying goods", dtype="i16"),
    Metric("households", "money", "flow", "paid by the region's households, before sales tax"),
    Metric("public", "money", "flow", "paid by its government for the region"),
    Metric("firms", "money", "flow", "paid by the region's firms"),
    Metric("unmet", "money", "flow", "budgets of the region's buyers that found no seller"),
)
"""Of a good in a region and year."""


def cell_names(metrics: Iterable[Metric]) -> tuple[str, ...]:
    """Names of the cells of a row, in order; a number of 128 bits has a second cell NAME_high."""
    return tuple(
        name for metric in metrics for name in (metric.name, *([f"{metric.name}_high"] if metric.cells == 2 else []))
    )
