/* 128-bit totals, checked counters and exact division of products, for quantities that are conserved.
 *
 * Integers neither gain nor lose: a conversion is rounded half to even, a share is rounded down and share.h gives out
 * what is left over, and a total that does not fit says so instead of wrapping. Totals lie in memory as two 64-bit
 * limbs, because a column's elements have 64 bits and decimal(38,0) is exported from just these limbs. */
#ifndef CIVLAB_WIDE_H
#define CIVLAB_WIDE_H
#include "civlab.h"

typedef __int128 i128;

#define I64_LARGEST 0x7fffffffffffffffll
#define U64_LARGEST 0xffffffffffffffffull
#define I128_LARGEST ((i128)(~(u128)0 >> 1))

/* A total in memory: two's complement, low limb first; two elements of a u64 column. */
struct Wide {
    u64 low;
    i64 high;
};

FN struct Wide wide_of(i128 value) {
    struct Wide w;
    w.low = (u64)(u128)value, w.high = (i64)(value >> 64);
    return w;
}

FN i128 wide_value(struct Wide w) { return (i128)(((u128)(u64)w.high << 64) | w.low); }

/* -1, 0 or 1 as a is below, equal to or above b. */
FN int wide_compare(struct Wide a, struct Wide b) {
    const i128 x = wide_value(a), y = wide_value(b);
    return (x > y) - (x < y);
}

/* *total += value; 1 if it does not fit in 128 bits, and then *total is unchanged. */
FN int total_overflows(i128 *total, i128 value) {
    const i128 sum = (i128)((u128)*total + (u128)value);
    if ((value >= 0) != (sum >= *total)) return 1;
    *total = sum;
    return 0;
}

/* *total -= value; 1 if it does not fit in 128 bits, and then *total is unchanged. */
FN int total_underflows(i128 *total, i128 value) {
    const i128 difference = (i128)((u128)*total - (u128)value);
    if ((value >= 0) != (difference <= *total)) return 1;
    *total = difference;
    return 0;
}

FN int wide_add_overflows(struct Wide *total, i128 value) {
    i128 sum = wide_value(*total);
    const int overflows = total_overflows(&sum, value);
    *total = wide_of(sum);
    return overflows;
}

FN int wide_subtract_overflows(struct Wide *total, i128 value) {
    i128 difference = wide_value(*total);
    const int overflows = total_underflows(&difference, value);
    *total = wide_of(difference);
    return overflows;
}

/* A sum that all tiles of a segment add to at once. Cell k holds the sum of the values' 32-bit limbs of weight
 * 2^(32 k), each limb with its value's sign, modulo 2^64 and read as signed: no add has to carry, so none needs an
 * atomic's result. A limb is below 2^32, hence 2^31 values may be added before the cells must be cleared; a lane
 * adds its own elements up in a register first and counts as one. */
struct WideSum {
    u64 part[4];
};

/* Adds the lanes' values; to be called by every lane of a tile, outside branches. */
FN void wide_flush(struct WideSum *cell, i128 value) {
    const u128 magnitude = value < 0 ? (u128)0 - (u128)value : (u128)value;
    for (u32 k = 0; k < 4; k++) {
        const u64 limb = (u32)(magnitude >> (32 * k));
        flush_add(&cell->part[k], value < 0 ? 0 - limb : limb);
    }
}

FN void wide_sum_clear(struct WideSum *cell) {
    for (u32 k = 0; k < 4; k++) cell->part[k] = 0;
}

/* Sum of this lane's elements of [begin, end), by halves so that a compiler makes vectors of it. */
FN u128 sum_of_u64(const u64 *column, u32 begin, u32 end, u32 lane, u32 lanes) {
    u64 low = 0, high = 0;
    for (u32 i = begin + lane; i < end; i += lanes) {
        low += (u32)column[i];
        high += column[i] >> 32;
    }
    return ((u128)high << 32) + low;
}

FN i128 sum_of_i64(const i64 *column, u32 begin, u32 end, u32 lane, u32 lanes) {
    const u64 sign = (u64)1 << 63;
    u64 low = 0, high = 0, count = 0;
    for (u32 i = begin + lane; i < end; i += lanes) {
        const u64 raised = (u64)column[i] ^ sign; /* the value plus 2^63 */
        low += (u32)raised;
        high += raised >> 32;
        count++;
    }
    return (i128)(((u128)high << 32) + low) - (i128)((u128)count << 63);
}

/* *total becomes the sum; 1 if that does not fit in 128 bits, and then *total is unchanged. */
FN int wide_sum_overflows(const struct WideSum *cell, i128 *total) {
    u128 limbs = 0;
    i128 carry = 0;
    for (u32 k = 0; k < 3; k++) {
        carry += (i64)cell->part[k];
        limbs |= (u128)(u32)(u128)carry << (32 * k);
        carry >>= 32;
    }
    carry += (i64)cell->part[3];
    if (carry < -(i128)0x80000000ll || carry > (i128)0x7fffffffll) return 1;
    *total = (i128)(limbs | ((u128)carry << 96));
    return 0;
}

/* Faults. A counter that would leave its type is named by a code (a model's enumeration, from 1): the lane goes on
 * with the nearest value that fits, keeps the greatest code it met in a register, and raises it in the member's
 * cell, where the first tick wins and then the greatest code. The run stops by that name; 0 is no fault. */
FN void note_fault(u32 *fault, u32 code) {
    if (*fault < code) *fault = code;
}

