/* Phase `chain`: the head becomes the keyed BLAKE3 of the tick's digests, under the previous head as key.
 *
 * The message is what progress, introduce and settle changed and what the tick recorded, 16 bytes each: 64 in
 * all, so that a link is one compression. */
#include "blake3.h"
#include "population.h"

FN void epidemic_chain_member(const struct World *w, u32 tick, u32 member) {
    u64 *phase = w->phase_digest + (u64)member * 8;
    const i64 *row = w->history + ((u64)tick * w->members + member) * METRICS;
    struct Digest recorded = {0, 0};
    u32 message[16];
    for (u32 metric = 0; metric < METRICS; metric++)
        digest_change(&recorded, DYNAMIC + PHASE_TALLY, metric, 0, (u32)row[metric]);
    phase[2 * PHASE_TALLY] = recorded.low;
    phase[2 * PHASE_TALLY + 1] = recorded.high;
    for (u32 i = 0; i < 8; i++) {
        message[2 * i] = (u32)phase[i];
        message[2 * i + 1] = (u32)(phase[i] >> 32);
        phase[i] = 0;
    }
    blake3_link(w->head + member * 8, message);
}

MEMBER_KERNEL(epidemic_chain)
