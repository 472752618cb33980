/* Global mean sea level (m) by a semi-empirical law: dH/dt = a (T - T0) + b dT/dt.
 *
 * Rahmstorf (2007), Science 315, 368-370: a = 3.4 mm a year a K, T0 = -0.5 K against 1951-1980, b = 0. Vermeer and
 * Rahmstorf (2009), PNAS 106, 21527-21532: a = 5.6 mm a year a K, b = -49 mm a K, T0 = -0.41 K. Both are fits to the years
 * 1880 to 2000 and say nothing of earlier ones. */
#ifndef CIVLAB_CLIMATE_SEA_LEVEL_H
#define CIVLAB_CLIMATE_SEA_LEVEL_H
#include "civlab.h"

struct SeaLevelLaw {
    double rate;        /* a, m a year a K */
    double rapid;       /* b, m a K */
    double equilibrium; /* T0, K above the start of the run */
};

/* The rise (m) over a step in which temperature (K) goes evenly from one value to another. */
FN double sea_level_rise(const struct SeaLevelLaw *law, double before, double after, double years) {
    return law->rate * (0.5 * (before + after) - law->equilibrium) * years + law->rapid * (after - before);
}

#endif
