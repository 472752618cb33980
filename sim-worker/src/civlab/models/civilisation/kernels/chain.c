/* Phase `chain`: seals the tick: what each stage changed and what was recorded. */
#include "chain.h"
#include "civilisation.h"

FN void civilisation_chain_member(const struct World *w, u32 tick, u32 member) {
    const i64 *row = w->history + ((u64)tick * w->members + member) * METRICS;
    u64 *phase = w->phase_digest + (u64)member * CHAINED * 2;
    struct Digest recorded = {0, 0};
    for (u32 metric = 0; metric < METRICS; metric++)
        digest_change_u64(&recorded, DYNAMIC + PHASE_RECORD, metric, 0, (u64)row[metric]);
    phase[2 * PHASE_RECORD] += recorded.low;
    phase[2 * PHASE_RECORD + 1] += recorded.high;
    chain_seal(w->head + member * 8, phase, CHAINED);
}

MEMBER_KERNEL(civilisation_chain)
