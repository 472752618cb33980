/* What the economy's kernels share: a firm's surroundings, the ladder of energy prices, the state of a market. */
#ifndef CIVLAB_CIVILISATION_ECONOMY_H
#define CIVLAB_CIVILISATION_ECONOMY_H
#include "civilisation.h"
#include "hex.h"

/* A region and its firms; a tile of the set `cluster`. */
struct Place {
    struct Home home;
    const struct Scenario *scenario;
    u32 region, nation, number; /* slots of the region and its nation; the nation within the member */
    u32 begin, end;             /* its firms */
};

FN struct Place place_of(const struct World *w, u32 region) {
    struct Place p;
    p.home = home_of(w, w->cluster_member[region]);
    p.scenario = p.home.scenario;
    p.region = region;
    p.number = w->region_nation[region];
    p.nation = p.home.first_nation + p.number;
    p.begin = w->cluster_begin[region];
    p.end = w->cluster_end[region];
    return p;
}

FN u32 first_of_industry(const struct World *w, u32 region, u32 good) {
    return w->industry_begin[(u64)region * (GOODS + 1) + good];
}

/* Units that an efficiency unit makes in a week now: technology, less what the climate takes. */
FN u64 productivity_now(const struct World *w, const struct Place *p, u32 industry) {
    const u64 skilled = times_q32(p->scenario->productivity[industry], w->technology[p->nation]);
    return most((u64)(((u128)skilled * w->yield[(u64)p->region * GOODS + industry]) >> 31), 1);
}

/* Efficiency units of a firm's staff, times 256. */
FN u64 workforce(const struct World *w, const struct Scenario *s, u32 firm) {
    u64 sum = 0;
    for (u32 k = 0; k < SKILLS; k++) sum += (u64)w->staff[(u64)firm * SKILLS + k] * s->efficiency[k];
    return sum;
}

/* Gross weekly pay of a skill at the nation's wage. */
FN u64 pay_of(const struct Scenario *s, u64 wage, u32 skill) { return wage * s->efficiency[skill] / 256; }

/* What money buys of a good at a price, and what so many units cost; both rounded down. */
FN u64 units_for(u64 money, u64 lot, u64 price) { return times_over(money, lot, price); }
FN u64 cost_of(u64 units, u64 lot, u64 price) { return times_over(units, price, lot); }

/* Energy that takes the place of fuel that an industry needs and lacks: what a plant would make of it. Plants themselves
 * need the fuel. */
FN u64 in_place_of_fuel(const struct Scenario *s, u32 industry, u64 need, u64 there) {
    return s->critical[industry][GOOD_FUEL] && industry != GOOD_ENERGY ? times_q32(minus(need, there), s->electric) : 0;
}

/* Energy is called in quanta, so that a nation's sum fits in 64 bits. */
#define QUANTUM_SHIFT 10u

/* Quanta that a seller of energy expects to sell, at least one. */
FN u64 quanta_expected(const struct World *w, u32 firm) { return (w->sales[firm] >> QUANTUM_SHIFT) + 1; }

/* Price of a step of the ladder: half the last price to one and a half times it. */
FN u64 ladder_price(u64 last, u32 step) { return most(last * (LADDER / 2 + step) / LADDER, 1); }

/* Least step whose price is not below a posted one; the highest if none is. */
FN u32 ladder_step(u64 last, u64 price) {
    const u64 at = times_over(price, LADDER, last) + (ladder_price(last, 0) == 0);
    u64 step = minus(at, LADDER / 2);
    while (step < LADDER - 1 && ladder_price(last, (u32)step) < price) step++;
    return (u32)least(step, LADDER - 1);
}

/* Quanta that a budget buys at most at a step's price: the demand of one who spends a fixed sum. */
FN u64 affordable_quanta(u64 budget, u64 lot, u64 last, u32 step) {
    return units_for(budget, lot, ladder_price(last, step)) >> QUANTUM_SHIFT;
}

/* A market: one good in one region. */
FN u64 market_of(u32 region, u32 good) { return (u64)region * GOODS + good; }

/* A region's cell of the tick's flows of a good. */
FN u64 *goods_flow(const struct World *w, u32 region, u32 flow, u32 good) {
    return w->flow_goods + ((u64)region * GOODS_FLOWS + flow) * GOODS + good;
}

/* Region at a place of a region's disc, as a slot; ~0 where there is none. */
#define NOWHERE 0xffffffffu
FN u32 region_at(const struct World *w, const struct Place *p, u32 place) {
    const u32 other = w->reach[(u64)p->region * REACH + place];
    return other ? p->home.first_region + other - 1 : NOWHERE;
}

/* Bell-shaped chance with mean 0 and deviation 1, Q31.32: eight uniform numbers added up. */
FN i64 bell(const struct Block *block) {
    i64 sum = 0;
    for (u32 k = 0; k < 4; k++) sum += (block->word[k] & 0xffffu) + (block->word[k] >> 16);
    return (sum - 262140) * 80265;
}

#endif
