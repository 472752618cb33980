/* exp and log in f64, from + - * / alone: the same bits on every machine and every compiler.
 *
 * No libm does that: libraries differ from each other, and CUDA's contracts and approximates inside. Both are
 * within one unit in the last place of the true value (tests against mpmath). No NaN or infinity is made:
 * exp saturates at the largest f64 and flushes to zero below the smallest normal one; log of anything not
 * above zero is the negative of the largest f64. Constants: ln 2 in two parts after Cody and Waite (1980). */
#ifndef CIVLAB_TRANSCENDENTAL_H
#define CIVLAB_TRANSCENDENTAL_H
#include "civlab.h"

#define F64_LARGEST 1.7976931348623157e308
#define LN2_HIGH 0x1.62e42feep-1          /* 33 bits, so that a product with an exponent is exact */
#define LN2_LOW 0x1.a39ef35793c76p-33
#define INVERSE_LN2 0x1.71547652b82fep+0
#define TO_INTEGER 0x1.8p52               /* adding and taking away rounds to the nearest integer */

/* condition ? yes : no by bits: a compiler that sees a branch threads jumps through it, and the loop around it no
 * longer vectorises. */
FN double chosen(int condition, double yes, double no) {
    const u64 mask = 0 - (u64)(condition != 0);
    return of_bits((bits_of(yes) & mask) | (bits_of(no) & ~mask));
}

/* e^r for |r| <= ln 2 / 2 plus what its rounding lost. */
FN double exponential_of_rest(double r, double lost) {
    double series = 1.0 / 6227020800.0;
    series = series * r + 1.0 / 479001600.0;
    series = series * r + 1.0 / 39916800.0;
    series = series * r + 1.0 / 3628800.0;
    series = series * r + 1.0 / 362880.0;
    series = series * r + 1.0 / 40320.0;
    series = series * r + 1.0 / 5040.0;
    series = series * r + 1.0 / 720.0;
    series = series * r + 1.0 / 120.0;
    series = series * r + 1.0 / 24.0;
    series = series * r + 1.0 / 6.0;
    series = series * r + 0.5;
    return 1.0 + (r + (r * r * series + (lost + lost * r)));
}

FN double exponential(double x) {
    if (x > 709.782712893384) return F64_LARGEST;
    if (x < -708.3964185322641) return 0.0;
    const double whole = (x * INVERSE_LN2 + TO_INTEGER) - TO_INTEGER;
    const double high = x - whole * LN2_HIGH;
    const double low = whole * LN2_LOW;
    const double r = high - low;
    const double value = exponential_of_rest(r, (high - r) - low);
    const int exponent = (int)whole;
    if (exponent > 1000) return value * of_bits((u64)(1023 + 1000) << 52) * of_bits((u64)(1023 + exponent - 1000) << 52);
    if (exponent < -1000) return value * of_bits((u64)(1023 - 1000) << 52) * of_bits((u64)(1023 + exponent + 1000) << 52);
    return value * of_bits((u64)(1023 + exponent) << 52);
}

/* The same bits for |x| <= 690, without a branch, so that loops over it vectorise. */
FN double exponential_within(double x) {
    const double shifted = x * INVERSE_LN2 + TO_INTEGER; /* its lowest bits are the integer */
    const double whole = shifted - TO_INTEGER;
    const double high = x - whole * LN2_HIGH;
    const double low = whole * LN2_LOW;
    const double r = high - low;
    return exponential_of_rest(r, (high - r) - low) * of_bits((bits_of(shifted) + 1023) << 52);
}

/* For normal numbers above zero: no branch, so that loops over it vectorise. */
FN double logarithm_of_normal(double x) {
    const u64 bits = bits_of(x);
    const double whole = of_bits((bits >> 52) | ((u64)(1023 + 52) << 52)) - (0x1p52 + 1023.0);
    const double significand = of_bits((bits & 0xFFFFFFFFFFFFFull) | ((u64)1023 << 52));
    const int above = significand > 0x1.6a09e667f3bcdp+0;
    const double m = significand * chosen(above, 0.5, 1.0);
    const double k = whole + chosen(above, 1.0, 0.0);
    const double f = m - 1.0;
    const double s = f / (2.0 + f);
    const double z = s * s;
    double series = 2.0 / 25.0;
    series = series * z + 2.0 / 23.0;
    series = series * z + 2.0 / 21.0;
    series = series * z + 2.0 / 19.0;
    series = series * z + 2.0 / 17.0;
    series = series * z + 2.0 / 15.0;
    series = series * z + 2.0 / 13.0;
    series = series * z + 2.0 / 11.0;
    series = series * z + 2.0 / 9.0;
    series = series * z + 2.0 / 7.0;
    series = series * z + 2.0 / 5.0;
    series = series * z + 2.0 / 3.0;
    const double half_square = 0.5 * f * f;
    const double rest = s * (half_square + z * series);
    return k * LN2_HIGH - ((half_square - (rest + k * LN2_LOW)) - f);
}

FN double logarithm(double x) { return x > 0.0 ? logarithm_of_normal(x) : -F64_LARGEST; }

#endif
