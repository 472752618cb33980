/* A member's climate: its state, and one year of it by the climate model's equations.
 *
 * The equations are the climate model's own headers; only how a member is read and written stands here. With no emissions
 * of its own a member's path is the climate model's to the last bit. */
#ifndef CIVLAB_CIVILISATION_CLIMATE_STEP_H
#define CIVLAB_CIVILISATION_CLIMATE_STEP_H
#include "civilisation.h"
#include "../../climate/kernels/carbon_ledger.h"
#include "../../climate/kernels/damages.h"
#include "../../climate/kernels/energy_balance.h"
#include "../../climate/kernels/forcing.h"
#include "../../climate/kernels/gases.h"
#include "../../climate/kernels/sea_level.h"
#include "../../climate/kernels/tipping.h"

#define ELEMENTS 6u
#define SEA_FROM 130u /* the sea's law holds from 1880 on: the row of that year */
#define FIRST_YEAR 1750u

/* Places of `response`. */
#define AT_LAYERS 1u
#define AT_FORCING (AT_LAYERS + LAYERS * HEAT_STATES)
#define AT_OFFSETS (AT_FORCING + HEAT_STATES)
#define AT_START (AT_OFFSETS + 3u)

struct Climate {
    double box[CO2_BOXES], gas[2], emitted, heat[HEAT_STATES], tipping[ELEMENTS], warming, sea_level;
    struct CarbonLedger ledger;
};

FN const double *parameters_of(const struct World *w, u32 member) { return w->parameters + (u64)member * PARAMETERS; }
FN double *response_of(const struct World *w, u32 member) { return w->response + (u64)member * RESPONSES; }

FN struct GasConstants gas_constants(const struct Land *l) {
    struct GasConstants g;
    for (u32 i = 0; i < CO2_BOXES; i++) g.partition[i] = l->partition[i], g.lifetime[i] = l->lifetime[i];
    g.g0 = l->g0, g.g1 = l->g1;
    g.co2_per_emission = l->co2_per_emission;
    g.ch4_per_emission = l->ch4_per_emission;
    g.n2o_per_emission = l->n2o_per_emission;
    g.ch4_lifetime = l->ch4_lifetime;
    g.ch4_baseline = l->ch4_baseline, g.n2o_baseline = l->n2o_baseline;
    g.ch4_baseline_emissions = l->ch4_baseline_emissions, g.n2o_baseline_emissions = l->n2o_baseline_emissions;
    g.ch4_by_ch4 = l->ch4_by_ch4, g.ch4_by_n2o = l->ch4_by_n2o, g.ch4_by_temperature = l->ch4_by_temperature;
    g.n2o_decay = gas_decay(l->n2o_lifetime, 1.0);
    g.n2o_response = l->n2o_lifetime * (1.0 - g.n2o_decay);
    return g;
}

FN struct ForcingReference forcing_reference(const struct Land *l) {
    struct ForcingReference r;
    r.co2 = l->reference_co2, r.ch4 = l->reference_ch4, r.n2o = l->reference_n2o;
    r.root_ch4 = square_root(r.ch4), r.root_n2o = square_root(r.n2o);
    return r;
}

/* A year of emissions (GtCO2, others by the row) becomes concentrations, forcing and the layers' temperatures. */
FN void climate_physics(const struct Land *l, const double *p, const double *r, const struct Year *year, double co2,
                        struct Climate *c) {
    const struct GasConstants g = gas_constants(l);
    const struct ForcingReference reference = forcing_reference(l);
    const struct CarbonCycle cycle = {p[PARAMETER_IIRF_0], p[PARAMETER_IIRF_UPTAKE], p[PARAMETER_IIRF_TEMPERATURE],
                                      p[PARAMETER_IIRF_AIRBORNE], p[PARAMETER_CO2_BASELINE]};
    const struct ForcingScale scale = {p[PARAMETER_CO2_SCALE], p[PARAMETER_CH4_SCALE], p[PARAMETER_N2O_SCALE],
                                       r[AT_OFFSETS],          r[AT_OFFSETS + 1],      r[AT_OFFSETS + 2]};
    struct HeatResponse response;
    response.lag = r[0];
    for (u32 i = 0; i < LAYERS; i++)
        for (u32 j = 0; j < HEAT_STATES; j++) response.layer[i][j] = r[AT_LAYERS + i * HEAT_STATES + j];
    for (u32 i = 0; i < HEAT_STATES; i++) response.forcing[i] = r[AT_FORCING + i];
    const double ch4_before = concentration(g.ch4_baseline, g.ch4_per_emission, c->gas[0]);
    const double n2o_before = concentration(g.n2o_baseline, g.n2o_per_emission, c->gas[1]);
    const double in_air = c->box[0] + c->box[1] + c->box[2] + c->box[3];
    const double alpha = carbon_alpha(&cycle, &g, in_air, c->emitted, c->heat[1]);
    const double airborne = carbon_step(c->box, &g, alpha, co2, 1.0);
    const double slower = methane_alpha(&g, ch4_before, n2o_before, c->heat[1], year->ch4_factor);
    c->gas[0] = methane_step(c->gas[0], &g, slower, year->ch4, 1.0);
    c->gas[1] = nitrous_step(c->gas[1], &g, year->n2o);
    c->emitted = c->emitted + co2;
    const struct Forcing forcing =
        scaled_forcing(&reference, &scale, concentration(cycle.baseline, g.co2_per_emission, airborne),
                       concentration(g.ch4_baseline, g.ch4_per_emission, c->gas[0]),
                       concentration(g.n2o_baseline, g.n2o_per_emission, c->gas[1]));
    heat_step(c->heat, &response,
              forcing.co2 + forcing.ch4 + forcing.n2o + p[PARAMETER_OTHER_SCALE] * year->other);
}

