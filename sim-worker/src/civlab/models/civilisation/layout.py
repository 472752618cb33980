"""The declared state of the civilisation model: columns, the compiled scenario, draws, faults and metrics.

Citizens and households lie in segments by region, so that a tile of them belongs to one region and its sums need no
scatter; firms lie by region and industry, so that the sellers of a market are neighbours.
"""

from __future__ import annotations

from civlab.models.civilisation.layout_land import PARAMETERS, RESPONSES
from civlab.models.civilisation.layout_people import HEALTHS, HOME
from civlab.models.civilisation.metrics import (
    MARKET_METRICS,
    METRICS,
    NATION_METRICS,
    REGION_METRICS,
    cell_names,
)
from civlab.runtime.columns import Column, Field, Kind, proof_columns
from civlab.runtime.model import Enumeration
from parpour_contracts.scenario.civilisation import people

TILE = 4096
"""Most slots of a tile of citizens or households; tiles never straddle regions."""
PAD = 64
"""Segments of citizens and households begin on, and are as long as, a multiple of this."""
GOODS = ("food", "fuel", "energy", "materials", "manufactures", "construction", "logistics", "services", "public")
"""The nine goods, each made by the industry of the same name."""
ZONES = ("tropical", "arid", "temperate", "continental", "polar")
SKILLS = ("basic", "trained", "expert")
REACH_RADIUS = 3
REACH = 37
"""Cells of the hexagonal disc of radius REACH_RADIUS: the regions that a region may trade with, itself at place 18."""
LADDER = 256
"""Steps of the price ladder of the energy call."""
WEEKS = 52
"""Ticks of a year."""
EPOCH = 10_000
"""Weeks before the first tick from which births are counted."""
SLOW = people.PeopleSection().round
"""Ticks between two rounds of births, deaths, partnerships and moves where a scenario asks for no others."""
REGION_ROWS = 13
"""Ticks between two rows of the regions' history."""
AGES = people.OLDEST + 1
"""Single years of age; the last one is open."""
NATIONS = 8
"""Most nations of a scenario."""
ADULT = people.ADULT
"""Years at which a citizen may work, live alone or have a partner."""

