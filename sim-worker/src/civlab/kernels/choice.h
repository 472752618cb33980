/* Logit weights of posted prices: how buyers split their demand over the sellers in reach.
 *
 * A seller's weight is exp(-beta (p - least) / mean) with the intensity of choice beta, as in the Mark-0 model
 * (Gualdi, Tarzia, Zamponi, Bouchaud: "Tipping points in macroeconomic agent-based models", Journal of Economic
 * Dynamics and Control 50, 2015, section 2). Taking the least price away changes no proportion, makes the cheapest
 * seller's weight exactly one and keeps the others from vanishing together. The weights are integers, so that what
 * is split by them (share.h) is conserved. */
#ifndef CIVLAB_CHOICE_H
#define CIVLAB_CHOICE_H
#include "transcendental.h"

#define LOGIT_ONE 0x100000000ull

/* Q.32 weight in [0, LOGIT_ONE], within one unit of the truth. beta: Q31.32, not below zero; 0 makes all alike. A
 * price below `least` weighs one, and so do all where the mean is zero. */
FN u64 logit_weight(u64 price, u64 least, u64 mean, i64 beta) {
    if (price <= least || mean == 0 || beta <= 0) return LOGIT_ONE;
    const double exponent = ((double)beta / 4294967296.0) * ((double)(price - least) / (double)mean);
    return (u64)(exponential(-exponent) * 4294967296.0 + 0.5);
}

#endif
