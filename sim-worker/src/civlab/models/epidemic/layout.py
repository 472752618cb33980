"""The declared state of the epidemic model: columns, tables, draws, states, phases' cells and metrics.

`kernels/layout.h` and the recount are generated from here (`make generate`).
Agents are numbered within their member; `stub` means one end of a community contact.
"""

from __future__ import annotations

from civlab.runtime.columns import Column, Field, Kind, Metric, Structure, proof_columns
from civlab.runtime.model import Enumeration

TILE = 4096
"""Most agents of a tile."""
PAD = 64
"""Members begin on a multiple of this, and at least one padding slot follows each."""
AGES = 104
"""Length of tables by year of age; ages are 0 to 100."""
GROUPS = 16
"""Most age groups of the community graph: 0-4, 5-9, …, 75 and over."""
ROW = 256
"""Length of a miss table: rows of contacts are scanned in spans of up to 255."""
DAYS = 128
"""Length of a table of days."""
KEYS = 512
"""Desired ages, in quarters of a year, that households are made with."""
WORKERS = AGES
"""The pool of employed adults, after one pool of pupils for each year of age."""
TALLIES = GROUPS + (AGES + 1) + AGES
"""Counters of a tile: stubs by group, persons by pool, persons by age."""
INTRODUCTIONS = 64
HOUSEHOLD_SIZES = 10

STATES = ("susceptible", "exposed", "infectious", "severe", "hospital", "recovered", "dead")
VACANT = 255
"""State of a padding slot."""
LAYERS = ("community", "household", "school", "work")
ORIGINS = (*LAYERS, "introduced")
DRAWS = (
    "head",
    "relative",
    "degree",
    "stubs",
    "employment",
    "pool",
    "vaccine_order",
    "introduction",
    "contact_community",
    "contact_household",
    "contact_school",
    "contact_work",
    "accept_community",
    "accept_household",
    "accept_school",
    "accept_work",
    "detection",
    "claim",
    "exposed",
    "course",
    "outcome",
)
"""Every named random draw; a name is one byte of the generator's counter, so draws never share numbers."""

CHAINED = ("progress", "introduce", "settle", "tally")
"""The four digests of a tick that one link of the chain takes in."""


METRICS = (
    Metric("susceptible", "persons", "stock", "never infected"),
    Metric("exposed", "persons", "stock", "infected, not yet infectious"),
    Metric("infectious", "persons", "stock", "infectious, those who will be admitted included"),
    Metric("hospital", "persons", "stock", "in hospital"),
    Metric("recovered", "persons", "stock", "recovered, immune"),
    Metric("dead", "persons", "stock", "died of the disease"),
    Metric("new_infections", "persons", "flow", "infections of the tick, introductions included"),
    Metric("infected_community", "persons", "flow", "infections through the community layer"),
    Metric("infected_household", "persons", "flow", "infections within households"),
    Metric("infected_school", "persons", "flow", "infections in classes"),
    Metric("infected_work", "persons", "flow", "infections in teams"),
    Metric("introduced", "persons", "flow", "infections from outside"),
    Metric("new_admissions", "persons", "flow", "admitted to hospital"),
    Metric("new_deaths", "persons", "flow", "deaths"),
    Metric("doses", "persons", "flow", "vaccination appointments"),
    Metric("without_bed", "persons", "stock", "patients above the number of beds"),
)

FLOWS = (*ORIGINS, "admissions", "deaths")

