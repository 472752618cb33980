/* Apportionment by the largest remainder (Hamilton's method): `total` in proportion to weights, exactly.
 *
 * Every share is rounded down; what is left over, fewer units than there are weights, goes one by one to the largest
 * remainders, the lowest index first among equals. Rationing is the same with the demands as weights and the supply,
 * or what is demanded if that is less, as total: nobody gets more than asked for, and the deliveries sum to the total.
 *
 * A short array takes one lane; a long segment takes phases, in which the least remainder that still gets a unit is
 * found by counting digits of the remainders, eight bits a pass, among all tiles at once. Remainders are computed
 * again rather than kept: dividing by a sum known beforehand takes two multiplications, less than another column. */
#ifndef CIVLAB_SHARE_H
#define CIVLAB_SHARE_H
#include "wide.h"

/* One more to each of the `left` largest remainders, which are below `bound`. */
FN void award_largest(u64 *shares, const u64 *remainders, u32 count, u64 bound, u32 left) {
    u32 histogram[256], shift = (63 - leading_zeros(bound | 1u)) / 8 * 8;
    u64 prefix = 0;
    if (left == 0) return;
    for (;; shift -= 8) {
        u32 digit = 255;
        for (u32 i = 0; i < 256; i++) histogram[i] = 0;
        for (u32 i = 0; i < count; i++)
            if (remainders[i] >> shift >> 8 == prefix) histogram[remainders[i] >> shift & 255u]++;
        for (; histogram[digit] < left; digit--) left -= histogram[digit];
        prefix = prefix << 8 | digit;
        if (shift == 0 || histogram[digit] == left) break;
    }
    for (u32 i = 0; i < count; i++) {
        const u64 leading = remainders[i] >> shift;
        const u32 equal = leading == prefix && left > 0;
        shares[i] += leading > prefix || equal;
        left -= equal;
    }
}

FN void apportion_by_sum(u64 total, u64 sum, const u64 *weights, u32 count, u64 *shares, u64 *remainders) {
    const u64 whole = sum ? total / sum : 0, rest = total - whole * sum;
    const struct Divisor divisor = divisor_of(sum ? sum : 1);
    u64 given = 0;
    for (u32 i = 0; i < count; i++) {
        u128 remainder;
        shares[i] = whole * weights[i] + divide_product(&divisor, rest, weights[i], &remainder);
        remainders[i] = (u64)remainder;
        given += shares[i];
    }
    award_largest(shares, remainders, count, sum, (u32)(total - given));
}

/* Splits `total` over weights whose sum fits in 64 bits and is zero only where `total` is. */
FN void apportion(u64 total, const u64 *weights, u32 count, u64 *shares, u64 *remainders) {
    u64 sum = 0;
    for (u32 i = 0; i < count; i++) sum += weights[i];
    apportion_by_sum(total, sum, weights, count, shares, remainders);
}

/* Delivers a supply to demands whose sum fits in 64 bits: all of it, or all that is demanded. */
FN void ration(u64 supply, const u64 *demands, u32 count, u64 *deliveries, u64 *remainders) {
    u64 sum = 0;
    for (u32 i = 0; i < count; i++) sum += demands[i];
    apportion_by_sum(supply < sum ? supply : sum, sum, demands, count, deliveries, remainders);
}

/* Long segments. The phases, over tiles (t) and segments (s):
 *   share_weigh t, share_open or ration_open s, share_floor t, share_aim s,
 *   as many times as passes: share_count t, share_select s,
 *   share_award t.
 * A remainder and, below it, the index from the end make one key, so no two are equal and the units go to all keys
 * from one threshold on. Passes after it is known return at once. */
#define SHARE_PASSES 12u      /* enough for weights that sum to less than 2^64 */
#define SHARE_PASSES_WIDE 16u /* enough for all: less than 2^95 */

#define SHARING_WITHOUT_WEIGHT 1u /* a total, and no weight to share it by: nothing is shared out */
#define SHARING_TOO_LARGE 2u      /* a share of 2^64 or weights that sum to 2^95 */
#define SHARING_UNFINISHED 3u     /* more passes are needed */

