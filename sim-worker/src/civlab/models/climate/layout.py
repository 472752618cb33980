"""The declared state of the climate model: columns, constants of a scenario, phases' cells and metrics.

A member is one climate and has one element in every column, so that consecutive members fill vectors. A tile here is a
run of members of one scenario: its constants and its year are the same for the whole tile.
"""

from __future__ import annotations

from typing import Literal

from civlab.runtime.columns import Column, Field, Metric, Structure, proof_columns
from civlab.runtime.model import Enumeration

TILE = 1024
"""Most members of a tile."""
ZONES = ("tropical", "arid", "temperate", "continental", "polar")
ELEMENTS = ("greenland_ice", "west_antarctic_ice", "coral_reefs", "amazon", "boreal_permafrost", "atlantic_overturning")
"""Tipping elements, in the order of their columns."""
BOXES = 4
CORES = ("fair", "dice")
CHAINED = ("advance", "respond", "post")


def number(name: str, unit: str, meaning: str, role: Literal["static", "dynamic", "derived"] = "dynamic") -> Column:
    """A column of one f64 a member."""
    return Column(name, "f8", "member", role, unit, meaning)


PUBLISHED = (
    number("heat_capacity_surface", "W yr m-2 K-1", "heat capacity of the surface layer", "static"),
    number("heat_capacity_middle", "W yr m-2 K-1", "heat capacity of the middle layer", "static"),
    number("heat_capacity_deep", "W yr m-2 K-1", "heat capacity of the deep layer", "static"),
    number("feedback", "W m-2 K-1", "heat lost to space by warming of the surface", "static"),
    number("transfer_middle", "W m-2 K-1", "heat transfer from surface to middle layer", "static"),
    number("transfer_deep", "W m-2 K-1", "heat transfer from middle to deep layer", "static"),
    number("efficacy", "", "efficacy of deep-ocean heat uptake", "static"),
    number("gamma", "1/yr", "rate at which forcing reaches the layers", "static"),
    number("iirf_0", "yr", "100-year integral of CO2's airborne fraction at the start", "static"),
    number("iirf_uptake", "yr/GtCO2", "change of that integral by what was taken up", "static"),
    number("iirf_temperature", "yr/K", "change of that integral by warming", "static"),
    number("iirf_airborne", "yr/GtCO2", "change of that integral by what is airborne", "static"),
    number("co2_baseline", "ppm", "concentration of CO2 at the start", "static"),
    number("co2_scale", "", "scale of CO2's forcing, adjustments included", "static"),
    number("ch4_scale", "", "scale of CH4's forcing, adjustments included", "static"),
    number("n2o_scale", "", "scale of N2O's forcing, adjustments included", "static"),
    number("other_scale", "", "scale of the prescribed forcing", "static"),
    number("sensitivity", "K", "equilibrium warming of doubled CO2 (DICE-2016R)", "static"),
)
"""What a parameter set gives a member."""

STATE = (
    *(
        number(f"carbon_{i}", "GtCO2", f"CO2 in box {i} since the start (DICE-2016R: GtC in reservoir {i})")
        for i in range(BOXES)
    ),
    number("ch4_burden", "Mt", "CH4 above the baseline"),
    number("n2o_burden", "Mt", "N2O above the baseline"),
    number("co2_emitted", "GtCO2", "CO2 emitted since the start"),
    number("forcing_lagged", "W m-2", "forcing as it reaches the layers"),
    number("temperature_surface", "K", "warming of the surface layer since the start, without tipping elements"),
    number("temperature_middle", "K", "warming of the middle layer"),
    number("temperature_deep", "K", "warming of the deep layer"),
    number("warming", "K", "global warming, tipping elements included"),
    *(number(f"tipping_{name}", "", f"state of {name.replace('_', ' ')}: -1 today, +1 tipped") for name in ELEMENTS),
    number("sea_level", "m", "global mean sea level against the year in which the law begins"),
    Column("carbon_emitted", "i8", "member", "dynamic", "kg", "carbon emitted since the start"),
    Column("carbon_atmosphere", "i8", "member", "dynamic", "kg", "carbon in the air above the start"),
    Column("carbon_sinks", "i8", "member", "dynamic", "kg", "carbon taken up by land and sea since the start"),
)

RESPONSE = (
    number("lag", "", "share of the lagged forcing that a step keeps", "derived"),
    *(
        number(f"response_{i}{j}", "", f"share of heat state {j} in layer {i} after a step", "derived")
        for i in range(1, 4)
        for j in range(4)
    ),
    *(
        number(f"response_forcing_{i}", "", f"response of heat state {i} to a step's forcing", "derived")
        for i in range(4)
    ),
    number("co2_offset", "W m-2", "CO2's forcing by formula at the baseline", "derived"),
    number("ch4_offset", "W m-2", "CH4's forcing by formula at the baseline", "derived"),
    number("n2o_offset", "W m-2", "N2O's forcing by formula at the baseline", "derived"),
)

DIAGNOSED = (
    number("co2", "ppm", "concentration of CO2", "derived"),
    number("ch4", "ppb", "concentration of CH4", "derived"),
    number("n2o", "ppb", "concentration of N2O", "derived"),
    number("forcing", "W m-2", "effective radiative forcing, all agents", "derived"),
)

