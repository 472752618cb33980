/* Phase `chain`: the tick is sealed.
 *
 * A member has one element in each column, so a column's running digest is that element's term alone: the new term less
 * the running one is what the column changed by, and it is charged to the phase that wrote the column. On a CPU eight
 * members are sealed at once. */
#include "blake3.h"
#include "climate.h"
#include "digest.h"

#define FOLLOWS(first, last) \
    (__builtin_offsetof(struct World, last) - __builtin_offsetof(struct World, first) == (DYNAMIC - 1) * sizeof(void *))
CIVLAB_STATIC_ASSERT(FOLLOWS(carbon_0, carbon_sinks), "the state's columns lie side by side in World");

/* Brings the running digests of columns first … last - 1 up to date; returns what they changed by. */
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

#if defined(__CUDACC__) || defined(__CUDACC_RTC__) || defined(CIVLAB_LANES)

FN void climate_chain_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    (void)tick;
    for (u32 m = w->tile_begin[tile] + lane; m < w->tile_end[tile]; m += lanes) {
        u32 message[16];
        message_of(w, m, message);
        blake3_link(w->head + m * 8, message);
    }
}

#else

FN void climate_chain_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 end = w->tile_end[tile];
    (void)tick, (void)lane, (void)lanes;
    for (u32 first = w->tile_begin[tile]; first < end; first += 8) {
        const u32 count = end - first < 8 ? end - first : 8;
        Eight message[16] = {{0}}, head[8] = {{0}};
        for (u32 k = 0; k < count; k++) {
            u32 words[16];
            message_of(w, first + k, words);
            for (u32 i = 0; i < 16; i++) message[i][k] = words[i];
            for (u32 i = 0; i < 8; i++) head[i][k] = w->head[(first + k) * 8 + i];
        }
        blake3_link_eight(head, message);
        for (u32 k = 0; k < count; k++)
            for (u32 i = 0; i < 8; i++) w->head[(first + k) * 8 + i] = head[i][k];
    }
}

#endif

TILE_KERNEL(climate_chain)