LANDS = ("farmed", "mined", "settled", "wild")
FLOWS = (
    "wages", "wages_received", "household_income", "holdings", "held", "taxes_income", "taxes_sales", "taxes_profit",
    "contributions", "benefits", "pensions", "child_benefits", "dividends", "purchases", "interest_public", "rescues",
    "household_spending", "investment", "output", "output_real", "failures", "write_offs", "lent", "repaid", "interest",
    "paid_out", "cash_before", "cash", "loans", "revenue", "spent", "staff", "exports", "imports", "treasury_before",
    "debt_before", "banks_before", "below_zero", "beyond",
)  # fmt: skip
"""Cells by which a nation's tick is added up."""
GOODS_FLOWS = ("made", "used", "sold", "received", "consumed", "built", "perished", "carried")
"""Flows of goods: made, used as inputs, sold, received by buyers, consumed by households and governments, built into
capital, perished in store, used to carry other goods."""
ENERGY_FLOWS = ("extracted", "gained", "primary", "embodied_used", "embodied_lost")
"""Energy from the ground and from renewable sources, mJ; embodied energy that began, was consumed, perished, J."""
HEADS = ("people", "workers", "employed", "seekers", "retired", "minors", "households", "housed")
"""Counts of a region's citizens; `housed` is the sum of its households' sizes."""
VITALS = ("births", "deaths", "arrivals", "departures", "hires", "separations", "estates", "inherited", "unclaimed")
"""Cells of what happens to a region's people in a tick: citizens, and money for the last three."""
CALLS = (
    "price", "bid_step", "bid_left", "ask_step", "ask_left", "volume", "wanted", "wanted_step", "expected", "money",
)  # fmt: skip
"""Cells of an energy call: price, margins, volume, what was bid at the last price (at the call's, if that is lower) or
above and the step of that price, what sellers expected to sell, what buyers paid."""
DRAWS = (
    "terrain", "settlement", "household", "age", "child", "kin", "skill", "firm", "work", "match", "event", "birth",
    "partner", "destination", "school", "wealth", "reserve", "hiring", "price", "crowd_school", "crowd_birthday",
    "crowd_event", "crowd_work", "crowd_match", "fortune", "surprise", "swing", "leap",
)  # fmt: skip
"""Every named random draw; a name is one byte of the generator's counter, so draws never share numbers."""
EVENTS = ("death", "birth", "leaving", "seeking", "thinking", "moving")
"""What befalls a citizen in a round of people, at most one: `thinking` of a move, `moving` with the household."""
CROWD_YEARS = 128
"""Years of birth that a crowd keeps apart; the oldest one is open."""
CROWD_CLASSES = 2 * (len(SKILLS) + 1) * HEALTHS
"""Cells of a year of birth: sex, minor or skill, health."""
CROWD = CROWD_YEARS * CROWD_CLASSES
TALLIES = (
    *(f"able_{skill}" for skill in SKILLS), *(f"retiring_{skill}" for skill in SKILLS), "minors", "retired", "people",
)  # fmt: skip
"""Counts of a crowd in a week: who may work and who retires by skill, minors, retired and all."""
HOMES = ("households", "couples", "generations", "adults_then", "households_then", "couples_then")
"""How a crowd lives: households, couples and the sum of the households' generations; and as it was when it was made."""
FAULTS = (
    "goods", "money", "energy", "carbon", "population", "labour", "firm_sheet", "bank_sheet", "household_sheet",
    "government_sheet", "trade", "rationing", "land", "credit", "inheritance", "negative", "bounds", "chain",
    "embodied", "full_citizens", "full_households", "overflow",
)  # fmt: skip
"""Invariants I1-I18 in the order of their numbers, then what else stops a run."""
HIGHEST_PRICE = 1 << 40
"""Of a lot and of a week's work; a run in which prices go beyond it stops."""
HIGHEST_FLOW = 3 << 62
"""Units of a good, or mJ or J of energy, that a region's flow of a week may come to; beyond it a run stops, before 64
bits are full."""
HIGHEST_TECHNOLOGY = 1 << 42
"""Productivity over that of the start, Q32.32."""
CHAINED = ("climate", "people", "plan", "labour", "energy", "work", "market", "finance", "record")


def cells(name: str, width: int, meaning: str, unit: str = "money", per: str = "region") -> Column:
    """A scratch column of u64 cells."""
    return Column(name, "u8", per, "scratch", unit, meaning, width)


