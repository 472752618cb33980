/* Phase `chain`: seals the tick, in one link: what trade changed and what was recorded. */
#include "chain.h"
#include "economy.h"

FN void exchange_chain_member(const struct World *w, u32 tick, u32 member) {
    u64 *phase = w->phase_digest + (u64)member * CHAINED * 2;
    const i64 *row = w->history + ((u64)tick * w->members + member) * METRICS;
    struct Digest recorded = {0, 0};
    for (u32 metric = 0; metric < METRICS; metric++)
        digest_change_u64(&recorded, DYNAMIC + PHASE_AUDIT, metric, 0, (u64)row[metric]);
    phase[2 * PHASE_AUDIT] = recorded.low;
    phase[2 * PHASE_AUDIT + 1] = recorded.high;
    chain_seal(w->head + member * 8, phase, CHAINED);
}

MEMBER_KERNEL(exchange_chain)
