/* A stable radix sort of (key, item) within ragged segments, from one element to millions: regions' seekers by
 * skill, markets' offers by price.
 *
 * Every pass sorts by one byte of the key, least significant first, in four phases that a model wraps in kernels:
 *   sort_count    over tiles                        how many of a tile's elements have each digit
 *   sort_rank     over segments, as a tile kernel   where each tile starts among the segment's equal digits
 *   sort_base     over segments                     where each digit starts, and on to the next pass
 *   sort_scatter  over tiles                        every element goes to its place in the other buffer
 * A model repeats the four as often as its keys have bytes; which pass it is the segment counts itself, so the table
 * of phases names the same four kernels again and again. Equal keys keep their order, which makes the order total:
 * it is the same for any number of threads, lanes and tiles. No atomic: a GPU's lanes own the digits and each walks
 * the whole tile, whose elements a block reads from its cache. */
#ifndef CIVLAB_SORT_H
#define CIVLAB_SORT_H
#include "civlab.h"

#define SORT_DIGITS 256u
#define SORT_SMALL 4096u

/* Where a sort's columns lie; a kernel fills one from its world. */
struct Sort {
    void *key[2];  /* by slot, two buffers: unsorted keys in the first, sorted ones in buffer passes & 1 */
    u32 *item[2];  /* by slot, two buffers: what travels with the key */
    u32 *count;    /* SORT_DIGITS per tile */
    u32 *base;     /* SORT_DIGITS per segment */
    u32 *pass;     /* 2 per segment: the pass to count and the pass to scatter; zero at first and after the last */
    u32 width;     /* bytes of a key: 4 or 8 */
    u32 passes;    /* bytes of it that matter, from the least significant */
};

FN u64 sort_key(const void *key, u32 slot, u32 width) {
    return width == 8 ? ((const u64 *)key)[slot] : ((const u32 *)key)[slot];
}

FN void sort_put_key(void *key, u32 slot, u32 width, u64 value) {
    if (width == 8) ((u64 *)key)[slot] = value;
    else ((u32 *)key)[slot] = (u32)value;
}

FN u32 sort_digit(u64 key, u32 pass) { return (u32)(key >> (8 * pass)) & 255u; }

/* Counts the digits of the slots [begin, end) of a tile. */
FN void sort_count(const struct Sort *s, u32 segment, u32 tile, u32 begin, u32 end, u32 lane, u32 lanes) {
    const u32 pass = s->pass[2 * (u64)segment], width = s->width;
    const void *key = s->key[pass & 1u];
    u32 *count = s->count + (u64)tile * SORT_DIGITS;
#if MANY_LANES
    for (u32 digit = lane; digit < SORT_DIGITS; digit += lanes) {
        u32 found = 0;
        for (u32 slot = begin; slot < end; slot++) found += sort_digit(sort_key(key, slot, width), pass) == digit;
        count[digit] = found;
    }
#else
    (void)lane, (void)lanes;
    for (u32 digit = 0; digit < SORT_DIGITS; digit++) count[digit] = 0;
    for (u32 slot = begin; slot < end; slot++) count[sort_digit(sort_key(key, slot, width), pass)]++;
#endif
}

/* Turns the counts of a segment's tiles into ranks among the segment's equal digits, and its base into totals. */
FN void sort_rank(const struct Sort *s, u32 segment, u32 first_tile, u32 tiles, u32 lane, u32 lanes) {
    u32 *total = s->base + (u64)segment * SORT_DIGITS;
    for (u32 digit = lane; digit < SORT_DIGITS; digit += lanes) total[digit] = 0;
    for (u32 tile = first_tile; tile < first_tile + tiles; tile++) {
        u32 *count = s->count + (u64)tile * SORT_DIGITS;
        for (u32 digit = lane; digit < SORT_DIGITS; digit += lanes) {
            const u32 here = count[digit];
            count[digit] = total[digit];
            total[digit] += here;
        }
    }
}

/* Turns a segment's totals into the first slot of each digit. */
FN void sort_base(const struct Sort *s, u32 segment, u32 first_slot) {
    u32 *base = s->base + (u64)segment * SORT_DIGITS, *pass = s->pass + 2 * (u64)segment;
    for (u32 digit = 0; digit < SORT_DIGITS; digit++) {
        const u32 total = base[digit];
        base[digit] = first_slot;
        first_slot += total;
    }
    pass[1] = pass[0];
    pass[0] = pass[0] + 1 == s->passes ? 0 : pass[0] + 1;
}

