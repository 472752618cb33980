/* Not a phase: a member's climate from 1750 to the start under the pathway, and regions as yet without damage. */
#include "climate_step.h"

FN void prepare_response(const struct World *w, const struct Land *l, u32 member) {
    const double *p = parameters_of(w, member);
    double *out = response_of(w, member);
    const struct EnergyBalance balance = {
        {p[PARAMETER_HEAT_CAPACITY_SURFACE], p[PARAMETER_HEAT_CAPACITY_MIDDLE], p[PARAMETER_HEAT_CAPACITY_DEEP]},
        {p[PARAMETER_FEEDBACK], p[PARAMETER_TRANSFER_MIDDLE], p[PARAMETER_TRANSFER_DEEP]},
        p[PARAMETER_EFFICACY],
        p[PARAMETER_GAMMA]};
    const struct ForcingReference reference = forcing_reference(l);
    const struct Forcing start = gas_forcing(&reference, p[PARAMETER_CO2_BASELINE], l->ch4_baseline, l->n2o_baseline);
    struct HeatResponse r;
    heat_response(&balance, 1.0, &r);
    out[0] = r.lag;
    for (u32 i = 0; i < LAYERS; i++)
        for (u32 j = 0; j < HEAT_STATES; j++) out[AT_LAYERS + i * HEAT_STATES + j] = r.layer[i][j];
    for (u32 i = 0; i < HEAT_STATES; i++) out[AT_FORCING + i] = r.forcing[i];
    out[AT_OFFSETS] = start.co2 * p[PARAMETER_CO2_SCALE];
    out[AT_OFFSETS + 1] = start.ch4 * p[PARAMETER_CH4_SCALE];
    out[AT_OFFSETS + 2] = start.n2o * p[PARAMETER_N2O_SCALE];
}

FN void civilisation_prepare_climate_member(const struct World *w, u32 tick, u32 member) {
    const struct Home home = home_of(w, member);
    const struct Land *l = home.lands;
    const struct Year *rows = w->year + l->year_first;
    struct Changes unused = no_changes();
    struct Climate c = climate_of(w, member);
    (void)tick;
    prepare_response(w, l, member);
    for (u32 i = 0; i < ELEMENTS; i++) c.tipping[i] = -1.0;
    for (u32 row = 0; row < l->start - FIRST_YEAR; row++)
        climate_year(l, parameters_of(w, member), response_of(w, member), rows + row, row, 1.0, 0, &c);
    climate_store(w, member, &c, &unused);
    response_of(w, member)[AT_START] = c.warming;
    for (u32 region = home.first_region; region < home.first_region + w->member_regions[member]; region++) {
        w->warmth[region] = warmth_of(l, w->region_zone[region], c.warming);
        for (u32 good = 0; good < GOODS; good++) w->yield[(u64)region * GOODS + good] = Q31_ONE;
    }
}

MEMBER_KERNEL(civilisation_prepare_climate)
