/* Generation: how much each region's sellers attract buyers, so that at the prices of the start each sells what it makes.
 *
 * Without it buyers around a large region would all turn to that one. It is the doubly constrained gravity model (Wilson
 * 1967, Transportation Research 1): attractions are scaled in turn until what is bought of each region is what it makes. */
#include "market.h"
#include "transcendental.h"

#define ROUNDS 60u
#define ATTRACTION_ONE 4294967296.0 /* of the region that attracts most */

/* Pull of a seller over a distance at equal prices at the door: nearness, and the price of carriage by logit. */
FN double pull_of(const struct Scenario *s, u32 good, u32 distance) {
    const double freight = (double)s->freight[good] / 4294967296.0, near = (double)s->nearness / 4294967296.0;
    double pull = exponential(-((double)s->choice / 4294967296.0) * (freight * (double)distance));
    for (u32 cell = 0; cell < distance; cell++) pull = pull * near;
    return pull;
}

/* Sum over the regions in reach of a cell of each, times the pull over the way. */
FN double pulled(const struct World *w, const struct Place *p, const double *pull, const double *value) {
    double sum = 0.0;
    for (u32 j = 0; j < REACH; j++) {
        const u32 other = region_at(w, p, j);
        if (other != NOWHERE) sum = sum + pull[disc_distance(j)] * value[other];
    }
    return sum;
}

FN void attract_good(const struct World *w, const struct Home *h, u32 good) {
    const u32 first = h->first_region, end = first + w->member_regions[h->member];
    double *made = w->attract_made, *bought = w->attract_bought, *scale = w->attract_scale, all = 0.0, strongest = 0.0;
    double pull[REACH_RADIUS + 1];
    for (u32 d = 0; d <= REACH_RADIUS; d++) pull[d] = pull_of(h->scenario, good, d);
    for (u32 r = first; r < end; r++) {
        made[r] = 0.0, scale[r] = 1.0;
        for (u32 f = first_of_industry(w, r, good); f < first_of_industry(w, r, good + 1); f++)
            made[r] = made[r] + (double)w->sales[f];
        all = all + made[r];
    }
    for (u32 round = 0; round < ROUNDS; round++) {
        for (u32 r = first; r < end; r++) {
            const struct Place p = place_of(w, r);
            const double reach = pulled(w, &p, pull, scale);
            bought[r] = all * ((double)w->region_share[r] / 9223372036854775808.0) / (reach > 0.0 ? reach : 1.0);
        }
        for (u32 r = first; r < end; r++) {
            const struct Place p = place_of(w, r);
            const double sold = pulled(w, &p, pull, bought);
            scale[r] = sold > 0.0 ? made[r] / sold : 0.0;
        }
    }
    for (u32 r = first; r < end; r++) strongest = scale[r] > strongest ? scale[r] : strongest;
    for (u32 r = first; r < end; r++)
        w->attraction[market_of(r, good)] =
            (u64)(scale[r] / (strongest > 0.0 ? strongest : 1.0) * ATTRACTION_ONE) + 1;
}

FN void civilisation_attract_member(const struct World *w, u32 tick, u32 member) {
    const struct Home h = home_of(w, member);
    (void)tick;
    for (u32 good = 0; good < GOODS; good++) attract_good(w, &h, good);
}

MEMBER_KERNEL(civilisation_attract)
