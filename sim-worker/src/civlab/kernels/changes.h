/* What one phase changes: digests of the dynamic columns, kept in registers and flushed once a tile.
 *
 * For after a model's layout.h, whose columns and constants it uses. */
#ifndef CIVLAB_CHANGES_H
#define CIVLAB_CHANGES_H
#include "digest.h"

struct Changes {
    struct Digest of[DYNAMIC];
};

FN struct Changes no_changes(void) {
    const struct Changes changes = {{{0, 0}}};
    return changes;
}

/* Adds them to the running digests and to the phase's; every lane of a tile must arrive. */
FN void flush_changes(const struct World *w, u32 member, u32 phase, const struct Changes *changes) {
    struct Digest whole = {0, 0};
    for (u32 c = 0; c < DYNAMIC; c++) {
        digest_flush(w->column_digest + ((u64)member * DYNAMIC + c) * 2, &changes->of[c]);
        whole.low += changes->of[c].low, whole.high += changes->of[c].high;
    }
    digest_flush(w->phase_digest + ((u64)member * CHAINED + phase) * 2, &whole);
}

/* The same for a phase that runs once a member, where nobody else adds at the same time. */
FN void add_changes(const struct World *w, u32 member, u32 phase, const struct Changes *changes) {
    u64 *sum = w->phase_digest + ((u64)member * CHAINED + phase) * 2;
    for (u32 c = 0; c < DYNAMIC; c++) {
        u64 *column = w->column_digest + ((u64)member * DYNAMIC + c) * 2;
        column[0] += changes->of[c].low, column[1] += changes->of[c].high;
        sum[0] += changes->of[c].low, sum[1] += changes->of[c].high;
    }
}

#endif
