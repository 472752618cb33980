"""The compiled demography: chances of a round by age, and the tables from which founders are drawn.

A chance is Q0.63 because rare hazards need its digits; shares are Q1.31.
"""

from __future__ import annotations

from civlab.runtime.columns import Field, Structure

AGES, HEALTHS, DISTANCES = 111, 3, 4
MOST_CHANGES = 16
"""Most changes of zoom of a scenario."""
HOME = 40
"""Years of age below which founders may live with their mother."""

PEOPLE = Structure(
    "People",
    (
        Field("death", "u8", "Q0.63 a round, [health][woman][age]", (HEALTHS, 2, AGES)),
        Field("birth", "u8", "Q0.63 a round of a woman, by age", (AGES,)),
        Field("worsen", "u8", "Q0.63 a round: health falls by one step, by age", (AGES,)),
        Field("recover", "u8", "Q0.63 a round: health rises by one step"),
        Field("leave", "u8", "Q0.63 a round: a grown-up child founds a household"),
        Field("seek", "u8", "Q0.63 a year: a single looks for a partner, by age", (AGES,)),
        Field("move", "u8", "Q0.63 a round: a household thinks of moving, by age of its head", (AGES,)),
        Field("befall", "u8", "Q0.63 a round: at least all chances together, [season][age]", (2, AGES)),
        Field("founder", "u8", "Q0.64, cumulative: women by age, then men without a partner by age", (2 * AGES,)),
        Field("spread", "u8", "Q32.32: standard deviation of the logarithm of deposits that a crowd leaves"),
        Field("answer_wage", "i8", "Q31.32: answer of a region's weight to the relative gap in real wages"),
        Field("answer_unemployment", "i8", "Q31.32: answer to the gap in unemployment"),
        Field("answer_warmth", "i8", "Q31.32 by K: answer to the gap in warming"),
        Field("founder_health", "u4", "Q1.31, cumulative: health of founders, [woman][age][health]", (2, AGES, 2)),
        Field("partnered", "u4", "Q1.31: founding women with a partner, by age", (AGES,)),
        Field("bear", "u4", "Q1.31 a year: births of a woman, by age, for founders' children", (AGES,)),
        Field("keep", "u4", "Q2.30: children alive and at home for a birth so many years ago", (HOME,)),
        Field("kin", "u4", "Q1.31: founders whose mother is alive, by age", (AGES,)),
        Field("skill", "u4", "Q1.31, cumulative: what is learnt at school", (2,)),
        Field("boys", "u4", "Q1.31: boys among births"),
        Field("endowment", "u4", "Q1.31: share of a household's money that a leaving child takes"),
        Field("near", "u4", "Q1.31: share of a region's weight kept at so many cells of distance", (DISTANCES,)),
        Field("abroad", "u4", "Q1.31: share of a region's weight kept abroad"),
        Field("gap", "u4", "weeks, most between the ages of partners"),
        Field("round", "u4", "ticks between two rounds of people"),
        Field("folds", "u4", "weeks in which regions may become crowds"),
        Field("fold_week", "u4", "those weeks", (MOST_CHANGES,)),
    ),
)