/* Brings the slots [begin, end) of a tile to their places. */
FN void sort_scatter(const struct Sort *s, u32 segment, u32 tile, u32 begin, u32 end, u32 lane, u32 lanes) {
    const u32 pass = s->pass[2 * (u64)segment + 1], width = s->width;
    const void *key = s->key[pass & 1u];
    void *key_out = s->key[~pass & 1u];
    const u32 *item = s->item[pass & 1u];
    u32 *item_out = s->item[~pass & 1u];
    const u32 *rank = s->count + (u64)tile * SORT_DIGITS, *base = s->base + (u64)segment * SORT_DIGITS;
#if MANY_LANES
    for (u32 digit = lane; digit < SORT_DIGITS; digit += lanes) {
        u32 to = base[digit] + rank[digit];
        for (u32 slot = begin; slot < end; slot++) {
            const u64 value = sort_key(key, slot, width);
            if (sort_digit(value, pass) != digit) continue;
            sort_put_key(key_out, to, width, value);
            item_out[to++] = item[slot];
        }
    }
#else
    u32 next[SORT_DIGITS];
    (void)lane, (void)lanes;
    for (u32 digit = 0; digit < SORT_DIGITS; digit++) next[digit] = base[digit] + rank[digit];
    for (u32 slot = begin; slot < end; slot++) {
        const u64 value = sort_key(key, slot, width);
        const u32 to = next[sort_digit(value, pass)]++;
        sort_put_key(key_out, to, width, value);
        item_out[to] = item[slot];
    }
#endif
}

/* sort_small: sorts a segment of at most SORT_SMALL elements within one tile kernel; the input stays as it is. */
#if MANY_LANES

/* Each element counts those that come before it: no lane waits for another. */
FN void sort_small(const void *key, const u32 *item, u32 count, u32 width, void *key_out, u32 *item_out, u32 lane,
                   u32 lanes) {
    for (u32 mine = lane; mine < count; mine += lanes) {
        const u64 value = sort_key(key, mine, width);
        u32 before = 0;
        for (u32 other = 0; other < mine; other++) before += sort_key(key, other, width) <= value;
        for (u32 other = mine + 1; other < count; other++) before += sort_key(key, other, width) < value;
        sort_put_key(key_out, before, width, value);
        item_out[before] = item[mine];
    }
}

#else

#define SORT_BY_INSERTION 32u

/* One pass of the radix sort over a whole short segment. */
FN void sort_small_pass(const u64 *key, const u32 *item, u32 count, u32 pass, u64 *key_out, u32 *item_out) {
    u32 next[SORT_DIGITS] = {0}, first = 0;
    for (u32 i = 0; i < count; i++) next[sort_digit(key[i], pass)]++;
    for (u32 digit = 0; digit < SORT_DIGITS; digit++) {
        const u32 here = next[digit];
        next[digit] = first;
        first += here;
    }
    for (u32 i = 0; i < count; i++) {
        const u32 to = next[sort_digit(key[i], pass)]++;
        key_out[to] = key[i];
        item_out[to] = item[i];
    }
}

PART void sort_small(const void *key, const u32 *item, u32 count, u32 width, void *key_out, u32 *item_out, u32 lane,
                     u32 lanes) {
    u64 keys[2][SORT_SMALL], differ = 0;
    u32 items[2][SORT_SMALL], at = 0;
    (void)lane, (void)lanes;
    for (u32 i = 0; i < count; i++) {
        keys[0][i] = sort_key(key, i, width);
        items[0][i] = item[i];
        differ |= keys[0][i] ^ keys[0][0];
    }
    if (count <= SORT_BY_INSERTION) {
        for (u32 i = 1; i < count; i++) {
            const u64 value = keys[0][i];
            const u32 moved = items[0][i];
            u32 to = i;
            for (; to > 0 && keys[0][to - 1] > value; to--) {
                keys[0][to] = keys[0][to - 1];
                items[0][to] = items[0][to - 1];
            }
            keys[0][to] = value;
            items[0][to] = moved;
        }
    } else {
        for (u32 pass = 0; pass < width; pass++) {
            if (sort_digit(differ, pass) == 0) continue; /* all alike in this byte */
            sort_small_pass(keys[at], items[at], count, pass, keys[at ^ 1u], items[at ^ 1u]);
            at ^= 1u;
        }
    }
    for (u32 i = 0; i < count; i++) {
        sort_put_key(key_out, i, width, keys[at][i]);
        item_out[i] = items[at][i];
    }
}

#endif
#endif
