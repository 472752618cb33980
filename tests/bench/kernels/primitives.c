/* The runtime's primitives in loops, so that they can be timed apart from any model. */
#include "blake3.h"
#include "digest.h"
#include "permutation.h"
#include "philox.h"

void fill_philox(u64 *out, u64 blocks, u64 seed) {
    for (u64 i = 0; i < blocks; i++) {
        const struct Block block = draw_block(seed, 0, 0, 1, (u32)i, 0);
        out[2 * i] = first_u64(&block);
        out[2 * i + 1] = second_u64(&block);
    }
}

void digest_column(const u32 *column, u64 count, u64 out[2]) {
    struct Digest sum = {0, 0};
    for (u64 i = 0; i < count; i++) digest_change(&sum, 3, (u32)i, 0, column[i]);
    out[0] = sum.low;
    out[1] = sum.high;
}

void chain_links(u32 head[8], const u32 message[16], u64 links) {
    for (u64 i = 0; i < links; i++) blake3_link(head, message);
}

u64 scan_due(const u16 *due, u64 count, u32 tick) {
    u64 found = 0;
    SCAN_EQUAL(u16, due, tick, at, 0, (u32)count) found += at;
    return found;
}

void fill_permutation(u32 *out, u32 size, u64 seed) {
    const struct Permutation order = permutation(draw_block(seed, 0, 0, 1, 0, 0), size);
    for (u32 i = 0; i < size; i++) out[i] = permute(&order, i);
}
