/* Effective radiative forcing (W m-2) of CO2, CH4 and N2O from their concentrations (ppm, ppb, ppb).
 *
 * Meinshausen et al. (2020), Geoscientific Model Development 13, 3571-3605, table 3: Etminan et al. (2016) with overlaps
 * of bands, made stable beyond its range. Each gas is scaled (adjustments and uncertainty), and what the formula gives at
 * the member's own baseline is taken off, so that forcing begins at zero. */
#ifndef CIVLAB_CLIMATE_FORCING_H
#define CIVLAB_CLIMATE_FORCING_H
#include "gases.h"

#define CO2_A1 -2.4785e-07
#define CO2_B1 0.00075906
#define CO2_C1 -0.0021492
#define CO2_D1 5.2488
#define N2O_A2 -0.00034197
#define N2O_B2 0.00025455
#define N2O_C2 -0.00024357
#define N2O_D2 0.12173
#define CH4_A3 -8.9603e-05
#define CH4_B3 -0.00012462
#define CH4_D3 0.045194

/* Concentrations at which the unscaled forcing is zero (those of 1750), with their roots. */
struct ForcingReference {
    double co2, ch4, n2o;
    double root_ch4, root_n2o;
};

/* One member's scales of each gas (1: as published, adjustments included) and offsets (W m-2). */
struct ForcingScale {
    double co2, ch4, n2o;
    double co2_offset, ch4_offset, n2o_offset;
};

struct Forcing {
    double co2, ch4, n2o;
};

/* Without scale and offset. */
FN struct Forcing gas_forcing(const struct ForcingReference *r, double co2, double ch4, double n2o) {
    const double greatest = r->co2 - CO2_B1 / (2.0 * CO2_A1);
    const double above = at_least(at_most(co2, greatest) - r->co2, 0.0);
    const double root_co2 = square_root(co2), root_ch4 = square_root(ch4), root_n2o = square_root(n2o);
    struct Forcing f;
    f.co2 = (CO2_D1 + above * (CO2_A1 * above + CO2_B1) + CO2_C1 * root_n2o) * logarithm_of_normal(co2 / r->co2);
    f.ch4 = (CH4_A3 * root_ch4 + CH4_B3 * root_n2o + CH4_D3) * (root_ch4 - r->root_ch4);
    f.n2o = (N2O_A2 * root_co2 + N2O_B2 * root_n2o + N2O_C2 * root_ch4 + N2O_D2) * (root_n2o - r->root_n2o);
    return f;
}

FN struct Forcing scaled_forcing(const struct ForcingReference *r, const struct ForcingScale *s, double co2, double ch4,
                                 double n2o) {
    struct Forcing f = gas_forcing(r, co2, ch4, n2o);
    f.co2 = f.co2 * s->co2 - s->co2_offset;
    f.ch4 = f.ch4 * s->ch4 - s->ch4_offset;
    f.n2o = f.n2o * s->n2o - s->n2o_offset;
    return f;
}

#endif
