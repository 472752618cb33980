/* The runtime's primitives in loops, so that they can be timed apart from any model. */
#include "auction.h"
#include "blake3.h"
#include "digest.h"
#include "permutation.h"
#include "philox.h"
#include "share.h"
#include "sort.h"

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

#define TILE 4096u
#define EACH_TILE(tile, begin, end, count)                                                                   \
    for (u32 tile = 0, begin = 0, end = 0;                                                                   \
         (begin = tile * TILE) < (count) && (end = (count) - begin < TILE ? (count) : begin + TILE, 1); tile++)

/* Sorts one segment by the phases; counts holds SORT_DIGITS for each tile, one row for the bases, two passes. */
void sort_segment(void *key, void *key_other, u32 *item, u32 *item_other, u32 *counts, u32 count, u32 width) {
    const u32 tiles = (count + TILE - 1) / TILE;
    u32 *base = counts + (u64)tiles * SORT_DIGITS;
    const struct Sort s = {{key, key_other}, {item, item_other}, counts, base, base + SORT_DIGITS, width, width};
    for (u32 pass = 0; pass < s.passes; pass++) {
        EACH_TILE(tile, begin, end, count) sort_count(&s, 0, tile, begin, end, 0, 1);
        sort_rank(&s, 0, 0, tiles, 0, 1);
        sort_base(&s, 0, 0);
        EACH_TILE(tile, begin, end, count) sort_scatter(&s, 0, tile, begin, end, 0, 1);
    }
}

/* Sorts segments of `length` one by one. */
void sort_short(const void *key, const u32 *item, u32 length, u32 segments, u32 width, void *key_out, u32 *item_out) {
    for (u32 i = 0; i < segments; i++) {
        const u64 first = (u64)i * length;
        sort_small((const u8 *)key + first * width, item + first, length, width, (u8 *)key_out + first * width,
                   item_out + first, 0, 1);
    }
}

/* Rations a supply over one segment by the phases; cells: SHARING_WORDS zeros. */
void share_segment(const u64 *weight, u64 *share, u64 *cells, u32 count, u64 supply) {
    struct Sharing *s = (struct Sharing *)cells;
    EACH_TILE(tile, begin, end, count) share_weigh(s, weight, begin, end, 0, 1);
    ration_open(s, supply, 0, count);
    EACH_TILE(tile, begin, end, count) share_floor(s, weight, share, begin, end, 0, 1);
    share_aim(s);
    for (u32 pass = 0; pass < SHARE_PASSES; pass++) {
        EACH_TILE(tile, begin, end, count) share_count(s, weight, begin, end, 0, 1);
        share_select(s);
    }
    EACH_TILE(tile, begin, end, count) share_award(s, weight, share, begin, end, 0, 1);
}

void share_short(const u64 *weight, u64 *share, u64 *remainder, u32 length, u32 segments, u64 supply) {
    for (u32 i = 0; i < segments; i++) {
        const u64 first = (u64)i * length;
        ration(supply, weight + first, length, share + first, remainder);
    }
}

/* Adds 64-bit values up to 128 bits by tiles; total: two limbs. */
void sum_wide(const i64 *value, u64 *total, u32 count) {
    struct WideSum cells = {{0, 0, 0, 0}};
    i128 whole = 0;
    EACH_TILE(tile, begin, end, count) wide_flush(&cells, sum_of_i64(value, begin, end, 0, 1));
    wide_sum_overflows(&cells, &whole);
    const struct Wide limbs = wide_of(whole);
    total[0] = limbs.low, total[1] = (u64)limbs.high;
}

/* Clears calls of `steps` each; prices: one a call. */
void clear_calls(const u64 *demand, const u64 *supply, u32 steps, u32 calls, u32 *price) {
    for (u32 i = 0; i < calls; i++)
        price[i] = auction_clear(demand + (u64)i * steps, supply + (u64)i * steps, steps).step;
}
