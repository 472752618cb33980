/* What one phase changes: digests of the dynamic columns, kept in registers and flushed once a tile.
 *
 * For after a model's layout.h, whose columns and constants it uses. */
#ifndef CIVLAB_CHANGES_H
#define CIVLAB_CHANGES_H
#include "digest.h"

/* Changes of 64-bit elements wait until there are enough of them for the digest to take them in as vectors. A GPU's
 * lanes are vectors already. */
#define NOTED 32u
struct Changes {
    struct Digest of[DYNAMIC];
#if !MANY_LANES
    u32 noted, column[NOTED];
    u64 key[NOTED], before[NOTED], after[NOTED];
#endif
};

FN struct Changes no_changes(void) {
    struct Changes changes;
    for (u32 c = 0; c < DYNAMIC; c++) changes.of[c].low = changes.of[c].high = 0;
#if !MANY_LANES
    changes.noted = 0;
#endif
    return changes;
}

#if MANY_LANES
FN void take_in_noted(struct Changes *changes) { (void)changes; }
#else
PART void take_in_noted(struct Changes *changes) {
    u64 low[NOTED], high[NOTED], lows = 0, highs = 0;
    u32 others = 0; /* not zero if the notes are of more than one column */
    for (u32 i = 0; i < changes->noted; i++)
        digest_difference(changes->key[i], changes->before[i], changes->after[i], low + i, high + i);
    for (u32 i = 0; i < changes->noted; i++) {
        others |= changes->column[i] ^ changes->column[0];
        lows += low[i], highs += high[i];
    }
    if (others == 0 && changes->noted) {
        changes->of[changes->column[0]].low += lows, changes->of[changes->column[0]].high += highs;
    } else {
        for (u32 i = 0; i < changes->noted; i++) {
            struct Digest *of = &changes->of[changes->column[i]];
            of->low += low[i], of->high += high[i];
        }
    }
    changes->noted = 0;
}
#endif

/* Notes that a 64-bit element changed. */
FN void note_u64(struct Changes *changes, u32 column, u64 index, u64 before, u64 after) {
#if defined(CIVLAB_UNCHAINED)
    (void)changes, (void)column, (void)index, (void)before, (void)after;
#elif MANY_LANES
    digest_change_u64(&changes->of[column], column, index, before, after);
#else
    const u32 at = changes->noted++;
    changes->column[at] = column, changes->key[at] = digest_key(column, index);
    changes->before[at] = before, changes->after[at] = after;
    if (changes->noted == NOTED) take_in_noted(changes);
#endif
}

/* The digest's terms of narrow and of 64-bit elements differ: this takes the one of the element's size. */
FN void note_change(struct Changes *changes, u32 column, u64 index, u64 size, u64 before, u64 after) {
    if (size == 8) note_u64(changes, column, index, before, after);
    else digest_change(&changes->of[column], column, (u32)index, before, after);
}

/* Adds them to the running digests and to the phase's; every lane of a tile must arrive. */
FN void flush_changes(const struct World *w, u32 member, u32 phase, struct Changes *changes) {
    struct Digest whole = {0, 0};
    take_in_noted(changes);
    for (u32 c = 0; c < DYNAMIC; c++) {
        digest_flush(w->column_digest + ((u64)member * DYNAMIC + c) * 2, &changes->of[c]);
        whole.low += changes->of[c].low, whole.high += changes->of[c].high;
    }
    digest_flush(w->phase_digest + ((u64)member * CHAINED + phase) * 2, &whole);
}

/* The same for a phase that runs once a member, where nobody else adds at the same time. */
FN void add_changes(const struct World *w, u32 member, u32 phase, struct Changes *changes) {
    u64 *sum = w->phase_digest + ((u64)member * CHAINED + phase) * 2;
    take_in_noted(changes);
    for (u32 c = 0; c < DYNAMIC; c++) {
        u64 *column = w->column_digest + ((u64)member * DYNAMIC + c) * 2;
        column[0] += changes->of[c].low, column[1] += changes->of[c].high;
        sum[0] += changes->of[c].low, sum[1] += changes->of[c].high;
    }
}

#endif
