/* Carbon and temperature of DICE-2016R: three reservoirs of carbon, two of heat, in steps of five years.
 *
 * Nordhaus (2017), PNAS 114, 1518-1523, and the published program DICE-2016R-091916ap. Reservoirs in GtC, emissions in
 * GtCO2 a year, forcing in W m-2, temperatures in K since 1900. Emissions of a period arrive at its end, and the next
 * temperature answers the forcing of the next concentration. */
#ifndef CIVLAB_CLIMATE_DICE_H
#define CIVLAB_CLIMATE_DICE_H
#include "transcendental.h"

#define DICE_YEARS 5.0
#define DICE_CO2_TO_C 3.666
#define DICE_EQUILIBRIUM 588.0 /* GtC in the air */
#define DICE_GTC_A_PPM 2.13
#define DICE_B12 0.12
#define DICE_B23 0.007
#define DICE_B21 (DICE_B12 * 588.0 / 360.0)
#define DICE_B32 (DICE_B23 * 360.0 / 1720.0)
#define DICE_C1 0.1005
#define DICE_C3 0.088
#define DICE_C4 0.025
#define DICE_F2X 3.6813
#define LN_2 0x1.62e42fefa39efp-1

struct DiceState {
    double air, upper, lower;   /* GtC */
    double surface, deep;       /* K */
};

FN double dice_forcing(double air, double other) {
    return DICE_F2X * (logarithm_of_normal(air / DICE_EQUILIBRIUM) / LN_2) + other;
}

/* One period; `other` is the forcing of what is not CO2 in the next period, `sensitivity` the equilibrium warming (K)
 * of a doubling. Returns the next period's forcing. */
FN double dice_step(struct DiceState *s, double sensitivity, double emissions, double other) {
    const double air = s->air * (1.0 - DICE_B12) + s->upper * DICE_B21 + emissions * (DICE_YEARS / DICE_CO2_TO_C);
    const double upper = s->air * DICE_B12 + s->upper * (1.0 - DICE_B21 - DICE_B23) + s->lower * DICE_B32;
    const double lower = s->lower * (1.0 - DICE_B32) + s->upper * DICE_B23;
    const double forcing = dice_forcing(air < 10.0 ? 10.0 : air, other);
    const double gap = s->surface - s->deep;
    const double surface = s->surface + DICE_C1 * (forcing - DICE_F2X / sensitivity * s->surface - DICE_C3 * gap);
    s->air = air, s->upper = upper, s->lower = lower;
    s->deep = s->deep + DICE_C4 * gap;
    s->surface = surface;
    return forcing;
}

#endif
