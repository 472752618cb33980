/* Phase `post`: the tick's carbon is counted in whole kilograms and moved from emitters to air to land and sea. */
#include "carbon_ledger.h"
#include "climate.h"
#include "dice.h"

FN void climate_post_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Constants *c = w->constants + w->tile_scenario[tile];
    const double emitted = w->year[c->year_first + tick].co2 * c->years;
    const double unit = c->core == CORE_DICE ? KG_CARBON_A_GTC : KG_CARBON_A_GT_CO2;
    const double start = c->core == CORE_DICE ? c->initial[0] : 0.0;
    const double others = c->core == CORE_DICE ? 0.0 : 1.0; /* in FaIR all boxes are in the air */
    const i64 emission = whole_half_even(
        c->core == CORE_DICE ? emitted / DICE_CO2_TO_C * KG_CARBON_A_GTC : emitted * KG_CARBON_A_GT_CO2);
    const u32 end = w->tile_end[tile];
    VECTORISED
    for (u32 m = w->tile_begin[tile] + lane; m < end; m += lanes) {
        const double air = w->carbon_0[m] - start + others * (w->carbon_1[m] + w->carbon_2[m] + w->carbon_3[m]);
        struct CarbonLedger ledger = {w->carbon_emitted[m], w->carbon_atmosphere[m], w->carbon_sinks[m]};
        const i64 sinks = ledger.sinks;
        post_carbon(&ledger, emission, whole_half_even(air * unit));
        w->carbon_emitted[m] = ledger.emitted;
        w->carbon_atmosphere[m] = ledger.atmosphere;
        w->carbon_sinks[m] = ledger.sinks;
        w->emission[m] = emission;
        w->uptake[m] = (i64)((u64)ledger.sinks - (u64)sinks);
    }
}

TILE_KERNEL(climate_post)
