/* How a household parts its spending over goods: the linear expenditure system (Stone 1954, Economic Journal 64). What it
 * needs of each good comes first; the rest is shared by tastes. Of less than its needs it buys all goods alike. */
#ifndef CIVLAB_CIVILISATION_SPENDING_H
#define CIVLAB_CIVILISATION_SPENDING_H
#include "economy.h"

/* A region's prices as households meet them, taxes included; read once a tile. */
struct Basket {
    u64 need[GOODS];  /* money a citizen, by good */
    u64 taste[GOODS]; /* Q0.63 */
    u64 needs;        /* money a citizen, all goods */
    u64 keep, tax;    /* Q32.32: price before tax over that with it; tax over the price before */
    u32 last;         /* a good that has a taste: it takes what rounding leaves */
};

FN struct Basket basket_of(const struct World *w, const struct Place *p) {
    const struct Scenario *s = p->scenario;
    struct Basket b;
    b.tax = s->tax_sales[p->number];
    b.keep = (u64)((((u128)1 << 64) - 1) / (Q32_ONE + b.tax));
    b.needs = 0, b.last = 0;
    for (u32 g = 0; g < GOODS; g++) {
        const u64 price = w->tariff[market_of(p->region, g)], need = times_over(s->subsistence[g], price, BASE_PRICE);
        b.need[g] = need + times_q32(need, b.tax);
        b.taste[g] = s->taste[g];
        b.needs += b.need[g];
        if (s->taste[g]) b.last = g;
    }
    return b;
}

/* Net budgets by good of an outlay by `size` citizens; they sum to no more than the outlay before tax. */
FN void part_outlay(const struct Basket *b, u64 outlay, u32 size, u64 budget[GOODS]) {
    const u64 needs = b->needs * size;
    if (outlay <= needs) {
        const u64 share = needs ? times_over(outlay, Q32_ONE, needs) : 0;
        for (u32 g = 0; g < GOODS; g++) budget[g] = times_q32(times_q32(b->need[g] * size, share), b->keep);
        return;
    }
    const u64 beyond = outlay - needs;
    for (u32 g = 0; g < GOODS; g++)
        budget[g] = times_q32(b->need[g] * size + (u64)(((u128)beyond * b->taste[g]) >> 63), b->keep);
}

#endif
