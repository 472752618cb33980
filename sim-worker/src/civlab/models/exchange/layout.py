"""The declared state of the exchange model: columns, laws, draws, phases' cells and metrics.

The whole state is one unsigned column, so an agent that were to fall below zero would hold more than all money: the
audit of every tick finds that by a comparison.
"""

from __future__ import annotations

from civlab.runtime.columns import Column, Field, Kind, Metric, Structure, proof_columns
from civlab.runtime.model import Enumeration

TILE = 4096
"""Most agents of a tile; even, so that no pair of places lies in two tiles."""
PAD = 64
"""Members begin on a multiple of this, and at least one padding slot follows each."""
LAWS = ("fixed-amount", "share-of-pair", "share-of-mean", "pooled")
DRAWS = ("order", "trade")
"""Every named random draw; a name is one byte of the generator's counter, so draws never share numbers."""
FAULTS = ("money_not_conserved", "debt")
CHAINED = ("trade", "audit")
"""The digests of a tick that one link of the chain takes in."""
FLOWS = ("trades", "moved")
AUDIT = ("money", "penniless", "beyond")
"""Sums over agents: their money, those without any, those who hold more than there is."""

METRICS = (
    Metric("money", "money", "stock", "money of all agents"),
    Metric("penniless", "agents", "stock", "agents without money"),
    Metric("richest", "money", "stock", "money of the agent who holds most"),
    Metric("squares", "money^2", "stock", "sum of the squares of all agents' money", dtype="i16"),
    Metric("trades", "pairs", "flow", "pairs between which money moved"),
    Metric("moved", "money", "flow", "money that moved"),
)

COLUMNS = (
    Column("money", "u8", "agent", "dynamic", "money", "what the agent holds"),
    Column("tile_member", "u4", "tile", "plan", "", "member of the tile"),
    Column("tile_begin", "u4", "tile", "plan", "", "first slot of the tile, counted over all members"),
    Column("tile_end", "u4", "tile", "plan", "", "slot after the tile's last agent"),
    Column("member_first", "u4", "member", "plan", "", "first slot of the member"),
    Column("member_population", "u4", "member", "plan", "agents", "agents of the member"),
    Column("member_stream", "u4", "member", "plan", "", "random stream of the member"),
    Column("member_scenario", "u4", "member", "plan", "", "compiled scenario of the member"),
    Column("scenario", "Scenario", "scenario", "plan", "", "compiled scenarios"),
    Column("flow", "u8", "member", "scratch", "", "pairs that traded and money that moved", len(FLOWS)),
    Column("audit", "u8", "member", "scratch", "", "sums over agents at the tick's end", len(AUDIT)),
    Column("greatest", "u8", "member", "scratch", "money", "greatest holding at the tick's end"),
    Column("square", "u8", "member", "scratch", "money^2", "sum of squares by 32-bit limbs", 4),
    *proof_columns(dynamic=1, chained=len(CHAINED), metrics=METRICS),
    Column("fault", "u8", "member", "derived", "", "first tick at which an invariant broke, and which; 0 none"),
)

SCALARS = (
    Field("seed", "u8", "key of all draws"),
    Field("members", "u4", "members held at once"),
    Field("tiles", "u4", "tiles held at once"),
)

SCENARIO = Structure(
    "Scenario",
    (
        Field("mean", "u8", "money of each agent at the start"),
        Field("amount", "u8", "money paid under the law of a fixed amount"),
        Field("saving", "u8", "Q0.64: share that is kept out of the pool"),
        Field("law", "u4", "how a pair trades"),
        Field("population", "u4", "agents"),
    ),
)

KINDS = (Kind("agent", "one who trades", first="member_first", count="member_population", tiles="tile"),)
CONSTANTS = {"flows": len(FLOWS), "audits": len(AUDIT)}
ENUMERATIONS = (
    Enumeration("LAW", tuple(law.replace("-", "_") for law in LAWS)),
    Enumeration("DRAW", DRAWS, 1),
    Enumeration("FAULT", FAULTS, 1),
    Enumeration("FLOW", FLOWS),
    Enumeration("AUDIT", AUDIT),
)