COLUMNS = (
    Column("state", "u1", "agent", "dynamic", "", "0 susceptible … 6 dead, 255 vacant slot"),
    Column("due", "u2", "agent", "dynamic", "tick", "tick of the next transition, 0 none"),
    Column("infector", "u4", "agent", "dynamic", "", "infecting agent + 1, 0 none"),
    Column("infected_at", "u2", "agent", "dynamic", "tick", "tick of infection + 1, 0 never"),
    Column("origin", "u1", "agent", "dynamic", "", "layer of infection + 1, 5 introduced, 0 never"),
    Column("age", "u1", "agent", "static", "year", "age in completed years"),
    Column("household_position", "u1", "agent", "static", "", "place within the household, the head is 0"),
    Column("household_size", "u1", "agent", "static", "persons", "persons in the household"),
    Column("place_first", "u4", "agent", "static", "", "first slot of the agent's class or team"),
    Column("place_size", "u1", "agent", "static", "persons", "persons in the class or team, 0 none"),
    Column("vaccination", "u2", "agent", "static", "tick", "tick of the appointment + 1, 0 none"),
    Column("row_start", "u4", "agent", "static", "", "first community contact of the agent"),
    Column("degree", "u1", "agent", "static", "contacts", "community contacts of the agent"),
    Column("neighbour", "u4", "edge", "static", "", "agent at the other end of a community contact"),
    Column("place_member", "u4", "place", "static", "", "agent in a slot of a class or team"),
    Column("claim", "u8", "agent", "scratch", "", "least hash of a contact that infects, with layer and infector"),
    Column("claimed", "u1", "agent", "scratch", "", "1 where an agent has a claim"),
    Column("age_key", "u2", "agent", "scratch", "quarter", "desired age while households are made"),
    Column("stub_owner", "u4", "edge", "scratch", "", "agent of a stub while the graph is made"),
    Column("key_rank", "u4", "tile", "scratch", "", "rank of a tile's first agent of each desired age", KEYS),
    Column("tally_rank", "u4", "tile", "scratch", "", "counts, then ranks, by group, pool and age", TALLIES),
    Column("tally_total", "u4", "member", "scratch", "", "totals by group, pool and age", TALLIES),
    Column("group_start", "u4", "member", "scratch", "stubs", "first stub of each age group", GROUPS + 1),
    Column(
        "block_start", "u4", "member", "scratch", "stubs", "first place of each block (a, b)", GROUPS * (GROUPS + 1)
    ),
    Column("pool_start", "u4", "member", "plan", "persons", "first slot of each pool", AGES + 2),
    Column("tile_member", "u4", "tile", "plan", "", "member of the tile"),
    Column("tile_begin", "u4", "tile", "plan", "", "first slot of the tile, counted over all members"),
    Column("tile_end", "u4", "tile", "plan", "", "slot after the tile's last agent"),
    Column("member_first", "u4", "member", "plan", "", "first slot of the member"),
    Column("member_population", "u4", "member", "plan", "persons", "agents of the member"),
    Column("member_stream", "u4", "member", "plan", "", "random stream of the member"),
    Column("member_scenario", "u4", "member", "plan", "", "compiled scenario of the member"),
    Column("member_edge", "u8", "member", "plan", "", "first contact of the member"),
    Column("member_place", "u8", "member", "plan", "", "first place slot of the member"),
    Column("scenario", "Scenario", "scenario", "plan", "", "compiled scenarios"),
    Column("day", "Day", "day", "plan", "", "what each day changes"),
    Column("stock", "u4", "member", "derived", "persons", "agents by state at the end of the last tick", 8),
    Column("count", "u4", "member", "scratch", "persons", "agents by state, being counted", 8),
    Column("flow", "u8", "member", "scratch", "persons", "events of the tick", len(FLOWS)),
    *proof_columns(dynamic=5, chained=len(CHAINED), metrics=METRICS),
    Column("fault", "u4", "member", "derived", "", "first tick + 1 at which persons were not conserved, 0 none"),
)

SCALARS = (
    Field("seed", "u8", "key of all draws"),
    Field("members", "u4", "members held at once"),
    Field("tiles", "u4", "tiles held at once"),
)