CITIZEN = (
    Column("born", "u2", "citizen", "dynamic", "weeks", f"week of birth, counted from {EPOCH} weeks before tick 0"),
    Column(
        "household", "u4", "citizen", "dynamic", "", "household plus one, counted within the member; 0: vacant slot"
    ),
    Column("employer", "u4", "citizen", "dynamic", "", "firm plus one, counted within the member; 0: none"),
    Column(
        "traits",
        "u1",
        "citizen",
        "dynamic",
        "",
        "bit 0 woman, 1-2 skill, 3-4 health, 5 partnered, 6 child of the house",
    ),
    Column("seeking", "u1", "citizen", "scratch", "", "skill plus one of a citizen who seeks work this week"),
    Column("event", "u1", "citizen", "scratch", "", "what befalls the citizen in this round of people"),
    Column("boarding", "u4", "citizen", "scratch", "", "slots of a region's movers, side by side"),
)
HOUSEHOLD = (
    Column("deposit", "u8", "household", "dynamic", "money", "what the household holds"),
    Column("income", "u8", "household", "dynamic", "money", "smoothed weekly income after taxes"),
    Column("origin_a", "u4", "household", "dynamic", "", "household plus one that one partner came from; 0: none"),
    Column("origin_b", "u4", "household", "dynamic", "", "household plus one that the other came from; 0: none"),
    Column("size", "u1", "household", "dynamic", "citizens", "citizens of the household; 0: vacant slot"),
    Column("generation", "u1", "household", "dynamic", "", "generations since the founders"),
    Column("earned", "u8", "household", "scratch", "money", "income of the tick after taxes, till it is posted"),
    Column("outlay", "u8", "household", "scratch", "money", "what is to be spent in the tick, taxes included"),
    Column("heirs", "u4", "household", "scratch", "households", "claims on the estate of a household that ended"),
    Column("first_heir", "u8", "household", "scratch", "", "first of the heirs' households"),
    Column("fate", "u4", "household", "scratch", "", "0 as before, 1 ended, else two more than where it went"),
    Column(
        "mark",
        "u1",
        "household",
        "scratch",
        "",
        "1: lost a head; then: place of the disc it moves to, plus one; then 1: kin",
    ),
    Column("elder", "u8", "household", "scratch", "", "who heads a household that lost a head"),
    Column(
        "queue", "u8", "household", "scratch", "", "a region's seekers of a partner, later its movers, side by side"
    ),
)
FIRM = (
    Column("industry", "u1", "firm", "static", "", "good that the firm makes"),
    Column("bank", "u2", "firm", "static", "", "bank, counted within the member"),
    Column("cash", "u8", "firm", "dynamic", "money", "what the firm holds at its bank"),
    Column("loan", "u8", "firm", "dynamic", "money", "what it owes to its bank"),
    Column("capital", "u8", "firm", "dynamic", "base money", "fixed capital at base prices"),
    Column("inventory", "u8", "firm", "dynamic", "units", "unsold output"),
    Column("embodied", "u8", "firm", "dynamic", "J", "primary energy embodied in the unsold output"),
    Column("stock", "u8", "firm", "dynamic", "units", "inputs by good", len(GOODS)),
    Column("stock_embodied", "u8", "firm", "dynamic", "J", "primary energy embodied in the inputs", len(GOODS)),
    Column("price", "u8", "firm", "dynamic", "money a lot", "posted price before sales tax"),
    Column("sales", "u8", "firm", "dynamic", "units", "weekly demand that is expected"),
    Column("haul", "u8", "firm", "dynamic", "mJ", "energy used a week to carry goods, smoothed"),
    Column("barred", "u4", "firm", "dynamic", "weeks", "weeks for which the firm gets no credit, because it failed"),
    Column("staff", "u4", "firm", "dynamic", "citizens", "employees by skill", len(SKILLS)),
    Column("want", "u4", "firm", "scratch", "citizens", "employees that are wanted, by skill", len(SKILLS)),
    Column("lapse", "u4", "firm", "scratch", "Q0.32", "chance that a job ends this week, by skill", len(SKILLS)),
    Column("left", "u4", "firm", "scratch", "citizens", "employees who left this week, by skill", len(SKILLS)),
    Column("joined", "u4", "firm", "scratch", "citizens", "employees who began this week, by skill", len(SKILLS)),
    Column("place", "u4", "firm", "scratch", "", "first vacancy among the region's of that skill", len(SKILLS)),
    cells("pay", len(SKILLS), "gross weekly pay by skill", per="firm"),
    cells("target", 1, "output that is aimed at", "units", per="firm"),
    cells("borrow", 1, "credit asked for", per="firm"),
    cells("order", len(GOODS), "money set aside for inputs, by good", per="firm"),
    cells("invest", len(GOODS), "money set aside for capital goods, by good", per="firm"),
    cells("bid", 1, "energy bid for", "mJ", per="firm"),
    cells("bill", 1, "wages paid in the tick", per="firm"),
    cells("built", 1, "capital goods received", "base money", per="firm"),
    cells("spent", 1, "money spent on goods in the tick", per="firm"),
    cells("revenue", 1, "money earned in the tick", per="firm"),
    cells("demanded", 1, "orders of the tick, met or not", "units", per="firm"),
    cells("offered", 1, "what may be sold in the tick", "money", per="firm"),
    cells("sold", 1, "goods sold in the tick", "units", per="firm"),
    cells("split_weight", 1, "weights of a split", "", per="firm"),
    cells("split_share", 1, "shares of a split", "", per="firm"),
    cells("split_rest", 1, "remainders of a split", "", per="firm"),
    cells("bought", len(GOODS), "money paid for goods by good, a region's firms side by side", per="firm"),
    cells("delivered", len(GOODS), "goods delivered by good, a region's firms side by side", "units", per="firm"),
    cells("delivered_embodied", len(GOODS), "their embodied energy, likewise", "J", per="firm"),
    cells("rest", len(GOODS), "remainders of their splits, likewise", "", per="firm"),
)
REGION = (
    Column("region_cell", "u4", "region", "static", "", "cell of the map: row times the map's width plus column"),
    Column("region_nation", "u1", "region", "static", "", "nation, counted within the member"),
    Column("region_zone", "u1", "region", "static", "", "climate zone"),
    Column("region_height", "u4", "region", "static", "m", "height above the sea"),
    Column("region_farmed", "u4", "region", "static", "km^2", "farmed land at the start"),
    Column("region_settled", "u4", "region", "static", "citizens", "citizens at the start"),
    Column("region_share", "u8", "region", "static", "Q0.63", "share of the member's citizens at the start"),
    Column("reach", "u4", "region", "static", "", "region plus one at each place of the disc; 0: none", REACH),
    Column("attraction", "u8", "region", "static", "", "pull of the region's sellers, by good", len(GOODS)),
    Column("attract_made", "f8", "region", "scratch", "units", "output at the start, while attractions are found"),
    Column("attract_bought", "f8", "region", "scratch", "", "purchases over what is in reach, likewise"),
    Column("attract_scale", "f8", "region", "scratch", "", "attractions, likewise"),
    Column("land", "u4", "region", "dynamic", "km^2", "area by use", len(LANDS)),
    Column("reserve", "u8", "region", "dynamic", "mJ", "fuel in the ground, two limbs", 2),
    Column("tariff", "u8", "region", "dynamic", "money a lot", "price last paid for each good", len(GOODS)),
    Column("wage", "u8", "region", "dynamic", "money a week", "pay of an efficiency unit"),
    Column("warmth", "i8", "region", "dynamic", "Q31.32 K", "warming of the zone's land"),
    Column("yield", "u4", "region", "dynamic", "Q1.31", "productivity left by climate damage, by good", len(GOODS)),
    Column("moved", "u4", "region", "dynamic", "citizens", "citizens who came and who left since the start", 2),
    Column("zoomed", "u1", "region", "dynamic", "", "1: the region's people are a crowd"),
    cells("vital", len(VITALS), "births and the like of the tick", "citizens"),
    Column("workforce", "u4", "region", "scratch", "citizens", "who may work, and who of them does, in a round", 2),
    Column("boarded", "u4", "region", "scratch", "", "households and citizens that move from the region", 2),
    Column("census", "u4", "region", "derived", "citizens", "citizens by what they do", len(HEADS)),
    Column("vacancy", "u4", "region", "scratch", "jobs", "vacancies by skill", len(SKILLS)),
    Column("seeker", "u4", "region", "scratch", "citizens", "seekers by skill", len(SKILLS)),
    cells("budget_households", len(GOODS), "households' budgets by good, taxes included"),
    cells("unspent", len(GOODS), "budgets that found no seller, by good"),
    cells("budget_public", len(GOODS), "government's budget by good"),
    cells("paid_households", len(GOODS), "what households spent by good, after taxes"),
    cells("paid_firms", len(GOODS), "what firms spent by good"),
    cells("paid_public", len(GOODS), "what the government spent by good"),
    cells("budget", len(GOODS), "all buyers' budgets by good, after taxes"),
    cells("supply", len(GOODS), "what the sellers offer, by good"),
    cells("offer_price", len(GOODS), "mean posted price by good", "money a lot"),
    cells("accepted", len(GOODS), "orders accepted so far by good"),
    cells("sought", len(GOODS), "orders of the first round by good, met or not"),
    cells("fill", len(GOODS), "share of a budget that is spent, by good", "Q32.32"),
    cells("appeal", len(GOODS) * REACH, "weights of the sellers in reach", "Q0.32"),
    cells("asked", len(GOODS) * REACH, "orders of a round, by the buyer's disc"),
    cells("filled", len(GOODS) * REACH, "orders accepted, by the buyer's disc"),
    cells("shipped", len(GOODS) * REACH, "goods on their way, by the buyer's disc", "units"),
    cells("shipped_embodied", len(GOODS) * REACH, "their embodied energy", "J"),
    cells("flow_goods", len(GOODS_FLOWS) * len(GOODS), "flows of the tick by good", "units"),
    cells("flow_energy", len(ENERGY_FLOWS), "flows of energy in the tick", "mJ"),
    cells("bid_margin", 1, "energy bid at the limit at which the call's volume runs out", "quanta"),
    cells("bid_share", 1, "the region's part of what is left for those bids", "quanta"),
    cells("ask_margin", 1, "energy offered at the limit at which the volume runs out", "quanta"),
    cells("ask_share", 1, "the region's part of what is left for those offers", "quanta"),
    cells("energy_final", 1, "energy delivered to households and the government", "quanta"),
    cells("energy_bought", 1, "energy delivered to the region", "quanta"),
    cells("energy_sold", 1, "energy sold by the region", "quanta"),
    cells("energy_money", 1, "what the region's sellers of energy are paid"),
    cells("energy_embodied", 1, "embodied energy of what was sold, then of what was bought", "J"),
    cells("region_held", 1, "deposits of the region's households at the end"),
    cells("region_income", 1, "income of the region's households"),
    cells("split_regions", 1, "remainders of a split", ""),
)
CROWDS = (
    Column("crowd_people", "u4", "crowd", "dynamic", "citizens", "by year of birth, sex, schooling and health", CROWD),
    Column("crowd_homes", "u8", "crowd", "dynamic", "", "how the crowd lives", len(HOMES)),
    Column("crowd_deposit", "u8", "crowd", "dynamic", "money", "what the crowd holds"),
    Column("crowd_income", "u8", "crowd", "dynamic", "money", "its smoothed weekly income after taxes"),
    Column("crowd_tally", "u4", "crowd", "scratch", "citizens", "counts of the week", len(TALLIES)),
    cells("crowd_earned", 1, "income of the tick after taxes, till it is posted", per="crowd"),
    cells("crowd_outlay", 1, "what is to be spent in the tick, taxes included", per="crowd"),
)
"""A region's people as a crowd; only worlds with changes of zoom have any."""
NATION = (
    Column("treasury", "u8", "nation", "dynamic", "money", "what the government holds"),
    Column("debt", "u8", "nation", "dynamic", "money", "what the government owes to the banks"),
    Column("pool", "u8", "nation", "dynamic", "money", "dividends to be paid out"),
    Column("policy_rate", "i8", "nation", "dynamic", "Q31.32 a week", "rate of the central bank"),
    Column("inflation", "i8", "nation", "dynamic", "Q31.32 a week", "expected inflation"),
    Column("growth", "i8", "nation", "dynamic", "Q31.32 a week", "expected real growth"),
    Column("technology", "u8", "nation", "dynamic", "Q32.32", "labour productivity over that of the start"),
    Column("level", "u8", "nation", "dynamic", "money a lot", "price level of consumption"),
    Column("purchases", "u8", "nation", "dynamic", "money", "weekly public purchases at current prices"),
    Column("swing", "i8", "nation", "dynamic", "Q31.32", "share by which the week's purchases are more than that"),
    Column("output", "u8", "nation", "dynamic", "base money", "smoothed weekly output at base prices"),
    Column("energy_price", "u8", "nation", "dynamic", "money a lot", "price of the last energy call"),
    Column("abroad", "i8", "nation", "dynamic", "money", "sales abroad less purchases since the start"),
    cells("flow", len(FLOWS), "the tick's flows", per="nation"),
    cells("ladder_demand", LADDER, "energy bid by limit", "mJ", per="nation"),
    cells("ladder_supply", LADDER, "energy offered by limit", "mJ", per="nation"),
    cells("call", len(CALLS), "result of the energy call", "", per="nation"),
)
BANK = (
    Column("equity", "i8", "bank", "dynamic", "money", "capital of the bank"),
    Column("lent", "u8", "bank", "dynamic", "money", "loans of its firms"),
    Column("bank_nation", "u1", "bank", "plan", "", "nation, counted within the member"),
    cells("requested", 1, "credit asked for", per="bank"),
    cells("granted", 1, "share of the requests that is granted", "Q32.32", per="bank"),
    cells("earnings", 1, "interest received in the tick", per="bank"),
    cells("losses", 1, "loans written off in the tick", per="bank"),
    cells("lending", 2, "loans made and repaid in the tick", per="bank"),
)
PLAN = (
    Column("tile_member", "u4", "tile", "plan", "", "member of a tile of citizens"),
    Column("tile_region", "u4", "tile", "plan", "", "region of the tile, counted over all members"),
    Column("tile_begin", "u4", "tile", "plan", "", "first slot of the tile"),
    Column("tile_end", "u4", "tile", "plan", "", "slot after the tile's last"),
    Column("tile_seekers", "u4", "tile", "scratch", "citizens", "seekers by skill", len(SKILLS)),
    Column("tile_rank", "u4", "tile", "scratch", "", "rank of the tile's first seeker in the region", len(SKILLS)),
    Column("block_member", "u4", "block", "plan", "", "member of a tile of households"),
    Column("block_region", "u4", "block", "plan", "", "region of the tile"),
    Column("block_begin", "u4", "block", "plan", "", "first slot of the tile"),
    Column("block_end", "u4", "block", "plan", "", "slot after the tile's last"),
    Column("cluster_member", "u4", "cluster", "plan", "", "member of a region: the tile of its firms"),
    Column("cluster_begin", "u4", "cluster", "plan", "", "first firm of the region"),
    Column("cluster_end", "u4", "cluster", "plan", "", "firm after the region's last"),
    Column("industry_begin", "u4", "cluster", "plan", "", "first firm by industry, and the end", len(GOODS) + 1),
    Column("region_tile", "u4", "cluster", "plan", "", "first tile of the region's citizens, and the end", 2),
    Column("region_citizen", "u4", "cluster", "plan", "", "first slot of the region's citizens, and the end", 2),
    Column("region_household", "u4", "cluster", "plan", "", "first slot of the region's households, and the end", 2),
    Column("member_citizen", "u4", "member", "plan", "", "first slot of the member's citizens"),
    Column("member_citizens", "u4", "member", "plan", "slots", "slots for the member's citizens"),
    Column("member_household", "u4", "member", "plan", "", "first slot of the member's households"),
    Column("member_households", "u4", "member", "plan", "slots", "slots for the member's households"),
    Column("member_firm", "u4", "member", "plan", "", "first firm of the member"),
    Column("member_firms", "u4", "member", "plan", "firms", "firms of the member"),
    Column("member_region", "u4", "member", "plan", "", "first region of the member"),
    Column("member_regions", "u4", "member", "plan", "regions", "regions of the member"),
    Column("member_nation", "u4", "member", "plan", "", "first nation of the member"),
    Column("member_nations", "u4", "member", "plan", "nations", "nations of the member"),
    Column("region_switch", "u4", "cluster", "plan", "", "first of the region's changes of zoom, and the end", 2),
    Column("switch_week", "u4", "switch", "plan", "tick", "when a region's people become a crowd, or persons again"),
    Column("member_crowd", "u4", "member", "plan", "", "first crowd of the member"),
    Column("member_crowds", "u4", "member", "plan", "crowds", "crowds of the member"),
    Column("member_bank", "u4", "member", "plan", "", "first bank of the member"),
    Column("member_banks", "u4", "member", "plan", "banks", "banks of the member"),
    Column("member_stream", "u4", "member", "plan", "", "random stream of the member"),
    Column("member_scenario", "u4", "member", "plan", "", "compiled scenario of the member"),
    Column("scenario", "Scenario", "scenario", "plan", "", "compiled economies"),
    Column("people", "People", "scenario", "plan", "", "compiled populations"),
    Column("lands", "Land", "scenario", "plan", "", "compiled worlds and climates"),
    Column("year", "Year", "year", "plan", "", "the rest of the world by year of each scenario"),
)
MEMBER = (
    Column("base_money", "i8", "member", "dynamic", "money", "money that is nobody's debt: the central bank's"),
    Column(
        "carbon_due", "u8", "member", "dynamic", "mJ", "fuel burnt whose carbon is still to be counted, two limbs", 2
    ),
    Column("carbon_rest", "u8", "member", "dynamic", "10^-15 kg", "carbon of burnt fuel that makes no whole kg yet"),
    Column("carbon", "i8", "member", "dynamic", "kg", "the world's carbon emitted, in the air, taken up since 1750", 3),
    Column("carbon_own", "i8", "member", "dynamic", "kg", "carbon emitted by the world's own people"),
    Column("boxes", "f8", "member", "dynamic", "GtCO2", "CO2 by box since 1750", 4),
    Column("gases", "f8", "member", "dynamic", "Mt", "CH4 and N2O above the baseline", 2),
    Column("emitted", "f8", "member", "dynamic", "GtCO2", "CO2 emitted since 1750"),
    Column("heat", "f8", "member", "dynamic", "W m-2, K", "lagged forcing and the temperatures of three layers", 4),
    Column("tipping", "f8", "member", "dynamic", "", "state of each tipping element: -1 today, +1 tipped", 6),
    Column("warming", "f8", "member", "dynamic", "K", "global warming since 1750, tipping elements included"),
    Column("sea_level", "f8", "member", "dynamic", "m", "rise of the sea since 1880"),
    Column("parameters", "f8", "member", "static", "", "climate parameter set", len(PARAMETERS)),
    Column("response", "f8", "member", "derived", "", "what follows from it, and the start's warming", RESPONSES),
    Column("book_goods", "u8", "member", "dynamic", "units", "stocks of each good at the last count, two limbs", 18),
    Column(
        "book_energy", "u8", "member", "dynamic", "mJ", "energy there was, gained and dissipated, two limbs each", 6
    ),
    Column("book_embodied", "u8", "member", "dynamic", "J", "embodied energy at the last count, two limbs", 2),
    Column(
        "book_burnt",
        "u8",
        "member",
        "dynamic",
        "mJ",
        "fuel burnt since the start, by what left the stores, two limbs",
        2,
    ),
    Column("book_people", "u8", "member", "dynamic", "citizens", "citizens at the last count"),
    cells("count_goods", 4 * len(GOODS), "stocks of each good, by limbs", "units", per="member"),
    cells("count_embodied", 4, "embodied energy of all stocks, by limbs", "J", per="member"),
    Column("fault", "u8", "member", "derived", "", "first tick at which an invariant broke, and which; 0 none"),
    Column("fault_place", "u4", "member", "derived", "", "region or other place of the first fault, plus one"),
    Column(
        "fault_residue", "i8", "member", "derived", "", "what is missing or too much at the first fault, two limbs", 2
    ),
)
SITE = (
    Column("member_site", "u4", "member", "plan", "", "first cell of the member's map, while maps are drawn"),
    Column("site_height", "u4", "site", "scratch", "", "height of the terrain"),
    Column("site_inland", "u4", "site", "scratch", "cells", "way to the sea; 0 at sea"),
    Column("site_number", "u4", "site", "scratch", "", "region plus one; 0 at sea"),
    Column("site_list", "u4", "site", "scratch", "", "cells or regions in hand"),
    Column("site_key", "u8", "site", "scratch", "", "ranks and weights of regions"),
    Column("site_share", "u8", "site", "scratch", "", "shares of a split"),
    Column("site_rest", "u8", "site", "scratch", "", "remainders of a split"),
    Column("site_state", "u1", "site", "scratch", "", "0 sea, 1 sea that may become land, 2 land"),
    Column("site_near", "u1", "site", "scratch", "", "bit k: nation k is near"),
    Column("site_nation", "u1", "site", "scratch", "", "nation plus one"),
)
"""A map's cells, held while the map is drawn."""
HISTORY = (
    Column("nation_rows", "i8", "nation", "history", "", "metrics of nations", len(cell_names(NATION_METRICS))),
    Column("region_rows", "i8", "region", "history", "", "metrics of regions", len(cell_names(REGION_METRICS)),
           every=REGION_ROWS),
    Column("market_rows", "i8", "region", "history", "", "metrics of markets, good by good",
           len(GOODS) * len(cell_names(MARKET_METRICS)), every=WEEKS),
    Column("trade_rows", "i8", "nation", "history", "money", "sold to each nation, good by good", len(GOODS) * NATIONS,
           every=WEEKS),
    Column("arrival_rows", "u4", "region", "history", "citizens", "who came from each place of the disc", REACH,
           every=WEEKS),
    Column("goods_rows", "i8", "member", "history", "units", "stocks of each good, two limbs", 2 * len(GOODS),
           every=WEEKS),
)  # fmt: skip

