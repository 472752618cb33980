/* Phase `choose`: each household that thinks of a move draws a region of the disc by weight, its own among them; those
 * that draw another are queued. */
#include "crowd.h"
#include "hex.h"

#define FACTOR_ONE 0x10000 /* Q16 */
#define FACTOR_MOST (16 * FACTOR_ONE)
#define FACTOR_LEAST (FACTOR_ONE / 16)
#define Q32_MOST ((i64)1024 << 32)

FN u64 times_factor(u64 weight, i64 answer, i64 gap) {
    const i128 factor = FACTOR_ONE + (((i128)answer * gap) >> 48);
    return (weight * (u64)(factor < FACTOR_LEAST ? FACTOR_LEAST : factor > FACTOR_MOST ? FACTOR_MOST : factor)) >> 16;
}

/* Relative gap of real wages, Q31.32. */
FN i64 wage_gap(const struct World *w, const struct Home *h, u32 there, u32 here) {
    const u32 home = nation_of_region(w, h, here), other = nation_of_region(w, h, there);
    const u128 high = (u128)w->wage[there] * w->level[home], low = (u128)w->wage[here] * w->level[other];
    if (low == 0 || high >> 95) return 0;
    const u128 ratio = (high << 32) / low;
    return (ratio > (u128)Q32_MOST ? Q32_MOST : (i64)ratio) - (i64)Q32_ONE;
}

FN i64 unemployment(const struct World *w, u32 region) {
    const u32 *force = w->workforce + 2 * (u64)region;
    return force[0] ? (i64)(((u64)(force[0] - force[1]) << 32) / force[0]) : 0;
}

FN u64 weight_of(const struct World *w, const struct Region *r, u32 place) {
    const u32 other = w->reach[(u64)r->region * REACH + place], there = r->home.first_region + other - 1;
    const struct People *p = r->home.people;
    u64 weight;
    if (other == 0 || is_crowd(w, there)) return 0; /* nobody moves to a crowd */
    weight = (((u64)w->region_settled[there] << 8) * p->near[disc_distance(place)]) >> 31;
    if (w->region_nation[there] != w->region_nation[r->region]) weight = (weight * p->abroad) >> 31;
    weight = times_factor(weight, p->answer_wage, wage_gap(w, &r->home, there, r->region));
    weight = times_factor(weight, p->answer_unemployment, unemployment(w, r->region) - unemployment(w, there));
    return times_factor(weight, p->answer_warmth, w->warmth[r->region] - w->warmth[there]);
}

FN void civilisation_choose_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->cluster_member[tile], tick) || lane != 0 || is_crowd(w, tile)) return;
    const struct Region r = region_of(w, tile);
    u64 upto[REACH], total = 0;
    u32 boarded = 0;
    (void)lanes;
    for (u32 place = 0; place < REACH; place++) upto[place] = total += weight_of(w, &r, place);
    FOR_EACH_EVENT(w, &r, EVENT_THINKING, at) {
        const struct Block block = draw(w, &r.home, tick, DRAW_DESTINATION, at - r.home.first_citizen, 0);
        const u64 drawn = (u64)(((u128)first_u64(&block) * total) >> 64);
        const u32 household = household_now(w, &r.home, w->household[at]);
        u32 place = 0;
        while (place < OWN_PLACE * 2 && drawn >= upto[place]) place++;
        if (place == OWN_PLACE || total == 0 || w->mark[household]) continue;
        w->mark[household] = (u8)(place + 1);
        w->queue[r.households + boarded++] = household;
    }
    w->boarded[2 * (u64)tile] = boarded;
}

TILE_KERNEL(civilisation_choose)
