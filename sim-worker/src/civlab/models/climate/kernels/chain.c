/* Phase `chain`: the tick is sealed.
 *
 * A member has one element in each column, so a column's running digest is that element's term alone: the new term minus
 * the running one is what the column changed by, and it is charged to the phase that wrote the column. */
#include "chain.h"
#include "climate.h"
#include "digest.h"

struct Sealing {
    const struct World *w;
    u32 member;
};

/* Brings a column's running digest up to date and adds the change to a phase's cell. */
FN void follow(const struct Sealing *s, u32 phase, u32 column, u64 bits) {
    u64 *running = s->w->column_digest + ((u64)s->member * DYNAMIC + column) * 2;
    u64 *cell = s->w->phase_digest + ((u64)s->member * CHAINED + phase) * 2;
    struct Digest now = {0, 0};
    digest_change_u64(&now, column, 0, 0, bits);
    cell[0] += now.low - running[0], cell[1] += now.high - running[1];
    running[0] = now.low, running[1] = now.high;
}

#define FOLLOW(phase, COLUMN, column) follow(&s, PHASE_##phase, COLUMN_##COLUMN, bits_of(w->column[m]))

FN void climate_chain_member(const struct World *w, u32 tick, u32 m) {
    const struct Sealing s = {w, m};
    const i64 *row = w->history + ((u64)tick * w->members + m) * METRICS;
    struct Digest recorded = {0, 0};
    u64 *cell = w->phase_digest + ((u64)m * CHAINED + PHASE_RECORD) * 2;
    FOLLOW(ADVANCE, CARBON_0, carbon_0);
    FOLLOW(ADVANCE, CARBON_1, carbon_1);
    FOLLOW(ADVANCE, CARBON_2, carbon_2);
    FOLLOW(ADVANCE, CARBON_3, carbon_3);
    FOLLOW(ADVANCE, CH4_BURDEN, ch4_burden);
    FOLLOW(ADVANCE, N2O_BURDEN, n2o_burden);
    FOLLOW(ADVANCE, CO2_EMITTED, co2_emitted);
    FOLLOW(ADVANCE, FORCING_LAGGED, forcing_lagged);
    FOLLOW(ADVANCE, TEMPERATURE_SURFACE, temperature_surface);
    FOLLOW(ADVANCE, TEMPERATURE_MIDDLE, temperature_middle);
    FOLLOW(ADVANCE, TEMPERATURE_DEEP, temperature_deep);
    FOLLOW(RESPOND, WARMING, warming);
    FOLLOW(RESPOND, TIPPING_GREENLAND_ICE, tipping_greenland_ice);
    FOLLOW(RESPOND, TIPPING_WEST_ANTARCTIC_ICE, tipping_west_antarctic_ice);
    FOLLOW(RESPOND, TIPPING_CORAL_REEFS, tipping_coral_reefs);
    FOLLOW(RESPOND, TIPPING_AMAZON, tipping_amazon);
    FOLLOW(RESPOND, TIPPING_BOREAL_PERMAFROST, tipping_boreal_permafrost);
    FOLLOW(RESPOND, TIPPING_ATLANTIC_OVERTURNING, tipping_atlantic_overturning);
    FOLLOW(RESPOND, SEA_LEVEL, sea_level);
    follow(&s, PHASE_POST, COLUMN_CARBON_EMITTED, (u64)w->carbon_emitted[m]);
    follow(&s, PHASE_POST, COLUMN_CARBON_ATMOSPHERE, (u64)w->carbon_atmosphere[m]);
    follow(&s, PHASE_POST, COLUMN_CARBON_SINKS, (u64)w->carbon_sinks[m]);
    for (u32 metric = 0; metric < METRICS; metric++)
        digest_change_u64(&recorded, DYNAMIC + PHASE_RECORD, metric, 0, (u64)row[metric]);
    cell[0] = recorded.low, cell[1] = recorded.high;
    chain_seal(w->head + m * 8, w->phase_digest + (u64)m * CHAINED * 2, CHAINED);
}

MEMBER_KERNEL(climate_chain)