/* May be called in branches. */
FN void raise_fault(u64 *cell, u32 tick, u32 code) {
    if (code) shared_max(cell, ((u64)(0xffffffffu - tick) << 32) | code);
}

FN u32 fault_code(u64 cell) { return (u32)cell; }
FN u32 fault_tick(u64 cell) { return 0xffffffffu - (u32)(cell >> 32); } /* where there is a fault */

FN i64 checked_i64(i128 value, u32 code, u32 *fault) {
    if (value >= -(i128)I64_LARGEST - 1 && value <= (i128)I64_LARGEST) return (i64)value;
    note_fault(fault, code);
    return value < 0 ? -I64_LARGEST - 1 : I64_LARGEST;
}

FN u64 checked_u64(i128 value, u32 code, u32 *fault) {
    if (value >= 0 && value <= (i128)U64_LARGEST) return (u64)value;
    note_fault(fault, code);
    return value < 0 ? 0 : U64_LARGEST;
}

FN i64 checked_add_i64(i64 a, i64 b, u32 code, u32 *fault) { return checked_i64((i128)a + b, code, fault); }
FN i64 checked_subtract_i64(i64 a, i64 b, u32 code, u32 *fault) { return checked_i64((i128)a - b, code, fault); }
FN i64 checked_multiply_i64(i64 a, i64 b, u32 code, u32 *fault) { return checked_i64((i128)a * b, code, fault); }
FN u64 checked_add_u64(u64 a, u64 b, u32 code, u32 *fault) { return checked_u64((i128)a + (i128)b, code, fault); }
FN u64 checked_subtract_u64(u64 a, u64 b, u32 code, u32 *fault) { return checked_u64((i128)a - (i128)b, code, fault); }

FN u64 checked_multiply_u64(u64 a, u64 b, u32 code, u32 *fault) {
    const u128 product = (u128)a * b;
    if ((u64)(product >> 64) == 0) return (u64)product;
    note_fault(fault, code);
    return U64_LARGEST;
}

FN i128 checked_add_i128(i128 a, i128 b, u32 code, u32 *fault) {
    if (!total_overflows(&a, b)) return a;
    note_fault(fault, code);
    return b < 0 ? -I128_LARGEST - 1 : I128_LARGEST;
}

FN i128 checked_subtract_i128(i128 a, i128 b, u32 code, u32 *fault) {
    if (!total_underflows(&a, b)) return a;
    note_fault(fault, code);
    return b < 0 ? I128_LARGEST : -I128_LARGEST - 1;
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

/* A divisor that many products are divided by: scaled so that its leading bit is set, with the reciprocal of its
 * leading limb, which makes a division two multiplications (Möller and Granlund: "Improved division by invariant
 * integers", IEEE Transactions on Computers 60, 2011). */
struct Divisor {
    u128 scaled;
    u64 lead, inverse; /* leading limb, and floor((2^128 - 1) / lead) - 2^64 */
    u32 shift;
    int wide;          /* 1 if it has two limbs */
};

/* With a reciprocal that was worked out before. */
FN struct Divisor divisor_with(u128 value, u64 inverse) {
    struct Divisor d;
    d.wide = (value >> 64) != 0;
    d.shift = leading_zeros(d.wide ? (u64)(value >> 64) : (u64)value);
    d.scaled = value << d.shift;
    d.lead = d.wide ? (u64)(d.scaled >> 64) : (u64)d.scaled;
    d.inverse = inverse;
    return d;
}

/* value > 0 */
FN struct Divisor divisor_of(u128 value) {
    struct Divisor d = divisor_with(value, 0);
    d.inverse = (u64)((((u128)~d.lead << 64) | U64_LARGEST) / d.lead);
    return d;
}

/* Quotient and rest of (high : low) / lead, for high < lead. */
FN u64 divide_limbs(const struct Divisor *d, u64 high, u64 low, u64 *rest) {
    const u128 guess = (u128)d->inverse * high + (((u128)high << 64) | low);
    u64 quotient = (u64)(guess >> 64) + 1, left = low - quotient * d->lead;
    const u64 beyond = left > (u64)guess; /* as often as not, so no branch */
    quotient -= beyond, left += d->lead & (0 - beyond);
    if (left >= d->lead) quotient++, left -= d->lead;
    *rest = left;
    return quotient;
}

/* floor(a * b / divisor) and the rest, for a < divisor. Two limbs: one digit of Knuth's algorithm D (The Art of
 * Computer Programming 2, 4.3.1). */
FN u64 divide_product(const struct Divisor *d, u128 a, u64 b, u128 *rest) {
    const u128 factor = a << d->shift, lower = (u128)(u64)factor * b;
    u64 left, digit;
    if (!d->wide) {
        digit = divide_limbs(d, (u64)(lower >> 64), (u64)lower, &left);
        *rest = left >> d->shift;
        return digit;
    }
    const u128 upper = (factor >> 64) * b + (lower >> 64);
    u128 over;
    if ((u64)(upper >> 64) >= d->lead) {
        digit = U64_LARGEST;
        over = upper - (u128)digit * d->lead;
    } else {
        digit = divide_limbs(d, (u64)(upper >> 64), (u64)upper, &left);
        over = left;
    }
    u128 take = (u128)digit * (u64)d->scaled;
    while ((u64)(over >> 64) == 0 && take > ((over << 64) | (u64)lower)) {
        digit--;
        take -= (u64)d->scaled;
        over += d->lead;
    }
    *rest = (((over << 64) | (u64)lower) - take) >> d->shift;
    return digit;
}

#endif
