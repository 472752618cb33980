/* A tipping element as a fold: tau x' = -x^3 + x + c, with c = sqrt(4/27) (warming / threshold).
 *
 * x near -1 is the state of today, near +1 the tipped one. The lower branch ends at c = sqrt(4/27), where warming meets the
 * threshold; coming back the upper branch ends only at c = -sqrt(4/27): hysteresis. Form: Wunderling, Donges, Kurths and
 * Winkelmann (2021), Earth System Dynamics 12, 601-619, equation 1, without links between elements; thresholds, time scales and
 * warming once tipped: Armstrong McKay et al. (2022), Science 377, eabn7950, table 1. */
#ifndef CIVLAB_CLIMATE_TIPPING_H
#define CIVLAB_CLIMATE_TIPPING_H
#include "gases.h"

#define FOLD_AT 0.38490017945975052 /* sqrt(4/27) */

struct TippingElement {
    double threshold; /* K of global warming */
    double timescale; /* yr */
    double warming;   /* K of global warming added once tipped; may be negative */
};

FN double fold_slope(double x, double c) { return x - x * x * x + c; }

/* x after `scaled` = years / timescale of the fold under constant c: one Runge-Kutta step of fourth order, stable and
 * accurate for scaled <= 1/2. */
FN double fold_step(double x, double c, double scaled) {
    const double k1 = fold_slope(x, c);
    const double k2 = fold_slope(x + 0.5 * scaled * k1, c);
    const double k3 = fold_slope(x + 0.5 * scaled * k2, c);
    const double k4 = fold_slope(x + scaled * k3, c);
    return x + scaled * (k1 + 2.0 * (k2 + k3) + k4) / 6.0;
}

FN double tipping_step(double x, const struct TippingElement *e, double warming, double years) {
    return fold_step(x, FOLD_AT * (warming / e->threshold), years / e->timescale);
}

/* How far the element has tipped, 0 to 1: nothing while x is on the lower branch. */
FN double tipped_share(double x) { return at_most(at_least(x, 0.0), 1.0); }

#endif