SCENARIO = Structure(
    "Scenario",
    (
        Field("mixing", "f8", "symmetric propensity of contact between age groups", (GROUPS, GROUPS)),
        Field("miss", "u8", "Q0.64: no transmission over k contacts of a layer", (len(LAYERS), ROW)),
        Field("degree", "u8", "cumulative Q0.64 of the community degree", (ROW,)),
        Field("exposed", "u8", "cumulative Q0.64 of days exposed", (DAYS,)),
        Field("infectious", "u8", "cumulative Q0.64 of days infectious", (DAYS,)),
        Field("admission", "u8", "cumulative Q0.64 of days until admission", (DAYS,)),
        Field("stay", "u8", "cumulative Q0.64 of days in hospital", (DAYS,)),
        Field("head_age", "u8", "cumulative Q0.64 of a head's age: alone, of two, of more", (3, AGES)),
        Field("pyramid", "u4", "persons up to each age", (AGES,)),
        Field("group", "u4", "age group of the community graph", (AGES,)),
        Field("susceptibility", "u4", "Q1.31 by age", (AGES,)),
        Field("severe", "u4", "Q1.31 by age: infections that are admitted", (AGES,)),
        Field("fatal", "u4", "Q1.31 by age: admitted who die with a bed", (AGES,)),
        Field("household_first", "u4", "first agent of the households of each size", (HOUSEHOLD_SIZES + 2,)),
        Field("introduction_tick", "u4", "tick of each introduction", (INTRODUCTIONS,)),
        Field("introduction_count", "u4", "persons of each introduction", (INTRODUCTIONS,)),
        Field("introduction_first", "u4", "persons of all earlier introductions", (INTRODUCTIONS,)),
        Field("introductions", "u4", "number of introductions"),
        Field("population", "u4", "agents"),
        Field("groups", "u4", "age groups of the community graph"),
        Field("community", "u4", "1 if the community layer exists"),
        Field("household", "u4", "1 if the household layer exists"),
        Field("class_size", "u4", "pupils of a class, 0 no school layer"),
        Field("pupil_first", "u4", "youngest pupils' age"),
        Field("pupil_last", "u4", "oldest pupils' age"),
        Field("team_size", "u4", "persons of a team, 0 no work layer"),
        Field("worker_first", "u4", "youngest workers' age"),
        Field("worker_last", "u4", "oldest workers' age"),
        Field("employed", "u4", "Q1.31: adults of working age in a team"),
        Field("thins", "u4", "1 if a contact's chance depends on the person met"),
        Field("hospital", "u4", "1 if infections can be severe"),
        Field("beds", "u4", "hospital beds"),
        Field("surge", "u4", "Q16.16: factor of the chance of death without a bed"),
        Field("vaccination_from", "u4", "tick of the first dose"),
        Field("vaccination_doses", "u4", "doses a day, 0 no vaccination"),
        Field("vaccination_invited", "u4", "persons invited"),
        Field("vaccination_oldest_first", "u4", "1 if by descending age, 0 if at random"),
        Field("vaccination_delay", "u4", "days until protected"),
        Field("vaccination_infection", "u4", "Q1.31: remaining chance of infection"),
        Field("vaccination_severe", "u4", "Q1.31: remaining chance of a severe course"),
        Field("day_first", "u4", "first of the scenario's days"),
    ),
)

DAY = Structure(
    "Day",
    (
        Field("factor", "u4", "Q1.31: remaining chance on each layer", (len(LAYERS),)),
        Field("detection", "u4", "Q1.31: cases that isolate"),
        Field("isolation", "u4", "Q1.31: remaining chance outside the household of an isolated case"),
        Field("isolation_delay", "u4", "days from infection to isolation"),
        Field("doses", "u4", "vaccination appointments"),
    ),
)

KINDS = (
    Kind("agent", "a person", first="member_first", count="member_population", tiles="tile"),
    Kind("edge", "one end of a community contact", first="member_edge"),
    Kind("place", "a slot of a class or team", first="member_place"),
)

CONSTANTS = {
    "ages": AGES,
    "groups": GROUPS,
    "row": ROW,
    "days": DAYS,
    "keys": KEYS,
    "tallies": TALLIES,
    "workers": WORKERS,
    "flows": len(FLOWS),
    "state_vacant": VACANT,
}
ENUMERATIONS = (
    Enumeration("STATE", STATES),
    Enumeration("LAYER", LAYERS),
    Enumeration("ORIGIN", ORIGINS, 1),
    Enumeration("DRAW", DRAWS, 1),
    Enumeration("FLOW", FLOWS),
)
