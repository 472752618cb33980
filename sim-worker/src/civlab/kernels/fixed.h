/* Fixed-point numbers and exact sampling from tables.
 *
 * Q1.31: a probability or a factor <= 1 as u32, 1.0 is exactly 2^31. Q0.63: a rare hazard below 1 as u64. Q31.32:
 * a ratio as i64. Q0.64: an entry of a table, below 1, as u64.
 * A table holds the cumulative distribution in Q0.64: entry v is floor(2^64 P(X <= v)), and the last entry
 * stands for one whole, so that every draw finds its value. */
#ifndef CIVLAB_FIXED_H
#define CIVLAB_FIXED_H
#include "civlab.h"

#define Q31_ONE 0x80000000u

/* Product of two Q1.31 factors, rounded down; 1.0 is neutral. */
FN u32 q31_times(u32 a, u32 b) { return (u32)(((u64)a * b) >> 31); }

/* True with probability `chance` (Q1.31) for a uniform 32-bit word; nested: true under a smaller chance
 * implies true under a larger one. */
FN int q31_happens(u32 word, u32 chance) { return (word >> 1) < chance; }

/* Product of a Q0.63 hazard and a Q1.31 factor, rounded down. */
FN u64 q63_times(u64 hazard, u32 factor) { return (u64)(((u128)hazard * factor) >> 31); }

/* True with a Q0.63 chance for a uniform 64-bit draw. */
FN int q63_happens(u64 draw, u64 chance) { return (draw >> 1) < chance; }

/* Product of two Q31.32 ratios, rounded towards minus infinity; the caller keeps it within 2^31. */
FN i64 q32_times(i64 a, i64 b) { return (i64)(((__int128)a * b) >> 32); }

/* Least value v in [lowest, length) with draw < cumulative[v]; the last one takes the rest. */
FN u32 table_value(const u64 *cumulative, u32 lowest, u32 length, u64 draw) {
    u32 value = lowest;
    while (value + 1 < length && draw >= cumulative[value]) value++;
    return value;
}

/* Least index in [0, length) with rank < cumulative[index], by bisection; the last one takes the rest. */
FN u32 quantile_of_rank(const u32 *cumulative, u32 length, u32 rank) {
    u32 low = 0, high = length - 1;
    while (low < high) {
        const u32 middle = (low + high) / 2;
        if (rank < cumulative[middle]) high = middle;
        else low = middle + 1;
    }
    return low;
}

#endif
