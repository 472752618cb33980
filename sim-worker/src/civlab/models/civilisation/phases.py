"""The civilisation's tick as data: eleven stages, each one or more kernels.

A stage's kernels follow each other because what one writes the next one reads for other entities: a launch is the only
barrier that all machines share.
"""

from __future__ import annotations

from dataclasses import replace

from civlab.models.civilisation.phases_land import LAND_PHASES
from civlab.models.civilisation.phases_people import PEOPLE_PHASES
from civlab.runtime.phases import Phase

DIGESTS = "column_digest phase_digest"
WHERE = "tile_member tile_region tile_begin tile_end"
HEARTH = "block_member block_region block_begin block_end region_nation"
SITE = "cluster_member cluster_begin cluster_end region_nation"


def row(name: str, over: str, reads: str, writes: str, meaning: str) -> Phase:
    """A phase whose kernel bears its name; columns are words."""
    return streaming(name, over, reads, writes, meaning, "")


def streaming(name: str, over: str, reads: str, writes: str, meaning: str, streams: str) -> Phase:
    """The same for a kernel that reads or writes whole columns of citizens or households."""
    kernel = f"civilisation_{name.rstrip('123')}"
    return Phase(name, kernel, over, tuple(reads.split()), tuple(writes.split()), meaning, tuple(streams.split()))


