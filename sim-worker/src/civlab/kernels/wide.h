/* 128-bit totals and exact division of products, for quantities that are conserved.
 *
 * Integers neither gain nor lose: a share is rounded down and what is left over goes to the largest remainders,
 * a conversion is rounded half to even, and a total that does not fit says so instead of wrapping. */
#ifndef CIVLAB_WIDE_H
#define CIVLAB_WIDE_H
#include "civlab.h"

typedef __int128 i128;

/* *total += value; 1 if it does not fit in 128 bits, and then *total is unchanged. */
FN int total_overflows(i128 *total, i128 value) {
    const i128 sum = (i128)((u128)*total + (u128)value);
    if ((value >= 0) != (sum >= *total)) return 1;
    *total = sum;
    return 0;
}

/* floor(a * b / divisor) for divisor > 0; the result must fit, which holds where a or b <= divisor. */
FN u64 product_floor(u64 a, u64 b, u64 divisor) { return (u64)((u128)a * b / divisor); }

/* a * b / divisor rounded half to even. */
FN u64 product_half_even(u64 a, u64 b, u64 divisor) {
    const u128 product = (u128)a * b;
    const u64 whole = (u64)(product / divisor), rest = (u64)(product % divisor);
    const u64 other = divisor - rest;
    return whole + (rest > other || (rest == other && (whole & 1u)));
}

/* Splits `total` in proportion to `count` weights (not all zero, their sum within 64 bits): floor, then one more
 * to the largest remainders, the first of equals first. The shares sum to `total` exactly. */
FN void apportion(u64 total, const u64 *weights, u32 count, u64 *shares, u64 *remainders) {
    u64 sum = 0, given = 0;
    for (u32 i = 0; i < count; i++) sum += weights[i];
    for (u32 i = 0; i < count; i++) {
        const u128 product = (u128)total * weights[i];
        shares[i] = (u64)(product / sum);
        remainders[i] = (u64)(product % sum);
        given += shares[i];
    }
    for (; given < total; given++) {
        u32 best = 0;
        for (u32 i = 1; i < count; i++)
            if (remainders[i] > remainders[best]) best = i;
        shares[best]++;
        remainders[best] = 0;
    }
}

#endif