/* What the tiles of a segment share in memory: a u64 column of this width, zero at first. */
#define SHARING_WORDS 155u
struct Sharing {
    struct WideSum weight, given;  /* sums of the weights and of the shares rounded down */
    struct Wide total, sum, rest, prefix; /* rest: total % sum; prefix: the threshold's leading bits */
    struct Wide whole;             /* total / sum: units for each unit of weight */
    u64 inverse;                   /* reciprocal for the divisor `sum` */
    u64 least, most;               /* of the keys' leading words */
    u64 left, need;                /* units left over; those for keys that begin with the prefix */
    u64 failed;
    u32 first, count;              /* the segment's slots */
    u32 index_bits, key_bits;
    u32 low;                       /* bits below the prefix */
    u32 seeking;                   /* 1 until the threshold is known */
    u32 histogram[256];
};
CIVLAB_STATIC_ASSERT(sizeof(struct Sharing) == 8 * SHARING_WORDS, "width of a column of Sharing");

FN u32 bit_length(u128 x) {
    const u64 high = (u64)(x >> 64), low = (u64)x;
    return high ? 128 - leading_zeros(high) : low ? 64 - leading_zeros(low) : 0;
}

/* What a tile needs of its segment, read once. */
struct Measure {
    struct Divisor sum;
    u128 rest, whole;
    u32 last, index_bits;
};

FN struct Measure measure_of(const struct Sharing *s) {
    struct Measure m;
    m.sum = divisor_with((u128)wide_value(s->sum), s->inverse);
    m.rest = (u128)wide_value(s->rest), m.whole = (u128)wide_value(s->whole);
    m.last = s->first + s->count - 1;
    m.index_bits = s->index_bits;
    return m;
}

/* The share of a weight rounded down, and its key. */
FN u128 share_of(const struct Measure *m, u64 weight, u32 slot, u128 *key) {
    u128 remainder;
    const u64 part = divide_product(&m->sum, m->rest, weight, &remainder);
    *key = (remainder << m->index_bits) | (m->last - slot);
    return m->whole * weight + part;
}

/* Adds up the weights. */
FN void share_weigh(struct Sharing *s, const u64 *weight, u32 begin, u32 end, u32 lane, u32 lanes) {
    wide_flush(&s->weight, (i128)sum_of_u64(weight, begin, end, lane, lanes));
}

FN void sharing_open(struct Sharing *s, u128 total, u32 first, u32 count, int at_most_all) {
    i128 sum = 0;
    s->failed = 0;
    if (wide_sum_overflows(&s->weight, &sum) || sum >> 95) s->failed = SHARING_TOO_LARGE, sum = 0;
    if (at_most_all && total > (u128)sum) total = (u128)sum;
    if (sum == 0) {
        if (total && !s->failed) s->failed = SHARING_WITHOUT_WEIGHT;
        total = 0, sum = 1;
    }
    s->total = wide_of((i128)total), s->sum = wide_of(sum);
    s->whole = wide_of((i128)(total / (u128)sum)), s->rest = wide_of((i128)(total % (u128)sum));
    s->inverse = divisor_of((u128)sum).inverse;
    s->first = first, s->count = count;
    s->index_bits = count > 1 ? bit_length(count - 1) : 0;
    s->key_bits = s->index_bits + bit_length((u128)sum - 1);
    s->least = ~(u64)0, s->most = 0;
    s->seeking = 0;
    wide_sum_clear(&s->weight);
    wide_sum_clear(&s->given);
    for (u32 i = 0; i < 256; i++) s->histogram[i] = 0;
}

/* Begins to share `total` (below 2^127) over the segment's `count` weights from slot `first`. */
FN void share_open(struct Sharing *s, u128 total, u32 first, u32 count) { sharing_open(s, total, first, count, 0); }

/* Begins to ration `supply` (below 2^127): the weights are demands. */
FN void ration_open(struct Sharing *s, u128 supply, u32 first, u32 count) { sharing_open(s, supply, first, count, 1); }

/* The 64 leading bits of a key, or all if it has fewer. */
FN u64 leading_word(u128 key, u32 key_bits) { return (u64)(key_bits > 64 ? key >> (key_bits - 64) : key); }