/* Tipping elements answer the warming and add to it; the sea rises. */
FN void climate_consequences(const struct Land *l, u32 row, struct Climate *c) {
    const struct SeaLevelLaw sea = {l->sea_rate, l->sea_rapid, l->sea_equilibrium};
    const double before = c->warming;
    double added = 0.0;
    for (u32 i = 0; i < ELEMENTS; i++) {
        const struct TippingElement e = {l->threshold[i], l->timescale[i], l->tipped_warming[i]};
        c->tipping[i] = tipping_step(c->tipping[i], &e, before, 1.0);
        added = added + e.warming * tipped_share(c->tipping[i]);
    }
    c->warming = c->heat[1] + added;
    if (row >= SEA_FROM) c->sea_level = c->sea_level + sea_level_rise(&sea, before, c->warming, 1.0);
}

/* One year: the pathway's emissions times `rest`, and `own` kg of carbon of the model's own. */
FN void climate_year(const struct Land *l, const double *p, const double *r, const struct Year *year, u32 row,
                     double rest, i64 own, struct Climate *c) {
    const double others = year->co2 * rest;
    const i64 emission = whole_half_even(others * KG_CARBON_A_GT_CO2) + own;
    climate_physics(l, p, r, year, others + (double)own / KG_CARBON_A_GT_CO2, c);
    climate_consequences(l, row, c);
    post_carbon(&c->ledger, emission,
                whole_half_even((c->box[0] + (c->box[1] + c->box[2] + c->box[3])) * KG_CARBON_A_GT_CO2));
}

FN struct Climate climate_of(const struct World *w, u32 m) {
    struct Climate c;
    for (u32 i = 0; i < CO2_BOXES; i++) c.box[i] = w->boxes[m * CO2_BOXES + i];
    for (u32 i = 0; i < HEAT_STATES; i++) c.heat[i] = w->heat[m * HEAT_STATES + i];
    for (u32 i = 0; i < ELEMENTS; i++) c.tipping[i] = w->tipping[m * ELEMENTS + i];
    c.gas[0] = w->gases[2 * m], c.gas[1] = w->gases[2 * m + 1];
    c.emitted = w->emitted[m], c.warming = w->warming[m], c.sea_level = w->sea_level[m];
    c.ledger.emitted = w->carbon[3 * m], c.ledger.atmosphere = w->carbon[3 * m + 1], c.ledger.sinks = w->carbon[3 * m + 2];
    return c;
}

/* Warming of a zone's land, Q31.32 K. */
FN i64 warmth_of(const struct Land *l, u32 zone, double warming) {
    return whole_half_even(l->zone[zone] * warming * 4294967296.0);
}

/* Concentration of CO2, ppm. */
FN double co2_of(const struct World *w, const struct Land *l, u32 member) {
    const double *box = w->boxes + (u64)member * CO2_BOXES;
    return concentration(parameters_of(w, member)[PARAMETER_CO2_BASELINE], l->co2_per_emission,
                         box[0] + box[1] + box[2] + box[3]);
}

/* Sets an f64 of a dynamic column of the member and notes the change of its digest by the bits. */
FN void change_f64(struct Digest *sum, u32 column, double *cell, u64 index, double after) {
    digest_change_u64(sum, column, index, bits_of(*cell), bits_of(after));
    *cell = after;
}

FN void climate_store(const struct World *w, u32 m, const struct Climate *c, struct Changes *changes) {
    struct Digest *of = changes->of;
    for (u32 i = 0; i < CO2_BOXES; i++) change_f64(of + COLUMN_BOXES, COLUMN_BOXES, w->boxes + m * CO2_BOXES + i, i, c->box[i]);
    for (u32 i = 0; i < 2; i++) change_f64(of + COLUMN_GASES, COLUMN_GASES, w->gases + 2 * m + i, i, c->gas[i]);
    for (u32 i = 0; i < HEAT_STATES; i++)
        change_f64(of + COLUMN_HEAT, COLUMN_HEAT, w->heat + m * HEAT_STATES + i, i, c->heat[i]);
    for (u32 i = 0; i < ELEMENTS; i++)
        change_f64(of + COLUMN_TIPPING, COLUMN_TIPPING, w->tipping + m * ELEMENTS + i, i, c->tipping[i]);
    change_f64(of + COLUMN_EMITTED, COLUMN_EMITTED, w->emitted + m, 0, c->emitted);
    change_f64(of + COLUMN_WARMING, COLUMN_WARMING, w->warming + m, 0, c->warming);
    change_f64(of + COLUMN_SEA_LEVEL, COLUMN_SEA_LEVEL, w->sea_level + m, 0, c->sea_level);
    const i64 stocks[3] = {c->ledger.emitted, c->ledger.atmosphere, c->ledger.sinks};
    for (u32 i = 0; i < 3; i++) {
        i64 *cell = w->carbon + 3 * m + i;
        digest_change_u64(of + COLUMN_CARBON, COLUMN_CARBON, i, (u64)*cell, (u64)stocks[i]);
        *cell = stocks[i];
    }
}

#endif