METRICS = (
    Metric("warming", "K", "stock", "global mean surface warming, tipping elements included", dtype="f8"),
    Metric("temperature", "K", "stock", "global mean surface warming by energy balance alone", dtype="f8"),
    Metric("co2", "ppm", "stock", "concentration of CO2", dtype="f8"),
    Metric("ch4", "ppb", "stock", "concentration of CH4", dtype="f8"),
    Metric("n2o", "ppb", "stock", "concentration of N2O", dtype="f8"),
    Metric("forcing", "W m-2", "stock", "effective radiative forcing, all agents", dtype="f8"),
    Metric("imbalance", "W m-2", "stock", "net flux of heat into the planet", dtype="f8"),
    Metric("sea_level", "m", "stock", "rise of global mean sea level", dtype="f8"),
    Metric("damage", "", "stock", "share of gross output lost", dtype="f8"),
    Metric("tipped", "elements", "stock", "tipping elements that have tipped, each by its share", dtype="f8"),
    Metric("emissions", "kg", "flow", "carbon emitted in the tick"),
    Metric("uptake", "kg", "flow", "carbon taken up by land and sea in the tick"),
    Metric("carbon_atmosphere", "kg", "stock", "carbon in the air above the start"),
)

CONSTANTS = Structure(
    "Constants",
    (
        Field("partition", "f8", "share of CO2 emissions by box", (BOXES,)),
        Field("lifetime", "f8", "yr: lifetime of CO2 by box at alpha = 1", (BOXES,)),
        Field("g0", "f8", "scale of alpha"),
        Field("g1", "f8", "yr: sensitivity of alpha"),
        Field("co2_per_emission", "f8", "ppm a GtCO2"),
        Field("ch4_per_emission", "f8", "ppb a Mt"),
        Field("n2o_per_emission", "f8", "ppb a Mt"),
        Field("ch4_lifetime", "f8", "yr"),
        Field("n2o_lifetime", "f8", "yr"),
        Field("ch4_baseline", "f8", "ppb"),
        Field("n2o_baseline", "f8", "ppb"),
        Field("ch4_baseline_emissions", "f8", "Mt a year"),
        Field("n2o_baseline_emissions", "f8", "Mt a year"),
        Field("ch4_by_ch4", "f8", "change of CH4's lifetime by ppb of CH4"),
        Field("ch4_by_n2o", "f8", "change of CH4's lifetime by ppb of N2O"),
        Field("ch4_by_temperature", "f8", "change of CH4's lifetime by K"),
        Field("reference_co2", "f8", "ppm at which CO2's forcing is zero"),
        Field("reference_ch4", "f8", "ppb at which CH4's forcing is zero"),
        Field("reference_n2o", "f8", "ppb at which N2O's forcing is zero"),
        Field("zone", "f8", "warming of each zone's land a K of global warming", (len(ZONES),)),
        Field("threshold", "f8", "K of global warming at which an element tips", (len(ELEMENTS),)),
        Field("timescale", "f8", "yr: an element's time scale", (len(ELEMENTS),)),
        Field("tipped_warming", "f8", "K of global warming added by a tipped element", (len(ELEMENTS),)),
        Field("sea_rate", "f8", "m a year a K"),
        Field("sea_rapid", "f8", "m a K"),
        Field("sea_equilibrium", "f8", "K since the start at which the sea is at rest"),
        Field("damage_quadratic", "f8", "share a K^2"),
        Field("damage_steep", "f8", "1 for Weitzman's law"),
        Field("years", "f8", "yr: length of a tick"),
        Field("initial", "f8", "DICE-2016R: GtC in three reservoirs, then K of surface and deep ocean", (5,)),
        Field("core", "u4", "0 FaIR, 1 DICE-2016R"),
        Field("sea_from", "u4", "first tick of the sea-level law"),
        Field("year_first", "u4", "first of the scenario's years"),
        Field("ticks", "u4", "ticks of the scenario"),
    ),
)

YEAR = Structure(
    "Year",
    (
        Field("co2", "f8", "GtCO2 a year"),
        Field("ch4", "f8", "Mt CH4 a year"),
        Field("n2o", "f8", "Mt N2O a year"),
        Field("other", "f8", "W m-2: forcing of everything else at the end of the tick"),
        Field("ch4_factor", "f8", "factor of CH4's lifetime by other species"),
    ),
)

PLAN = (
    Column("tile_begin", "u4", "tile", "plan", "", "first member of the tile"),
    Column("tile_end", "u4", "tile", "plan", "", "member after the tile's last"),
    Column("tile_scenario", "u4", "tile", "plan", "", "scenario of the tile's members"),
    Column("member_scenario", "u4", "member", "plan", "", "compiled scenario of the member"),
    Column("constants", "Constants", "scenario", "plan", "", "compiled scenarios"),
    Column("year", "Year", "year", "plan", "", "what each year of each scenario emits"),
    Column("fault", "u4", "member", "derived", "", "first tick + 1 at which carbon was not conserved, 0 none"),
    Column("emission", "i8", "member", "scratch", "kg", "carbon emitted in the tick"),
    Column("uptake", "i8", "member", "scratch", "kg", "carbon taken up in the tick"),
)

COLUMNS = (
    *PUBLISHED,
    *STATE,
    *RESPONSE,
    *DIAGNOSED,
    *PLAN,
    *proof_columns(dynamic=len(STATE), chained=len(CHAINED), metrics=METRICS),
)
SCALARS = (
    Field("seed", "u8", "key of all draws"),
    Field("members", "u4", "members held at once"),
    Field("tiles", "u4", "tiles held at once"),
)
HEADER_CONSTANTS = {"ZONES": len(ZONES), "ELEMENTS": len(ELEMENTS)}
ENUMERATIONS = (Enumeration("CORE", CORES),)
