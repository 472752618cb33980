/* Not a phase: what follows from a member's parameter set, once before the first tick. */
#include "climate.h"

FN void climate_prepare_member(const struct World *w, u32 tick, u32 m) {
    const struct Constants *c = w->constants + w->member_scenario[m];
    const struct EnergyBalance balance = {
        {w->heat_capacity_surface[m], w->heat_capacity_middle[m], w->heat_capacity_deep[m]},
        {w->feedback[m], w->transfer_middle[m], w->transfer_deep[m]},
        w->efficacy[m],
        w->gamma[m]};
    const struct ForcingReference reference = forcing_reference(c);
    const struct Forcing start = gas_forcing(&reference, w->co2_baseline[m], c->ch4_baseline, c->n2o_baseline);
    struct HeatResponse r;
    (void)tick;
    if (c->core == CORE_DICE) {
        w->carbon_0[m] = c->initial[0], w->carbon_1[m] = c->initial[1], w->carbon_2[m] = c->initial[2];
        w->temperature_surface[m] = w->warming[m] = c->initial[3];
        w->temperature_deep[m] = c->initial[4];
    }
    heat_response(&balance, c->years, &r);
    w->lag[m] = r.lag;
    w->response_10[m] = r.layer[0][0], w->response_11[m] = r.layer[0][1];
    w->response_12[m] = r.layer[0][2], w->response_13[m] = r.layer[0][3];
    w->response_20[m] = r.layer[1][0], w->response_21[m] = r.layer[1][1];
    w->response_22[m] = r.layer[1][2], w->response_23[m] = r.layer[1][3];
    w->response_30[m] = r.layer[2][0], w->response_31[m] = r.layer[2][1];
    w->response_32[m] = r.layer[2][2], w->response_33[m] = r.layer[2][3];
    w->response_forcing_0[m] = r.forcing[0], w->response_forcing_1[m] = r.forcing[1];
    w->response_forcing_2[m] = r.forcing[2], w->response_forcing_3[m] = r.forcing[3];
    w->co2_offset[m] = start.co2 * w->co2_scale[m];
    w->ch4_offset[m] = start.ch4 * w->ch4_scale[m];
    w->n2o_offset[m] = start.n2o * w->n2o_scale[m];
    w->tipping_greenland_ice[m] = w->tipping_west_antarctic_ice[m] = w->tipping_coral_reefs[m] = -1.0;
    w->tipping_amazon[m] = w->tipping_boreal_permafrost[m] = w->tipping_atlantic_overturning[m] = -1.0;
}

MEMBER_KERNEL(climate_prepare)