STATE = (*CITIZEN, *HOUSEHOLD, *FIRM, *REGION, *CROWDS, *NATION, *BANK, *MEMBER, *HISTORY)
COLUMNS = (
    *STATE,
    *PLAN,
    *SITE,
    *proof_columns(dynamic=sum(column.role == "dynamic" for column in STATE), chained=len(CHAINED), metrics=METRICS),
)
SCALARS = (
    Field("seed", "u8", "key of all draws"),
    Field("members", "u4", "members held at once"),
    Field("regions", "u4", "regions held at once"),
    Field("nations", "u4", "nations held at once"),
)
KINDS = (
    Kind(
        "citizen", "one person, alive or a vacant slot", first="member_citizen", count="member_citizens", tiles="tile"
    ),
    Kind(
        "household", "people who share an account", first="member_household", count="member_households", tiles="block"
    ),
    Kind("firm", "who makes one good in one region", first="member_firm", count="member_firms", tiles="cluster"),
    Kind("region", "one cell of the map", first="member_region", count="member_regions"),
    Kind("crowd", "a region's people as counts", first="member_crowd", count="member_crowds"),
    Kind("nation", "regions under one government", first="member_nation", count="member_nations"),
    Kind("bank", "who lends to firms of one nation", first="member_bank", count="member_banks"),
)
INSIDE = {"cluster": ("region", "citizen", "household", "crowd")}
"""A region's tile holds its firms, its cells, and all who live there, one by one or as a crowd."""
CONSTANTS = {
    "goods": len(GOODS),
    "zones": len(ZONES),
    "skills": len(SKILLS),
    "reach": REACH,
    "reach_radius": REACH_RADIUS,
    "highest_price": HIGHEST_PRICE,
    "highest_technology": HIGHEST_TECHNOLOGY,
    "highest_flow": HIGHEST_FLOW,
    "reach_self": REACH // 2,
    "ladder": LADDER,
    "weeks": WEEKS,
    "epoch": EPOCH,
    "region_every": REGION_ROWS,
    "ages": AGES,
    "nations_most": NATIONS,
    "adult": ADULT,
    "healths": HEALTHS,
    "crowd": CROWD,
    "crowd_years": CROWD_YEARS,
    "crowd_classes": CROWD_CLASSES,
    "tallies": len(TALLIES),
    "homes": len(HOMES),
    "home_years": HOME,
    "lands": len(LANDS),
    "flows": len(FLOWS),
    "heads": len(HEADS),
    "calls": len(CALLS),
    "vitals": len(VITALS),
    "goods_flows": len(GOODS_FLOWS),
    "energy_flows": len(ENERGY_FLOWS),
    "nation_metrics": len(cell_names(NATION_METRICS)),
    "region_metrics": len(cell_names(REGION_METRICS)),
    "market_metrics": len(cell_names(MARKET_METRICS)),
    "parameters": len(PARAMETERS),
    "responses": RESPONSES,
}
ENUMERATIONS = (
    Enumeration("GOOD", GOODS),
    Enumeration("ZONE", ZONES),
    Enumeration("LAND", LANDS),
    Enumeration("FLOW", FLOWS),
    Enumeration("HEAD", HEADS),
    Enumeration("VITAL", VITALS),
    Enumeration("TALLY", TALLIES),
    Enumeration("HOMES", HOMES),
    Enumeration("PARAMETER", PARAMETERS),
    Enumeration("GOODS_FLOW", GOODS_FLOWS),
    Enumeration("ENERGY_FLOW", ENERGY_FLOWS),
    Enumeration("CALL", CALLS),
    Enumeration("EVENT", EVENTS, 1),
    Enumeration("DRAW", DRAWS, 1),
    Enumeration("FAULT", FAULTS, 1),
    Enumeration("NATION_METRIC", cell_names(NATION_METRICS)),
    Enumeration("REGION_METRIC", cell_names(REGION_METRICS)),
    Enumeration("MARKET_METRIC", cell_names(MARKET_METRICS)),
)
