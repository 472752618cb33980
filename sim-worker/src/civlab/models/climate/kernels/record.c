/* Phase `record`: checks that carbon was conserved and writes the metrics of the tick. */
#include "carbon_ledger.h"
#include "climate.h"
#include "damages.h"
#include "tipping.h"

#define RECORD(metric, value) row[METRIC_##metric] = (i64)bits_of(value)

FN void record_one(const struct World *w, const struct Constants *c, u32 tick, u32 m) {
    const struct CarbonLedger ledger = {w->carbon_emitted[m], w->carbon_atmosphere[m], w->carbon_sinks[m]};
    const struct DamageLaw law = {c->damage_quadratic, c->damage_steep};
    const double heat[HEAT_STATES] = {w->forcing_lagged[m], w->temperature_surface[m], w->temperature_middle[m],
                                      w->temperature_deep[m]};
    const double warming = w->warming[m];
    i64 *row = w->history + ((u64)tick * w->members + m) * METRICS;
    if (!carbon_is_conserved(&ledger) && w->fault[m] == 0) w->fault[m] = tick + 1;
    RECORD(WARMING, warming);
    RECORD(TEMPERATURE, heat[1]);
    RECORD(CO2, w->co2[m]);
    RECORD(CH4, w->ch4[m]);
    RECORD(N2O, w->n2o[m]);
    RECORD(FORCING, w->forcing[m]);
    RECORD(IMBALANCE, c->core == CORE_FAIR ? heat_imbalance(w->feedback[m], w->efficacy[m], w->transfer_deep[m], heat,
                                                            w->forcing[m])
                                           : 0.0);
    RECORD(SEA_LEVEL, w->sea_level[m]);
    RECORD(DAMAGE, damage_share(&law, warming));
    RECORD(TIPPED, tipped_share(w->tipping_greenland_ice[m]) + tipped_share(w->tipping_west_antarctic_ice[m]) +
                       tipped_share(w->tipping_coral_reefs[m]) + tipped_share(w->tipping_amazon[m]) +
                       tipped_share(w->tipping_boreal_permafrost[m]) +
                       tipped_share(w->tipping_atlantic_overturning[m]));
    row[METRIC_EMISSIONS] = w->emission[m];
    row[METRIC_UPTAKE] = w->uptake[m];
    row[METRIC_CARBON_ATMOSPHERE] = ledger.atmosphere;
}

FN void climate_record_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Constants *c = w->constants + w->tile_scenario[tile];
    EACH_MEMBER(m, w, tile) record_one(w, c, tick, m);
}

TILE_KERNEL(climate_record)
