"""The civilisation's report: from the map and its people over product, prices and energy to what the climate costs."""

from __future__ import annotations

from civlab.models.civilisation import charts_earth as earth
from civlab.models.civilisation import charts_economy as economy
from civlab.models.civilisation import charts_laws as laws
from civlab.models.civilisation import charts_maps as maps
from civlab.models.civilisation import charts_people as people
from civlab.models.civilisation.figures import figures_of_run
from civlab.report.declaration import Chart, Curve, Draw, Outcome, Report, Section
from civlab.results.columns import to_floats
from civlab.results.reader import Results


def proofs(results: Results) -> list[tuple[str, str]]:
    """How many invariants the run's own table shows to hold."""
    residues = to_floats(results.arrow("invariant", ["residue"]).column(0))
    holding = int((residues == 0).sum())
    each = len(residues) // results.manifest.members
    text = f"{holding:,} of {len(residues):,} hold to the unit: {each} for each member, counted anew at its end"
    return [("Invariants", text)]


def map_chart(name: str, draw: Draw, caption: str) -> Chart:
    """A map: its scale stands to the right of it, and no numbers below."""
    return Chart(name, draw, caption, left=0.04, right=0.87, bottom=0.03)


WORLD = Section(
    "The world at the end",
    (
        map_chart("nations", maps.draw_nations, "Regions are cells of land; a strong line is a border or a coast."),
        map_chart("citizens", maps.draw_citizens, "Settled by a rank-size law at first, then by what people do."),
        map_chart(
            "income", maps.draw_income, "Of the last quarter, after income tax, transfers and dividends included."
        ),
        map_chart("idle", maps.draw_unemployment, "In the last week."),
        map_chart("moves", maps.draw_migration, "Who came less who left."),
        map_chart("zones", maps.draw_zones, "By latitude and height."),
        map_chart("warmth", maps.draw_warming, "Of the land; zones follow the global warming by factors of their own."),
        map_chart("losses", maps.draw_damage, "Mean over the nine goods: harvests, work in heat, and all else."),
    ),
)
PRODUCT = Section(
    "Product, work and prices",
    (
        Chart("product", economy.draw_product, "At the pace of a quarter, over the price level."),
        Chart("growth", economy.draw_growth, "Of a quarter over that of a year before."),
        Chart("use", economy.draw_use, "Sales tax included."),
        Chart("unemployment", economy.draw_unemployment, "Mean of four weeks."),
        Chart("turnover", economy.draw_turnover, "Means of a quarter."),
        Chart("inflation", economy.draw_inflation, "Pay is that of a unit of labour of equal efficiency."),
        Chart("rate", economy.draw_rate, "A Taylor rule; mean of the nations by their product."),
        Chart("prices", economy.draw_prices, "What buyers paid for a lot, carriage included; medians.", right=0.83),
        Chart("unmet", economy.draw_unmet, "Mean of a quarter: the short side of a market is rationed."),
        Chart("failures", economy.draw_failures, "A firm fails when it owes more than it is worth."),
    ),
)
NATIONS = Section(
    "Nations, money and trade",
    (
        Chart("nations-product", economy.draw_nations_product, "Medians of the members, at the pace of a quarter."),
        Chart("nations-idle", economy.draw_nations_unemployment, "Medians of the members, means of a quarter."),
        Chart("wages", economy.draw_wage_share, "Wages and social contributions; medians of the members."),
        Chart("debt", economy.draw_debt, "Medians of the members."),
        Chart("money", economy.draw_money, "Banks create deposits when they lend."),
        Chart("exports", economy.draw_exports, "Medians of the members, means of a quarter."),
        Chart("balance", economy.draw_balance, "Exports less imports; they sum to nothing over all nations."),
    ),
)
ENERGY = Section(
    "Energy",
    (
        Chart("sources", earth.draw_sources, "By whole years; fuel burnt is what all industries and households used."),
        Chart("energy-price", earth.draw_price, "Cleared by a call of one price for each nation, every week."),
        Chart("shortage", earth.draw_shortage, "Rationed by tiers: households first."),
        Chart("reserves", earth.draw_reserves, "All regions together."),
    ),
)
PEOPLE = Section(
    "People",
    (
        Chart("population", people.draw_citizens, "At the week's end."),
        Chart("pyramid", people.draw_pyramid, "Mean of the members, in classes of five years."),
        Chart("vital", people.draw_vital, "Over the last year."),
        Chart("migration", people.draw_moves, "Over the last year."),
        Chart("estates", people.draw_estates, "Over the last year; heirs are the households that descend from them."),
        Chart("age-wealth", people.draw_age_wealth, "At the end, classes of ten years."),
        Chart("lorenz", people.draw_lorenz, "Households at the end; medians of the members."),
        Chart("deposits", people.draw_deposits, "Sampled households of all members together."),
        Chart("gini", people.draw_gini, "One count for each member; dashed, the medians."),
    ),
)
CLIMATE = Section(
    "Climate",
    (
        Chart("warming", earth.draw_warming, "Each member has its own climate parameters, of a published ensemble."),
        Chart("co2", earth.draw_co2, "The rest of the world follows its pathway."),
        Chart(
            "carbon", earth.draw_carbon, "By all whom the citizens stand for; marks hold nine tenths of the members."
        ),
        Chart("damage", earth.draw_damage, "Means by people of the zone's regions; bands hold half of the members."),
        Chart("sea", earth.draw_sea, "A semi-empirical law, from 1880 on."),
    ),
)
LAWS = Section(
    "Regularities",
    (
        Chart(
            "phillips", laws.draw_phillips, "A point for each quarter and nation of a member; dashed, least squares."
        ),
        Chart("beveridge", laws.draw_beveridge, "A point for each quarter and nation of a member."),
        Chart("okun", laws.draw_okun, "A point for each quarter and nation of a member, against a year before."),
        Chart("engel", laws.draw_engel, "A point for each region and year of a member."),
        Chart("firms", laws.draw_firms, "A line for each of some members, the largest firm first."),
    ),
)

REPORT = Report(
    figures=figures_of_run,
    sections=(WORLD, PRODUCT, NATIONS, ENERGY, PEOPLE, CLIMATE, LAWS),
    outcome=Outcome("the real product a citizen", "base money a year"),
    cards={
        "citizens": "citizens at the end",
        "product": "real product a citizen and year",
        "growth": "growth of the real product",
        "unemployment": "unemployed",
        "inflation": "inflation",
        "gini": "Gini coefficient of deposits",
        "income_gini": "Gini coefficient of incomes",
        "top_tenth": "of deposits held by the richest tenth",
        "public_debt": "public debt over the product",
        "failures": "firms failed in the last year",
        "traded": "of the product sold across borders",
        "energy_price": "times the start's price of energy",
        "energy_short": "of wanted energy not delivered",
        "carbon": "Mt of carbon emitted",
        "warming": "K of global warming",
        "damage": "of output lost to the climate",
    },
    picture=(maps.draw_income, economy.draw_product, people.draw_pyramid, economy.draw_unemployment),
    curve=Curve("product_real", "Real product by week"),
    facts=proofs,
)