/* Rounds the shares down. */
FN void share_floor(struct Sharing *s, const u64 *weight, u64 *share, u32 begin, u32 end, u32 lane, u32 lanes) {
    const struct Measure m = measure_of(s);
    const u32 key_bits = s->key_bits;
    u64 least = ~(u64)0, most = 0;
    i128 given = 0;
    for (u32 slot = begin + lane; slot < end; slot += lanes) {
        u128 key, floor = share_of(&m, weight[slot], slot, &key);
        const u64 leading = leading_word(key, key_bits);
        if (floor >= U64_LARGEST) floor = 0, shared_max(&s->failed, SHARING_TOO_LARGE);
        if (leading < least) least = leading;
        if (leading > most) most = leading;
        share[slot] = (u64)floor;
        given += (i128)floor;
    }
    wide_flush(&s->given, given);
    if (least <= most) shared_min(&s->least, least), shared_max(&s->most, most);
}

/* Takes stock of what is left over; the bits that all keys begin with need no pass. */
FN void share_aim(struct Sharing *s) {
    const u32 word_bits = s->key_bits < 64 ? s->key_bits : 64;
    i128 given = 0;
    if (wide_sum_overflows(&s->given, &given)) s->failed = SHARING_TOO_LARGE;
    s->left = s->failed ? 0 : (u64)(wide_value(s->total) - given);
    s->need = s->left;
    s->seeking = s->left > 0;
    if (!s->seeking) return;
    const u32 differing = bit_length(s->least ^ s->most);
    s->prefix = wide_of(differing < 64 ? (i128)(s->least >> differing) : 0);
    s->low = s->key_bits - word_bits + differing;
}

/* Counts the next digit of the keys that begin with the prefix. */
FN void share_count(struct Sharing *s, const u64 *weight, u32 begin, u32 end, u32 lane, u32 lanes) {
    if (!s->seeking) return;
    const struct Measure m = measure_of(s);
    const u128 prefix = (u128)wide_value(s->prefix);
    const u32 low = s->low, width = low < 8 ? low : 8, mask = (1u << width) - 1;
#if !MANY_LANES
    u32 histogram[256] = {0};
#endif
    for (u32 slot = begin + lane; slot < end; slot += lanes) {
        u128 key;
        share_of(&m, weight[slot], slot, &key);
        if (key >> low != prefix) continue;
        const u32 digit = (u32)(key >> (low - width)) & mask;
#if MANY_LANES
        shared_add32(&s->histogram[digit], 1);
#else
        histogram[digit]++;
#endif
    }
#if !MANY_LANES
    for (u32 digit = 0; digit <= mask; digit++) flush_add32(&s->histogram[digit], histogram[digit]);
#endif
}

/* Chooses the digit in which the units run out. */
FN void share_select(struct Sharing *s) {
    if (!s->seeking) return;
    const u32 width = s->low < 8 ? s->low : 8;
    u32 digit = (1u << width) - 1;
    for (; s->histogram[digit] < s->need; digit--) s->need -= s->histogram[digit];
    s->prefix = wide_of((i128)(((u128)wide_value(s->prefix) << width) | digit));
    s->low -= width;
    s->seeking = s->histogram[digit] != s->need;
    for (u32 i = 0; i < 256; i++) s->histogram[i] = 0;
}

/* Gives out what is left over. */
FN void share_award(const struct Sharing *s, const u64 *weight, u64 *share, u32 begin, u32 end, u32 lane, u32 lanes) {
    if (s->left == 0 || s->seeking) return;
    const struct Measure m = measure_of(s);
    const u128 prefix = (u128)wide_value(s->prefix);
    const u32 low = s->low;
    for (u32 slot = begin + lane; slot < end; slot += lanes) {
        u128 key;
        share_of(&m, weight[slot], slot, &key);
        share[slot] += key >> low >= prefix;
    }
}

/* Why the shares are not what was asked for, 0 if they are; to be asked after the award. */
FN u32 sharing_failed(const struct Sharing *s) {
    if (s->failed) return (u32)s->failed;
    return s->seeking ? SHARING_UNFINISHED : 0;
}

#endif
