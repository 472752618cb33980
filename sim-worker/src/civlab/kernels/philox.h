/* Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * A draw is a pure function of (seed, stream, tick, draw name, entity, number): no state, hence no order.
 * `stream` is the member's random stream; members of two design points that share a stream share numbers. */
#ifndef CIVLAB_PHILOX_H
#define CIVLAB_PHILOX_H
#include "civlab.h"

struct Block {
    u32 word[4];
};

FN struct Block philox(u32 k0, u32 k1, u32 c0, u32 c1, u32 c2, u32 c3) {
    for (int round = 0; round < 10; round++) {
        const u64 p0 = (u64)0xD2511F53u * c0;
        const u64 p1 = (u64)0xCD9E8D57u * c2;
        c0 = (u32)(p1 >> 32) ^ c1 ^ k0;
        c1 = (u32)p1;
        c2 = (u32)(p0 >> 32) ^ c3 ^ k1;
        c3 = (u32)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    struct Block block = {{c0, c1, c2, c3}};
    return block;
}

/* draw: a name from the model's table of draws (8 bits); number: which block of that draw (24 bits). */
FN struct Block draw_block(u64 seed, u32 stream, u32 tick, u32 draw, u32 entity, u32 number) {
    return philox((u32)seed, (u32)(seed >> 32), entity, tick, (draw << 24) | number, stream);
}

FN u64 first_u64(const struct Block *block) { return ((u64)block->word[1] << 32) | block->word[0]; }
FN u64 second_u64(const struct Block *block) { return ((u64)block->word[3] << 32) | block->word[2]; }

#endif
