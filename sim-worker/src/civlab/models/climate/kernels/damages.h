/* Share of gross output lost at a warming (K), 0 to 1.
 *
 * Quadratic laws share one form, a T^2: DICE-2016R (Nordhaus 2017, PNAS 114, 1518-1523) 0.00236; Howard and Sterner (2017),
 * Environmental and Resource Economics 68, 197-225, 0.007438. Weitzman (2012), Journal of Public Economic Theory 14, 221-244:
 * 1 - 1/(1 + (T/20.46)^2 + (T/6.081)^6.754). Cooling costs nothing. */
#ifndef CIVLAB_CLIMATE_DAMAGES_H
#define CIVLAB_CLIMATE_DAMAGES_H
#include "gases.h"

struct DamageLaw {
    double quadratic; /* a, a K^2 */
    double steep;     /* 1 for Weitzman's law, in which case `quadratic` is not read, else 0 */
};

FN double weitzman_damage(double warming) {
    const double steep = exponential_within(6.754 * logarithm_of_normal(at_least(warming, 1e-6) / 6.081));
    const double mild = warming / 20.46;
    return 1.0 - 1.0 / (1.0 + mild * mild + steep);
}

FN double damage_share(const struct DamageLaw *law, double warming) {
    const double heat = at_least(warming, 0.0);
    if (law->steep != 0.0) return weitzman_damage(heat);
    return at_most(law->quadratic * heat * heat, 1.0);
}

#endif
