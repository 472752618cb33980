/* Phase `chain`: the tick is sealed.
 *
 * A member has one element in each column, so a column's running digest is that element's term alone: the new term less
 * the running one is what the column changed by, and it is charged to the phase that wrote the column. On a CPU eight
 * members are sealed at once. */
#include "blake3.h"
#include "climate.h"
#include "digest.h"

/* Brings the running digests of columns first … last - 1 up to date; returns what they changed by. The state's columns are
 * all of eight bytes and lie side by side in World (layout.COLUMNS), so their addresses can be walked. */
FN struct Digest followed(const struct World *w, u32 m, u32 first, u32 last) {
    const u64 *const *columns = (const u64 *const *)(const void *)&w->carbon_0;
    u64 *running = w->column_digest + (u64)m * DYNAMIC * 2;
    struct Digest changed = {0, 0};
    for (u32 c = first; c < last; c++) {
        struct Digest now = {0, 0};
        digest_change_u64(&now, c, 0, 0, columns[c][m]);
        changed.low += now.low - running[2 * c], changed.high += now.high - running[2 * c + 1];
        running[2 * c] = now.low, running[2 * c + 1] = now.high;
    }
    return changed;
}

FN void put(u32 message[4], struct Digest digest) {
    message[0] = (u32)digest.low, message[1] = (u32)(digest.low >> 32);
    message[2] = (u32)digest.high, message[3] = (u32)(digest.high >> 32);
}

/* The message of a member: the digests of the phases that changed its state, in the columns' order, then zeros. */
FN void message_of(const struct World *w, u32 m, u32 message[16]) {
    put(message + 4 * PHASE_ADVANCE, followed(w, m, COLUMN_CARBON_0, COLUMN_WARMING));
    put(message + 4 * PHASE_RESPOND, followed(w, m, COLUMN_WARMING, COLUMN_CARBON_EMITTED));
    put(message + 4 * PHASE_POST, followed(w, m, COLUMN_CARBON_EMITTED, DYNAMIC));
    for (u32 i = 4 * CHAINED; i < 16; i++) message[i] = 0;
}

FN void seal_one(const struct World *w, u32 m) {
    u32 message[16];
    message_of(w, m, message);
    blake3_link(w->head + m * 8, message);
}

#if defined(__CUDACC__) || defined(__CUDACC_RTC__) || defined(CIVLAB_LANES)

FN void climate_chain_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    (void)tick;
    for (u32 m = w->tile_begin[tile] + lane; m < w->tile_end[tile]; m += lanes) seal_one(w, m);
}

#else

#define SIDE_BY_SIDE 8u

/* `followed` for terms that are there already. */
FN struct Digest brought_up(u64 *running, const u64 *low, const u64 *high, u32 first, u32 last) {
    struct Digest changed = {0, 0};
    for (u32 c = first; c < last; c++) {
        changed.low += low[c] - running[2 * c], changed.high += high[c] - running[2 * c + 1];
        running[2 * c] = low[c], running[2 * c + 1] = high[c];
    }
    return changed;
}

/* `message_of` with the member's columns as elements of vectors. */
FN void message_by_vectors(const struct World *w, u32 m, u32 message[16]) {
    const u64 *const *columns = (const u64 *const *)(const void *)&w->carbon_0;
    u64 *running = w->column_digest + (u64)m * DYNAMIC * 2, bits[DYNAMIC], low[DYNAMIC], high[DYNAMIC];
    for (u32 c = 0; c < DYNAMIC; c++) bits[c] = columns[c][m];
    for (u32 c = 0; c < DYNAMIC; c++) digest_difference(digest_key(c, 0), 0, bits[c], low + c, high + c);
    put(message + 4 * PHASE_ADVANCE, brought_up(running, low, high, COLUMN_CARBON_0, COLUMN_WARMING));
    put(message + 4 * PHASE_RESPOND, brought_up(running, low, high, COLUMN_WARMING, COLUMN_CARBON_EMITTED));
    put(message + 4 * PHASE_POST, brought_up(running, low, high, COLUMN_CARBON_EMITTED, DYNAMIC));
    for (u32 i = 4 * CHAINED; i < 16; i++) message[i] = 0;
}

#define LINE 64u /* bytes that memory hands over at once */

/* Asks for what the next eight need. */
FN void ask_ahead(const struct World *w, u32 m) {
    const u64 *const *columns = (const u64 *const *)(const void *)&w->carbon_0;
    const char *running = (const char *)(w->column_digest + (u64)m * DYNAMIC * 2);
    for (u32 c = 0; c < DYNAMIC; c++) will_read(columns[c] + m);
    for (u32 at = 0; at < SIDE_BY_SIDE * DYNAMIC * sizeof(struct Digest); at += LINE) will_write(running + at);
}

FN void seal_eight(const struct World *w, u32 m) {
    u32 words[16][SIDE_BY_SIDE], heads[8][SIDE_BY_SIDE];
    Eight message[16], head[8];
    ask_ahead(w, m + SIDE_BY_SIDE);
    for (u32 k = 0; k < SIDE_BY_SIDE; k++) {
        u32 words_of[16] = {0};
#ifndef CIVLAB_UNCHAINED
        message_by_vectors(w, m + k, words_of);
#endif
        for (u32 i = 0; i < 16; i++) words[i][k] = words_of[i];
        for (u32 i = 0; i < 8; i++) heads[i][k] = w->head[(m + k) * 8 + i];
    }
    __builtin_memcpy(message, words, sizeof message);
    __builtin_memcpy(head, heads, sizeof head);
    blake3_link_eight(head, message);
    __builtin_memcpy(heads, head, sizeof heads);
    for (u32 k = 0; k < SIDE_BY_SIDE; k++)
        for (u32 i = 0; i < 8; i++) w->head[(m + k) * 8 + i] = heads[i][k];
}

FN void climate_chain_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 end = w->tile_end[tile];
    u32 m = w->tile_begin[tile];
    (void)tick, (void)lane, (void)lanes;
    for (; m + SIDE_BY_SIDE <= end; m += SIDE_BY_SIDE) seal_eight(w, m);
    for (; m < end; m++) seal_one(w, m);
}

#endif

TILE_KERNEL(climate_chain)
