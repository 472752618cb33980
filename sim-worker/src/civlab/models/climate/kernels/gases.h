/* Carbon cycle and greenhouse gases: emissions to concentrations in FaIR's impulse-response form.
 *
 * CO2 rests in four boxes whose lifetimes stretch by one factor alpha with what the land and sea have taken up, what is
 * airborne and the temperature; CH4 and N2O rest in one box each. Equations: Leach et al. (2021), Geoscientific Model
 * Development 14, 3007-3036, equations 1-3; methane's lifetime: Thornhill et al. (2021), Atmospheric Chemistry and
 * Physics 21, 853-874, in the form of FaIR 2.1. Burdens are departures from the baseline, at the end of a step. */
#ifndef CIVLAB_CLIMATE_GASES_H
#define CIVLAB_CLIMATE_GASES_H
#include "transcendental.h"

#define CO2_BOXES 4u
#define GREATEST_IIRF 100.0      /* yr: the most of the 100-year integral of the airborne fraction */
#define LEAST_LIFETIME_FACTOR 0.01 /* of each partial factor of methane's lifetime */
#define LEAST_CONCENTRATION 0.01 /* of the baseline: below it the formulas of forcing mean nothing */
#define GREATEST_EXPONENT 690.0

/* The same for all members of a scenario. Emissions: GtCO2, MtCH4, MtN2O a year; concentrations: ppm, ppb, ppb. */
struct GasConstants {
    double partition[CO2_BOXES];    /* share of emissions by box, sum 1 */
    double lifetime[CO2_BOXES];     /* yr at alpha = 1; that of box 0 is at least 10^6 yr */
    double g0, g1;                  /* scale of alpha, and its sensitivity in yr */
    double co2_per_emission;        /* ppm a GtCO2 */
    double ch4_per_emission;        /* ppb a Mt */
    double n2o_per_emission;        /* ppb a Mt */
    double ch4_lifetime;            /* yr */
    double ch4_baseline, n2o_baseline;                     /* ppb */
    double ch4_baseline_emissions, n2o_baseline_emissions; /* Mt a year */
    double ch4_by_ch4, ch4_by_n2o;  /* relative change of CH4's lifetime by ppb */
    double ch4_by_temperature;      /* ... by K */
    double n2o_decay, n2o_response; /* over a step: what is left, and years of emissions that stay (see gas_decay) */
};

/* One member's carbon cycle. */
struct CarbonCycle {
    double iirf_0;           /* yr */
    double iirf_uptake;      /* yr a GtCO2 */
    double iirf_temperature; /* yr a K */
    double iirf_airborne;    /* yr a GtCO2 */
    double baseline;         /* ppm */
};

FN double at_least(double value, double least) { return chosen(value < least, least, value); }
FN double at_most(double value, double most) { return chosen(value > most, most, value); }

/* What a burden of this lifetime (yr) keeps over `years`. */
FN double gas_decay(double lifetime, double years) {
    return exponential_within(-at_most(years / lifetime, GREATEST_EXPONENT));
}

/* alpha, the factor of CO2's lifetimes: g0 exp(iIRF / g1), Leach et al. (2021), equations 3 and 4.
 * airborne and emitted: GtCO2 since the start; temperature: K. */
FN double carbon_alpha(const struct CarbonCycle *c, const struct GasConstants *g, double airborne, double emitted,
                       double temperature) {
    const double iirf = c->iirf_0 + c->iirf_uptake * (emitted - airborne) + c->iirf_temperature * temperature +
                        c->iirf_airborne * airborne;
    const double exponent = at_most(iirf, GREATEST_IIRF) / g->g1;
    return g->g0 * exponential_within(at_least(exponent, -GREATEST_EXPONENT));
}

/* A burden after a step of constant emissions (unit a year): its decay with this lifetime (yr) is solved exactly. */
FN double burden_step(double burden, double lifetime, double emissions, double years) {
    const double left = gas_decay(lifetime, years);
    return emissions * lifetime * (1.0 - left) + burden * left;
}

/* The same where lifetime is far above years: 1 - exp(-s) would lose its digits, so it is a series in s <= 10^-4. */
FN double lasting_burden_step(double burden, double lifetime, double emissions, double years) {
    const double s = years / lifetime;
    const double kept = 1.0 - s * (0.5 - s * (1.0 / 6.0));
    return emissions * years * kept + burden * (1.0 - s * kept);
}

/* One step of the four boxes (GtCO2) under emissions (GtCO2 a year). Returns what is airborne at its end. */
FN double carbon_step(double box[CO2_BOXES], const struct GasConstants *g, double alpha, double emissions,
                      double years) {
    box[0] = lasting_burden_step(box[0], alpha * g->lifetime[0], g->partition[0] * emissions, years);
    box[1] = burden_step(box[1], alpha * g->lifetime[1], g->partition[1] * emissions, years);
    box[2] = burden_step(box[2], alpha * g->lifetime[2], g->partition[2] * emissions, years);
    box[3] = burden_step(box[3], alpha * g->lifetime[3], g->partition[3] * emissions, years);
    return box[0] + box[1] + box[2] + box[3];
}

/* Methane's lifetime factor from concentrations (ppb) and temperature (K) at the step's start, and from what is
 * prescribed (other species' partial factors, 1 none). */
FN double methane_alpha(const struct GasConstants *g, double ch4, double n2o, double temperature, double prescribed) {
    const double by_ch4 = at_least(1.0 + (ch4 - g->ch4_baseline) * g->ch4_by_ch4, LEAST_LIFETIME_FACTOR);
    const double by_n2o = at_least(1.0 + (n2o - g->n2o_baseline) * g->ch4_by_n2o, LEAST_LIFETIME_FACTOR);
    const double by_heat = at_least(1.0 + temperature * g->ch4_by_temperature, LEAST_LIFETIME_FACTOR);
    return by_ch4 * by_n2o * by_heat * prescribed;
}

/* One step of methane's burden (Mt) under emissions (Mt a year). */
FN double methane_step(double burden, const struct GasConstants *g, double alpha, double emissions, double years) {
    return burden_step(burden, alpha * g->ch4_lifetime, emissions - g->ch4_baseline_emissions, years);
}

/* One step of nitrous oxide's burden (Mt), whose lifetime does not change. */
FN double nitrous_step(double burden, const struct GasConstants *g, double emissions) {
    return (emissions - g->n2o_baseline_emissions) * g->n2o_response + burden * g->n2o_decay;
}

FN double concentration(double baseline, double per_emission, double burden) {
    return at_least(baseline + per_emission * burden, LEAST_CONCENTRATION * baseline);
}

#endif
