/* A uniform-price call on an integer ladder of prices: all who trade trade at one price.
 *
 * A bid with limit k buys at price k or any below, an offer with limit k sells at k or any above. The price is the
 * one with the largest volume, then the least excess of demand or supply, then the lowest. Better limits trade first;
 * the limit at which the volume runs out, on the long side, shares what is left by the largest remainder (share.h).
 * One lane walks the ladder twice, whatever the number of orders: those are added up by limit beforehand. */
#ifndef CIVLAB_AUCTION_H
#define CIVLAB_AUCTION_H
#include "wide.h"

#define AUCTION_STEPS 1024u /* most steps of a ladder */

struct Clearing {
    u128 volume;
    i128 excess;            /* demand less supply at the price */
    u64 bid_left, ask_left; /* what bids at limit bid_step, offers at limit ask_step have to share */
    u32 step;               /* the price */
    u32 bid_step, ask_step; /* limits at which the volume runs out: beyond them nobody trades */
};

/* Where the volume runs out on both sides. */
FN void auction_margins(struct Clearing *c, const u64 *demand, const u64 *supply, u32 steps) {
    u128 left = c->volume;
    u32 k = steps - 1;
    for (; k > 0 && demand[k] < left; k--) left -= demand[k];
    c->bid_step = k, c->bid_left = (u64)left;
    left = c->volume;
    for (k = 0; k + 1 < steps && supply[k] < left; k++) left -= supply[k];
    c->ask_step = k, c->ask_left = (u64)left;
}

/* Clears quantities by limit, demand[steps] and supply[steps], 1 <= steps <= AUCTION_STEPS. Without any trade the
 * volume is zero and the price, as always, the lowest of least excess. */
FN struct Clearing auction_clear(const u64 *demand, const u64 *supply, u32 steps) {
    struct Clearing best = {0, 0, 0, 0, 0, 0, 0};
    u128 buy = 0, sell = 0, least = 0;
    for (u32 k = 0; k < steps; k++) buy += demand[k];
    for (u32 k = 0; k < steps; k++) {
        sell += supply[k];
        const u128 volume = buy < sell ? buy : sell, gap = buy < sell ? sell - buy : buy - sell;
        if (k == 0 || volume > best.volume || (volume == best.volume && gap < least)) {
            best.volume = volume, best.excess = (i128)buy - (i128)sell, best.step = k;
            least = gap;
        }
        buy -= demand[k];
    }
    auction_margins(&best, demand, supply, steps);
    return best;
}

/* A bid's or an offer's fill is its full part and its share of bid_left or ask_left, by marginal parts. */
FN u64 auction_bid_full(const struct Clearing *c, u32 limit, u64 quantity) {
    return limit > c->bid_step ? quantity : 0;
}
FN u64 auction_bid_marginal(const struct Clearing *c, u32 limit, u64 quantity) {
    return limit == c->bid_step ? quantity : 0;
}
FN u64 auction_ask_full(const struct Clearing *c, u32 limit, u64 quantity) {
    return limit < c->ask_step ? quantity : 0;
}
FN u64 auction_ask_marginal(const struct Clearing *c, u32 limit, u64 quantity) {
    return limit == c->ask_step ? quantity : 0;
}

#endif