PLAN = (
    streaming(
        "hold",
        "block",
        f"{HEARTH} zoomed deposit crowd_deposit",
        "flow",
        "deposits are added up, by which dividends are shared",
        "deposit",
    ),
    row(
        "plan",
        "cluster",
        f"{SITE} industry scenario sales inventory capital stock price staff cash loan barred tariff yield reserve "
        "wage level technology energy_price bank haul",
        f"target want lapse order invest bid borrow requested price {DIGESTS}",
        "firms set prices and decide what to make, whom to employ, what to buy and to borrow",
    ),
    row(
        "lend",
        "member",
        "equity lent requested",
        "granted requested",
        "banks grant as much of the credit asked for as their capital covers",
    ),
    row(
        "fund",
        "cluster",
        f"{SITE} industry granted borrow cash loan staff want order invest bid wage bank energy_price",
        f"cash loan order invest bid borrow lending flow {DIGESTS}",
        "loans are paid out, and plans are cut to the money there is",
    ),
)
LABOUR = (
    streaming(
        "part",
        "tile",
        f"{WHERE} zoomed household born traits employer lapse staff crowd_tally",
        f"employer seeking left tile_seekers seeker vital {DIGESTS}",
        "jobs end; those without one decide whether to apply",
        "household born traits employer seeking",
    ),
    row(
        "rank",
        "cluster",
        f"{SITE} region_tile zoomed tile_seekers left want staff",
        f"tile_rank tile_seekers seeker vacancy place left staff census {DIGESTS}",
        "seekers and vacancies of a region are numbered by skill",
    ),
    streaming(
        "hire",
        "tile",
        f"{WHERE} zoomed seeking seeker vacancy place tile_rank cluster_begin cluster_end",
        f"employer joined vital {DIGESTS}",
        "shuffled seekers meet vacancies: as many are hired as the short side has",
        "seeking",
    ),
)
WORK = (
    row(
        "produce",
        "cluster",
        f"{SITE} industry joined staff cash order invest bid target stock stock_embodied inventory embodied wage "
        "technology yield energy_price",
        f"staff joined pay bill cash stock stock_embodied inventory embodied flow flow_goods flow_energy {DIGESTS}",
        "firms fix their pay and make what staff, capital and inputs allow",
    ),
    row(
        "extract",
        "cluster",
        f"{SITE} staff target stock stock_embodied inventory embodied reserve technology yield",
        f"stock stock_embodied inventory embodied reserve flow_goods flow_energy {DIGESTS}",
        "fuel comes out of the ground, as long as there is any",
    ),
    streaming(
        "pay",
        "tile",
        f"{WHERE} zoomed household born traits employer pay wage region_nation staff crowd_tally",
        "earned crowd_earned census flow",
        "wages less taxes, benefits and pensions reach the households",
        "household born traits employer",
    ),
    streaming(
        "budget",
        "block",
        f"{HEARTH} zoomed size deposit income earned pool flow tariff policy_rate inflation crowd_tally crowd_homes "
        "crowd_deposit crowd_income crowd_earned",
        "income earned outlay crowd_income crowd_earned crowd_outlay budget_households flow census region_income "
        f"{DIGESTS}",
        "dividends are shared; households decide what to spend on each good",
        "size deposit income earned outlay",
    ),
    streaming(
        "house",
        "block",
        "block_region block_begin block_end zoomed size",
        "census",
        "the sizes of households are added up",
        "size",
    ),
    row(
        "public",
        "member",
        "census region_nation purchases swing",
        "budget_public",
        "governments part their purchases over regions and goods",
    ),
)
ENERGY = (
    row(
        "bid",
        "cluster",
        f"{SITE} industry bid inventory price sales budget_households budget_public energy_price",
        "ladder_demand ladder_supply call",
        "orders for energy are added up on the ladder of prices",
    ),
    row(
        "call",
        "member",
        "ladder_demand ladder_supply energy_price",
        "call ladder_demand ladder_supply",
        "each nation's energy call is cleared at one price",
    ),
    row(
        "margin",
        "cluster",
        f"{SITE} industry call bid inventory price budget_households budget_public energy_price",
        "bid_margin ask_margin",
        "what each region bids and offers at the margin",
    ),
    row(
        "allot",
        "member",
        "call bid_margin ask_margin region_nation",
        "bid_share ask_share bid_margin ask_margin split_regions",
        "what is left at the margin is parted over regions",
    ),
    row(
        "deliver",
        "cluster",
        f"{SITE} industry call bid_share ask_share bid inventory embodied cash stock price sales budget_households "
        "budget_public energy_price",
        "bid cash stock spent inventory embodied sold demanded fill unspent paid_public paid_firms energy_final "
        "energy_bought energy_sold energy_embodied flow_goods split_weight split_share split_rest "
        f"{DIGESTS}",
        "energy changes hands, by priority and then by largest remainders",
    ),
)
MARKET = (
    row(
        "demand",
        "market",
        f"{SITE} budget_households budget_public order invest inventory price",
        "budget supply offer_price offered accepted sought filled",
        "budgets and offers of each good are added up by region",
    ),
    row(
        "appeal",
        "market",
        "cluster_member reach supply offer_price region_nation attraction",
        "appeal",
        "buyers weigh the sellers in reach by delivered price, nearness and attraction",
    ),
    *(
        phase
        for number in ("1", "2", "3")
        for phase in (
            row(
                f"ask{number}",
                "market",
                "cluster_member reach appeal budget supply accepted filled region_nation",
                "asked",
                "what is left of budgets is parted over sellers",
            ),
            row(
                f"accept{number}",
                "market",
                "cluster_member reach asked supply accepted filled region_nation sought",
                "filled accepted sought",
                "sellers accept, or ration by largest remainders",
            ),
        )
    ),
    row(
        "fill",
        "market",
        "filled budget region_nation",
        "fill unspent",
        "the share of budgets that can be spent",
    ),
    streaming(
        "spend",
        "block",
        f"{HEARTH} zoomed size deposit earned outlay fill tariff crowd_tally crowd_deposit crowd_earned crowd_outlay",
        f"deposit earned outlay crowd_deposit crowd_earned crowd_outlay paid_households flow region_held {DIGESTS}",
        "households receive their income and pay, and sales tax with it",
        "size deposit earned outlay",
    ),
    row(
        "purchase",
        "cluster",
        f"{SITE} order invest fill budget_public cash",
        f"order invest bought spent cash paid_firms paid_public flow {DIGESTS}",
        "firms and governments pay",
    ),
    row(
        "pool",
        "member",
        "paid_households paid_public paid_firms energy_sold energy_bought energy_embodied region_nation",
        "energy_money energy_embodied call split_regions",
        "money for energy goes to the regions that sold it, embodied energy to those that bought",
    ),
    row(
        "remit",
        "cluster",
        f"{SITE} energy_money energy_embodied energy_final sold demanded bid sales call",
        f"cash revenue sales sold demanded stock_embodied bid flow_energy split_share split_rest tariff {DIGESTS}",
        "sellers of energy are paid",
    ),
    row(
        "settle",
        "market",
        "cluster_member reach paid_households paid_public paid_firms filled region_nation",
        "filled flow trade_rows",
        "what buyers paid is parted over their sellers",
    ),
    row(
        "sell",
        "market",
        f"{SITE} reach filled sought offered offer_price price inventory embodied stock stock_embodied cash sales haul "
        "technology yield",
        "revenue sold sales inventory embodied cash stock stock_embodied shipped shipped_embodied flow_goods haul "
        f"split_weight split_share split_rest {DIGESTS}",
        "sellers share the money by price and size, hand over goods and carry them",
    ),
    row(
        "receive",
        "market",
        f"{SITE} reach shipped shipped_embodied bought order invest paid_households paid_public paid_firms stock "
        "stock_embodied",
        f"stock stock_embodied built delivered delivered_embodied tariff flow_goods flow_energy rest {DIGESTS}",
        "goods are consumed, put into store or built into capital",
    ),
)
FINANCE = (
    row(
        "account",
        "cluster",
        f"{SITE} industry cash loan barred capital inventory embodied built bill spent revenue invest price "
        "policy_rate level stock stock_embodied staff flow_goods bank tariff",
        "cash loan barred capital inventory embodied earnings losses lending flow flow_goods flow_energy count_goods "
        f"count_embodied bill spent revenue built order invest offered sold target demanded {DIGESTS}",
        "firms close their week: interest, taxes, repayment, dividends, failure",
    ),
    row(
        "govern",
        "member",
        "flow census tariff call treasury debt pool equity lent earnings losses lending region_nation",
        "treasury debt pool equity lent earnings losses lending wage policy_rate inflation growth technology "
        f"level purchases swing output energy_price abroad flow {DIGESTS}",
        "banks and governments close their week; rates, pay and expectations are set",
    ),
)
AUDIT = (
    row(
        "audit",
        "member",
        "flow flow_goods flow_energy vital census count_goods count_embodied treasury pool debt equity lent "
        "abroad reserve land carbon carbon_due carbon_own carbon_rest tariff fill base_money book_goods book_energy "
        "book_embodied book_burnt book_people "
        "vacancy unspent level energy_price technology wage",
        f"fault fault_place fault_residue book_goods book_energy book_embodied book_burnt book_people "
        f"carbon_due {DIGESTS}",
        "everything that is conserved is counted in two ways",
    ),
)
SEAL = (
    row(
        "chronicle",
        "cluster",
        "flow_goods flow_energy vital census tariff paid_households paid_public paid_firms unspent region_held "
        "region_income wage warmth yield land reserve region_nation",
        "region_rows market_rows",
        "the week is added to the region's quarter and its markets' year",
    ),
    row(
        "record",
        "member",
        "flow flow_goods vital census call region_nation reserve wage yield vacancy treasury debt pool "
        "policy_rate level energy_price abroad equity lent carbon carbon_own boxes warming sea_level parameters",
        "history nation_rows goods_rows flow flow_goods flow_energy vital call region_held region_income "
        "budget_households budget_public count_goods count_embodied paid_households paid_firms paid_public "
        "unspent",
        "metrics are written and the tick's cells emptied",
    ),
    row(
        "chain",
        "member",
        "phase_digest history",
        "phase_digest head",
        "the tick's changes and metrics are sealed with BLAKE3 under the previous head",
    ),
)

STAGES = {
    "climate": LAND_PHASES,
    "people": PEOPLE_PHASES,
    "plan": PLAN[:2],
    "credit": PLAN[2:],
    "labour": LABOUR,
    "work": WORK,
    "energy": ENERGY,
    "market": MARKET,
    "finance": FINANCE,
    "audit": AUDIT,
    "seal": SEAL,
}
"""The eleven stages in their order."""
PHASES = tuple(replace(phase, stage=stage) for stage, phases in STAGES.items() for phase in phases)
