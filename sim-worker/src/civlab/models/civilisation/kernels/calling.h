/* Who gets what in an energy call. Limits better than the margin are served in full; what is left of the volume at the
 * margin goes by largest remainders, first to regions, then within a region to households, government and firms. */
#ifndef CIVLAB_CIVILISATION_CALLING_H
#define CIVLAB_CIVILISATION_CALLING_H
#include "economy.h"

struct Call {
    u64 last, price;
    u32 bid_step, ask_step, wanted_step;
};

FN struct Call call_of(const struct World *w, u32 nation) {
    const u64 *result = w->call + (u64)nation * CALLS;
    struct Call c;
    c.last = w->energy_price[nation];
    c.price = result[CALL_PRICE];
    c.bid_step = (u32)result[CALL_BID_STEP];
    c.ask_step = (u32)result[CALL_ASK_STEP];
    c.wanted_step = (u32)result[CALL_WANTED_STEP];
    return c;
}

/* What a fixed sum bids beyond the margin, and at it. */
FN u64 budget_full(const struct Place *p, const struct Call *c, u64 budget) {
    const u64 lot = p->scenario->lot[GOOD_ENERGY];
    return c->bid_step + 1 < LADDER ? affordable_quanta(budget, lot, c->last, c->bid_step + 1) : 0;
}
FN u64 budget_margin(const struct Place *p, const struct Call *c, u64 budget) {
    return affordable_quanta(budget, p->scenario->lot[GOOD_ENERGY], c->last, c->bid_step) - budget_full(p, c, budget);
}

/* The same of a firm's bid, and of a seller's offer. */
FN u64 firm_full(const struct World *w, const struct Place *p, const struct Call *c, u32 firm) {
    return p->scenario->priority[w->industry[firm]] > c->bid_step ? w->bid[firm] : 0;
}
FN u64 firm_margin(const struct World *w, const struct Place *p, const struct Call *c, u32 firm) {
    return p->scenario->priority[w->industry[firm]] == c->bid_step ? w->bid[firm] : 0;
}
FN u64 offer_full(const struct World *w, const struct Call *c, u32 firm) {
    if (w->industry[firm] != GOOD_ENERGY || ladder_step(c->last, w->price[firm]) >= c->ask_step) return 0;
    return w->inventory[firm] >> QUANTUM_SHIFT;
}
FN u64 offer_margin(const struct World *w, const struct Call *c, u32 firm) {
    if (w->industry[firm] != GOOD_ENERGY || ladder_step(c->last, w->price[firm]) != c->ask_step) return 0;
    return w->inventory[firm] >> QUANTUM_SHIFT;
}

#endif
