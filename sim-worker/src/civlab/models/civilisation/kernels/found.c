/* Generation: how many of each skill every firm of a region begins with. Industries share the employed by the national
 * table, the firms of an industry by a lognormal law of size (Gibrat); all by largest remainders. */
#include "economy.h"
#include "transcendental.h"

#define FACTOR_ONE 65536.0

/* A lognormal factor, Q16: the exponential of a sum of eight uniform draws, which is nearly normal. */
FN u64 size_factor(const struct World *w, const struct Home *h, u32 firm) {
    const struct Block block = draw(w, h, 0, DRAW_FIRM, firm - h->first_firm, 0);
    double sum = 0.0;
    for (u32 k = 0; k < 4; k++) sum = sum + (double)(block.word[k] & 0xffffu) + (double)(block.word[k] >> 16);
    const double normal = (sum / 65535.0 - 4.0) * 1.224744871391589; /* variance 8/12 to 1 */
    return (u64)(exponential(normal * (double)h->scenario->dispersion / 4294967296.0) * FACTOR_ONE) + 1;
}

/* Employed of a skill by industry: shares of employment times the industries' mixes. */
FN void share_skill(const struct Scenario *s, u64 employed, u32 skill, u64 jobs[GOODS]) {
    u64 weight[GOODS], rest[GOODS];
    for (u32 i = 0; i < GOODS; i++) weight[i] = (u64)(((u128)s->employment[i] * s->mix[i][skill]) >> 68);
    apportion(employed, weight, GOODS, jobs, rest);
}

FN void found_region(const struct World *w, const struct Place *p) {
    const struct Scenario *s = p->scenario;
    for (u32 k = 0; k < SKILLS; k++) {
        u64 jobs[GOODS];
        share_skill(s, times_q32(w->seeker[(u64)p->region * SKILLS + k], s->employed), k, jobs);
        for (u32 i = 0; i < GOODS; i++) {
            const u32 begin = first_of_industry(w, p->region, i), end = first_of_industry(w, p->region, i + 1);
            for (u32 firm = begin; firm < end; firm++) w->split_weight[firm] = size_factor(w, &p->home, firm);
            apportion(jobs[i], w->split_weight + begin, end - begin, w->split_share + begin, w->split_rest + begin);
            for (u32 firm = begin; firm < end; firm++)
                w->want[(u64)firm * SKILLS + k] = (u32)w->split_share[firm];
        }
    }
}

FN void civilisation_found_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    (void)tick, (void)lanes;
    if (lane == 0) found_region(w, &p);
}

TILE_KERNEL(civilisation_found)
