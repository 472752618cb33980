/* The commuting digest of a column: the sum, in two lanes modulo 2^64, of mix(column, index, value).
 *
 * Sums commute, so threads, tiles and backends may add in any order, and a phase that changes a value adds
 * mix(new) and takes mix(old) away: the digest follows the state at the cost of what changed. A zero adds
 * nothing, hence a fresh column costs nothing. It finds errors; the chain's BLAKE3 is what seals. */
#ifndef CIVLAB_DIGEST_H
#define CIVLAB_DIGEST_H
#include "civlab.h"

struct Digest {
    u64 low, high;
};

FN struct Digest digest_of(u32 column, u32 index, u32 value) {
    struct Digest d = {0, 0};
    if (value == 0) return d;
    u64 x = (((u64)index << 32) | value) ^ ((u64)(column + 1) * 0x9E3779B97F4A7C15ull);
    x ^= x >> 30;
    x *= 0xBF58476D1CE4E5B9ull;
    x ^= x >> 27;
    x *= 0x94D049BB133111EBull;
    x ^= x >> 31;
    d.low = x;
    x *= 0xD6E8FEB86659FD93ull;
    x ^= x >> 32;
    x *= 0xC2B2AE3D27D4EB4Full;
    d.high = x ^ (x >> 29);
    return d;
}

/* Records that column[index] changed from `before` to `after`. */
FN void digest_change(struct Digest *sum, u32 column, u32 index, u32 before, u32 after) {
#ifndef CIVLAB_UNCHAINED /* benchmarks build a library without digests to state what the chain costs */
    const struct Digest old_term = digest_of(column, index, before);
    const struct Digest new_term = digest_of(column, index, after);
    sum->low += new_term.low - old_term.low;
    sum->high += new_term.high - old_term.high;
#else
    (void)sum, (void)column, (void)index, (void)before, (void)after;
#endif
}

/* What stands for the place of a 64-bit element. */
FN u64 digest_key(u32 column, u64 index) {
    return (index + 1) * 0x9E3779B97F4A7C15ull + (u64)(column + 1) * 0xA0761D6478BD642Full;
}

/* Both lanes of the mix of a 64-bit element that is not zero. The low lane is an output of SplitMix64 (Steele, Lea and
 * Flood 2014): the state that follows the value by index + 1 steps, through its finaliser. It is one to one in the value,
 * so that a change of one element never goes unseen; of several, each lane sees a random sum, and both stay as they were
 * with a chance of 2^-128. */
FN void digest_mix_u64(u64 key, u64 value, u64 *low, u64 *high) {
    u64 x = value + key;
    x ^= x >> 30;
    x *= 0xBF58476D1CE4E5B9ull;
    x ^= x >> 27;
    x *= 0x94D049BB133111EBull;
    x ^= x >> 31;
    *low = x;
    x += value;
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93ull;
    *high = x ^ (x >> 32);
}

/* The same as digest_of for 64-bit elements (an f64 by its bits), whose index may need more than 32 bits. */
FN struct Digest digest_of_u64(u64 key, u64 value) {
    struct Digest d = {0, 0};
    if (value != 0) digest_mix_u64(key, value, &d.low, &d.high);
    return d;
}

FN void digest_change_u64(struct Digest *sum, u32 column, u64 index, u64 before, u64 after) {
#ifndef CIVLAB_UNCHAINED
    const u64 key = digest_key(column, index);
    const struct Digest old_term = digest_of_u64(key, before), new_term = digest_of_u64(key, after);
    sum->low += new_term.low - old_term.low;
    sum->high += new_term.high - old_term.high;
#else
    (void)sum, (void)column, (void)index, (void)before, (void)after;
#endif
}

/* What a change adds to each lane, by masks, so that a compiler makes vectors of a loop of it: of a choice it makes none. */
FN void digest_difference(u64 key, u64 before, u64 after, u64 *low, u64 *high) {
    u64 old_low, old_high, new_low, new_high;
    digest_mix_u64(key, before, &old_low, &old_high);
    digest_mix_u64(key, after, &new_low, &new_high);
    const u64 has = 0 - (u64)(after != 0), had = 0 - (u64)(before != 0);
    *low = (new_low & has) - (old_low & had);
    *high = (new_high & has) - (old_high & had);
}

/* digest_change_u64 for many elements of a column at once. */
FN void digest_changes_u64(struct Digest *sum, u32 column, const u32 *index, const u64 *before, const u64 *after,
                           u32 count) {
#ifndef CIVLAB_UNCHAINED
    u64 lows = 0, highs = 0;
    for (u32 i = 0; i < count; i++) {
        u64 low, high;
        digest_difference(digest_key(column, index[i]), before[i], after[i], &low, &high);
        lows += low, highs += high;
    }
    sum->low += lows, sum->high += highs;
#else
    (void)sum, (void)column, (void)index, (void)before, (void)after, (void)count;
#endif
}

/* Adds a change to the two cells of a digest. */
FN void digest_flush(u64 *cell, const struct Digest *sum) {
    flush_add(cell, sum->low);
    flush_add(cell + 1, sum->high);
}

#endif
