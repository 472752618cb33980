/* A market is one good in one region; a tile of the set `market` is one, region after region, good after good. Energy has
 * its own call and is passed over here.
 *
 * Buyers bring money, sellers goods at posted prices. Each round a region's buyers part what they have left over the
 * sellers in reach by logit weights of delivered prices (Mark-0's rule), nearness and the attraction of the place; a region that is asked
 * for more than it offers accepts by largest remainders. Then buyers pay, and goods follow the money. */
#ifndef CIVLAB_CIVILISATION_MARKET_H
#define CIVLAB_CIVILISATION_MARKET_H
#include "choice.h"
#include "economy.h"

struct Market {
    struct Place place;
    u32 good;
    u64 number;     /* cell of the market among all regions' */
    u64 lot;
    u32 begin, end; /* sellers */
};

FN struct Market market_at(const struct World *w, u32 tile) {
    struct Market m;
    m.good = tile % GOODS;
    m.place = place_of(w, tile / GOODS);
    m.number = tile;
    m.lot = m.place.scenario->lot[m.good];
    m.begin = first_of_industry(w, m.place.region, m.good);
    m.end = first_of_industry(w, m.place.region, m.good + 1);
    return m;
}

/* Cell of the buyer in the region at a place of the seller's disc, where the seller stands at the opposite place. */
FN u64 buyer_cell(const struct Market *m, u32 buyer, u32 place) {
    return (market_of(buyer, m->good)) * REACH + (REACH - 1 - place);
}

/* Price of a lot carried over a distance, over the price at the seller's door: Q32.32. */
FN u64 carriage(const struct Market *m, u32 place) {
    return Q32_ONE + m->place.scenario->freight[m->good] * disc_distance(place);
}

/* Splits over at most REACH weights; the remainders stay on the stack. Zero weights get nothing. */
PART void split_reach(u64 total, const u64 *weight, u64 *share) {
    u64 packed[REACH], part[REACH], rest[REACH];
    u32 count = 0, at = 0;
    for (u32 j = 0; j < REACH; j++)
        if (weight[j]) packed[count++] = weight[j];
    apportion(total, packed, count, part, rest);
    for (u32 j = 0; j < REACH; j++) share[j] = weight[j] ? part[at++] : 0;
}

#endif
