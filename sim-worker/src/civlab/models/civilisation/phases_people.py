"""The round of people as data: what it does to citizens and households, before the economy's week begins.

What happens is drawn and marked by all lanes, then walked in order region by region; the phases are many because
nothing may read in one what another region or lane writes in the same.
"""

from __future__ import annotations

from civlab.runtime.phases import Phase

PROOF = ("column_digest", "phase_digest")
TILE = ("tile_member", "tile_region", "tile_begin", "tile_end", "people")
BLOCK = ("block_member", "block_region", "block_begin", "block_end", "people")
REGION = ("cluster_member", "region_citizen", "region_household", "people")
CITIZEN = ("born", "household", "traits")
LEAVING = (*CITIZEN, "employer", "staff")
ESTATE = ("deposit", "income", "generation", "origin_a", "origin_b")
HOUSEHOLD = (*ESTATE, "size")
CROWD = ("crowd_people", "crowd_homes", "crowd_deposit", "crowd_income")

PEOPLE_PHASES = (
    Phase(
        "zoom",
        "civilisation_zoom",
        "cluster",
        (*REGION, "region_switch", "switch_week", *LEAVING, *HOUSEHOLD, *CROWD, "scenario"),
        (*LEAVING, *HOUSEHOLD, *CROWD, "zoomed", "elder", "queue", "first_heir", "place", "fault", *PROOF),
        "people of regions become a crowd, or persons again, as the scenario's changes of zoom say",
    ),
    Phase(
        "unlink",
        "civilisation_unlink",
        "block",
        (*BLOCK, "size", "origin_a", "origin_b"),
        ("origin_a", "origin_b", *PROOF),
        "households forget those that are part of a crowd now",
        beyond=("size",),
    ),
    Phase(
        "crowd",
        "civilisation_crowd",
        "cluster",
        (*REGION, "zoomed", *CROWD, "staff", "scenario"),
        (*CROWD, "crowd_tally", "staff", "vital", *PROOF),
        "a crowd's birthdays, and in a round of people its births, deaths and health",
    ),
    Phase(
        "vitals",
        "civilisation_vitals",
        "tile",
        (*TILE, "zoomed", *CITIZEN, "employer"),
        ("traits", "event", "workforce", *PROOF),
        "draws what befalls each citizen; health and schooling change",
        streams=("born", "household", "traits", "employer", "event"),
    ),
    Phase(
        "deaths",
        "civilisation_deaths",
        "cluster",
        (*REGION, "zoomed", "event", *LEAVING, "size"),
        (*LEAVING, "event", "size", "fate", "mark", "vital", *PROOF),
        "the dead leave job and household; a household ends with its last citizen",
        streams=("event",),
    ),
    Phase(
        "bereave",
        "civilisation_bereave",
        "tile",
        (*TILE, "zoomed", *CITIZEN, "mark"),
        ("traits", "elder", *PROOF),
        "partners are widowed, and the eldest come next where no head is left",
        streams=("household",),
    ),
    Phase(
        "orphans",
        "civilisation_orphans",
        "cluster",
        (*REGION, "zoomed", "mark", "elder", "fate", "traits", *HOUSEHOLD),
        ("mark", "elder", "fate", "traits", *HOUSEHOLD, *PROOF),
        "households of minors are taken in by others",
        streams=("mark",),
    ),
    Phase(
        "births",
        "civilisation_births",
        "cluster",
        (*REGION, "zoomed", "event", "household", "fate", "size"),
        (*CITIZEN, "size", "vital", "fault", *PROOF),
        "newborns take vacant slots and join their mothers",
        streams=("event",),
    ),
    Phase(
        "leaving",
        "civilisation_leaving",
        "cluster",
        (*REGION, "zoomed", "event", "household", "fate", "traits", *HOUSEHOLD),
        ("household", "traits", "deposit", "income", "generation", "origin_a", "size", "fault", *PROOF),
        "grown-up children found households",
        streams=("event",),
    ),
    Phase(
        "partners",
        "civilisation_partners",
        "cluster",
        (*REGION, "zoomed", "event", *CITIZEN, "fate", *HOUSEHOLD),
        ("traits", "queue", "fate", *HOUSEHOLD, *PROOF),
        "singles find each other, and their households merge",
        streams=("event",),
    ),
    Phase(
        "choose",
        "civilisation_choose",
        "cluster",
        (
            *REGION,
            "zoomed",
            "event",
            "household",
            "fate",
            "mark",
            "workforce",
            "wage",
            "level",
            "warmth",
            "reach",
            "region_settled",
            "region_nation",
        ),
        ("mark", "queue", "boarded"),
        "households that think of a move choose a region by wages, work, warmth and distance",
        beyond=("workforce", "wage", "warmth"),
        streams=("event",),
    ),
    Phase(
        "follow",
        "civilisation_follow",
        "tile",
        (*TILE, "zoomed", "household", "fate", "mark"),
        ("household", "event", *PROOF),
        "citizens follow their households into those that they merged into",
        streams=("household", "event"),
    ),
    Phase(
        "board",
        "civilisation_board",
        "cluster",
        (*REGION, "event", "boarded"),
        ("event", "boarding", "boarded"),
        "lists the citizens of the households that move",
        streams=("event",),
    ),
    Phase(
        "arrive",
        "civilisation_arrive",
        "cluster",
        (*REGION, "reach", "boarded", "boarding", "queue", "mark", *CITIZEN, *HOUSEHOLD, "fate", "moved"),
        (*CITIZEN, *HOUSEHOLD, "fate", "moved", "vital", "arrival_rows", "fault", *PROOF),
        "regions take in those who move to them",
        beyond=("boarded", "boarding", "queue", "mark", *CITIZEN, *HOUSEHOLD, "fate"),
    ),
    Phase(
        "depart",
        "civilisation_depart",
        "cluster",
        (*REGION, "boarded", "boarding", "queue", "fate", "moved", *LEAVING, *HOUSEHOLD),
        (*LEAVING, *HOUSEHOLD, "boarded", "boarding", "queue", "mark", "moved", "workforce", "vital", *PROOF),
        "those who were taken in elsewhere leave slots, jobs and households",
    ),
    Phase(
        "claim",
        "civilisation_claim",
        "block",
        (*BLOCK, "zoomed", "size", "origin_a", "origin_b", "fate"),
        ("heirs", "first_heir", "mark"),
        "households claim the estates of those that they came from",
        streams=("size", "origin_a", "origin_b"),
        beyond=("fate", "heirs", "first_heir"),
    ),
    Phase(
        "inherit",
        "civilisation_inherit",
        "block",
        (*BLOCK, "zoomed", "origin_a", "origin_b", "fate", "heirs", "first_heir", "mark", "deposit"),
        ("deposit", "origin_a", "origin_b", "mark", "vital", *PROOF),
        "estates are split among the claims, and links follow what moved or merged",
        streams=("mark",),
        beyond=("fate", "heirs", "first_heir", "deposit"),
    ),
    Phase(
        "close",
        "civilisation_close",
        "block",
        (*BLOCK, "zoomed", "fate", "heirs", *HOUSEHOLD),
        (*ESTATE, "fate", "heirs", "first_heir", "vital", *PROOF),
        "households that ended leave their slots",
        streams=("fate",),
    ),
    Phase(
        "escheat",
        "civilisation_escheat",
        "member",
        ("member_region", "member_regions", "people", "vital", "region_nation", "treasury"),
        ("treasury", *PROOF),
        "estates that nobody claims fall to the treasury",
    ),
)
