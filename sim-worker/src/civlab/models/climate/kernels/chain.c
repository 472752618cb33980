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
typedef u64 Words __attribute__((vector_size(64)));
DIGEST_MIX_U64(mix, Words)

/* What a phase changed, by member. */
struct Changed {
    u64 low[SIDE_BY_SIDE], high[SIDE_BY_SIDE];
};

/* `followed` for eight members at once. */
FN void follow_eight(const struct World *w, u32 m, u32 first, u32 last, struct Changed *changed) {
    const u64 *const *columns = (const u64 *const *)(const void *)&w->carbon_0;
    for (u32 c = first; c < last; c++) {
        u64 *running = w->column_digest + ((u64)m * DYNAMIC + c) * 2, low[SIDE_BY_SIDE], high[SIDE_BY_SIDE];
        Words bits, lows, highs;
        __builtin_memcpy(&bits, columns[c] + m, sizeof bits);
        mix(digest_key(c, 0), bits, &lows, &highs);
        lows &= (Words)(bits != 0), highs &= (Words)(bits != 0);
        __builtin_memcpy(low, &lows, sizeof low);
        __builtin_memcpy(high, &highs, sizeof high);
        for (u32 k = 0; k < SIDE_BY_SIDE; k++, running += 2 * DYNAMIC) {
            changed->low[k] += low[k] - running[0], changed->high[k] += high[k] - running[1];
            running[0] = low[k], running[1] = high[k];
        }
    }
}

FN void seal_eight(const struct World *w, u32 m) {
    struct Changed changed[4] = {{{0}, {0}}};
    u32 words[16][SIDE_BY_SIDE], heads[8][SIDE_BY_SIDE];
    Eight message[16], head[8];
#ifndef CIVLAB_UNCHAINED
    follow_eight(w, m, COLUMN_CARBON_0, COLUMN_WARMING, changed + PHASE_ADVANCE);
    follow_eight(w, m, COLUMN_WARMING, COLUMN_CARBON_EMITTED, changed + PHASE_RESPOND);
    follow_eight(w, m, COLUMN_CARBON_EMITTED, DYNAMIC, changed + PHASE_POST);
#endif
    for (u32 phase = 0; phase < 4; phase++)
        for (u32 k = 0; k < SIDE_BY_SIDE; k++) {
            const u64 low = changed[phase].low[k], high = changed[phase].high[k];
            words[4 * phase][k] = (u32)low, words[4 * phase + 1][k] = (u32)(low >> 32);
            words[4 * phase + 2][k] = (u32)high, words[4 * phase + 3][k] = (u32)(high >> 32);
        }
    for (u32 k = 0; k < SIDE_BY_SIDE; k++)
        for (u32 i = 0; i < 8; i++) heads[i][k] = w->head[(m + k) * 8 + i];
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
