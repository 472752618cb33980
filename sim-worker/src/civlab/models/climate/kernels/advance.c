/* Phase `advance`: a year's emissions become concentrations, forcing and the layers' temperatures. */
#include "climate.h"
#include "dice.h"

FN void advance_fair(const struct World *w, const struct Year *year, const struct GasConstants *g,
                     const struct ForcingReference *reference, double years, u32 m) {
    const struct CarbonCycle cycle = {w->iirf_0[m], w->iirf_uptake[m], w->iirf_temperature[m], w->iirf_airborne[m],
                                      w->co2_baseline[m]};
    const struct ForcingScale scale = {w->co2_scale[m],  w->ch4_scale[m],  w->n2o_scale[m],
                                       w->co2_offset[m], w->ch4_offset[m], w->n2o_offset[m]};
    const struct HeatResponse response = {
        w->lag[m],
        {{w->response_10[m], w->response_11[m], w->response_12[m], w->response_13[m]},
         {w->response_20[m], w->response_21[m], w->response_22[m], w->response_23[m]},
         {w->response_30[m], w->response_31[m], w->response_32[m], w->response_33[m]}},
        {w->response_forcing_0[m], w->response_forcing_1[m], w->response_forcing_2[m], w->response_forcing_3[m]}};
    double box[CO2_BOXES] = {w->carbon_0[m], w->carbon_1[m], w->carbon_2[m], w->carbon_3[m]};
    double heat[HEAT_STATES] = {w->forcing_lagged[m], w->temperature_surface[m], w->temperature_middle[m],
                                w->temperature_deep[m]};
    const double emitted = w->co2_emitted[m];
    const double ch4_before = concentration(g->ch4_baseline, g->ch4_per_emission, w->ch4_burden[m]);
    const double n2o_before = concentration(g->n2o_baseline, g->n2o_per_emission, w->n2o_burden[m]);
    const double alpha = carbon_alpha(&cycle, g, box[0] + box[1] + box[2] + box[3], emitted, heat[1]);
    const double airborne = carbon_step(box, g, alpha, year->co2, years);
    const double slower = methane_alpha(g, ch4_before, n2o_before, heat[1], year->ch4_factor);
    const double methane = methane_step(w->ch4_burden[m], g, slower, year->ch4, years);
    const double nitrous = nitrous_step(w->n2o_burden[m], g, year->n2o);
    const double co2 = concentration(cycle.baseline, g->co2_per_emission, airborne);
    const double ch4 = concentration(g->ch4_baseline, g->ch4_per_emission, methane);
    const double n2o = concentration(g->n2o_baseline, g->n2o_per_emission, nitrous);
    const struct Forcing forcing = scaled_forcing(reference, &scale, co2, ch4, n2o);
    const double total = forcing.co2 + forcing.ch4 + forcing.n2o + w->other_scale[m] * year->other;
    heat_step(heat, &response, total);
    w->carbon_0[m] = box[0], w->carbon_1[m] = box[1], w->carbon_2[m] = box[2], w->carbon_3[m] = box[3];
    w->ch4_burden[m] = methane, w->n2o_burden[m] = nitrous;
    w->co2_emitted[m] = emitted + year->co2 * years;
    w->forcing_lagged[m] = heat[0], w->temperature_surface[m] = heat[1];
    w->temperature_middle[m] = heat[2], w->temperature_deep[m] = heat[3];
    w->co2[m] = co2, w->ch4[m] = ch4, w->n2o[m] = n2o;
    w->forcing[m] = total;
}

FN void advance_dice(const struct World *w, const struct Year *year, u32 m) {
    struct DiceState s = {w->carbon_0[m], w->carbon_1[m], w->carbon_2[m], w->temperature_surface[m],
                          w->temperature_deep[m]};
    const double forcing = dice_step(&s, w->sensitivity[m], year->co2, year->other);
    w->carbon_0[m] = s.air, w->carbon_1[m] = s.upper, w->carbon_2[m] = s.lower;
    w->temperature_surface[m] = s.surface, w->temperature_deep[m] = s.deep;
    w->co2_emitted[m] = w->co2_emitted[m] + year->co2 * DICE_YEARS;
    w->co2[m] = s.air / DICE_GTC_A_PPM;
    w->forcing[m] = forcing;
}

FN void climate_advance_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Constants *c = w->constants + w->tile_scenario[tile];
    const struct Year year = w->year[c->year_first + tick];
    const double years = c->years;
    const u32 end = w->tile_end[tile];
    if (c->core == CORE_FAIR) {
        const struct GasConstants g = gas_constants(c);
        const struct ForcingReference reference = forcing_reference(c);
        VECTORISED
        for (u32 m = w->tile_begin[tile] + lane; m < end; m += lanes) advance_fair(w, &year, &g, &reference, years, m);
    } else {
        for (u32 m = w->tile_begin[tile] + lane; m < end; m += lanes) advance_dice(w, &year, m);
    }
}

TILE_KERNEL(climate_advance)
