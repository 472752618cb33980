"""The compiled world and climate: what a kernel must know to draw a map and to warm it.

The climate's constants bear the names that the climate model gave them, so that one function fills both.
"""

from __future__ import annotations

from civlab.models.climate.layout import CONSTANTS, PUBLISHED, YEAR
from civlab.runtime.columns import Field, Structure

__all__ = ["LAND", "PARAMETERS", "RESPONSES", "START_WARMING", "YEAR"]

GOODS, NATIONS, ZONES = 9, 8, 5

PARAMETERS = tuple(column.name for column in PUBLISHED)
"""A member's climate parameter set, in order."""
RESPONSES = 21
"""What follows from it: a step's lag (1), layers (12) and forcing (4), offsets of three gases, the start's warming."""
START_WARMING = 20

NOT_OF_LAND = ("years", "initial", "core", "sea_from", "year_first", "ticks")
"""Constants of the climate model that stand otherwise here: a step is a year, and rows begin in 1750."""

LAND = Structure(
    "Land",
    (
        Field("share", "u8", "Q0.63: share of each nation in the citizens", (NATIONS,)),
        Field("fuel_use", "u8", "mJ of fuel taken from the ground for a citizen and week, at the start"),
        Field("fuel_years", "u8", "Q32.32: years that the fuel lasts at the use of the start"),
        Field("carbon_factor", "u8", "g of carbon a GJ, times people for a citizen"),
        Field("sine_south", "i8", "Q31.32: sine of the southern edge's latitude"),
        Field("sine_north", "i8", "Q31.32: sine of the northern edge's latitude"),
        Field("exponent", "f8", "of the rank-size law"),
        Field("fuel_spread", "f8", "standard deviation of the logarithm of a region's years of fuel"),
        Field("own_share", "f8", "share of the model's own people in the pathway's CO2 at the start"),
        Field("crop_loss", "f8", "share of crops lost a K since the start, by zone", (ZONES,)),
        Field("heat_loss", "f8", "share of work in the open lost a K since the start, by zone", (ZONES,)),
        Field("exposure", "f8", "heat's loss of work by good, over that in the open", (GOODS,)),
        *(field for field in CONSTANTS.fields if field.name not in NOT_OF_LAND),
        Field("farmed", "u4", "Q1.31: farmed share of land that is neither settled nor mined, by zone", (ZONES,)),
        Field("settled", "u4", "Q1.31: settled share of all land"),
        Field("mined", "u4", "Q1.31: mined share of a region's land"),
        Field("clearing", "u4", "Q1.31 a year: share of wild land farmed anew for a whole harvest lost"),
        Field("roughness", "u4", "Q0.16: height of an octave over that of the coarser one"),
        Field("relief", "u4", "m: height of the highest region"),
        Field("area", "u4", "km^2 of a region"),
        Field("pitch", "u4", "km between the centres of neighbours"),
        Field("width", "u4", "columns of the map"),
        Field("height", "u4", "rows of the map, the first in the north"),
        Field("straits", "u4", "most cells of sea between two pieces of land"),
        Field("shared", "u4", "1: all members have one map"),
        Field("regions", "u4", "regions"),
        Field("nations", "u4", "nations"),
        Field("citizens", "u4", "citizens at the start"),
        Field("minimum", "u4", "least citizens of a region at the start"),
        Field("lag", "u4", "years in which output follows the warming"),
        Field("emits", "u4", "1: the fuel that is burnt warms the climate"),
        Field("suffers", "u4", "1: warming costs output"),
        Field("year_first", "u4", "the scenario's row for 1750"),
        Field("start", "u4", "year of the first tick"),
    ),
)
