/* Generation: how many of each skill every firm of a region begins with. Industries share the employed by the national
 * table, the firms of an industry by Pareto's law of sizes (Axtell 2001); all by largest remainders. Heads are shared before
 * skills: each skill by itself would round a small industry, energy first of all, down to nobody. */
#include "economy.h"
#include "transcendental.h"

#define FACTOR_ONE 65536.0

#define MOST_LOG 20.0 /* so that the factors of all firms of an industry add up in 64 bits */

/* A factor of Pareto's law, Q16: its logarithm is an exponential draw, so sizes beyond x are as frequent as x^(-1/dispersion). */
FN u64 size_factor(const struct World *w, const struct Home *h, u32 firm) {
    const struct Block block = draw(w, h, 0, DRAW_FIRM, firm - h->first_firm, 0);
    const double u = ((double)(first_u64(&block) >> 12) + 0.5) / 4503599627370496.0;
    const double log = -logarithm(u) * (double)h->scenario->dispersion / 4294967296.0;
    return (u64)(exponential(log < MOST_LOG ? log : MOST_LOG) * FACTOR_ONE);
}

/* Jobs of a region by industry: shares of employment, but one for each firm at least where there are people enough; what
 * that takes comes from the industries that have more. An industry without a share has no jobs. */
FN void share_jobs(const struct World *w, const struct Place *p, u64 employed, u64 jobs[GOODS]) {
    const struct Scenario *s = p->scenario;
    u64 firms[GOODS], surplus[GOODS], taken[GOODS], rest[GOODS], all = 0, lack = 0;
    for (u32 i = 0; i < GOODS; i++) {
        firms[i] = s->employment[i] ? first_of_industry(w, p->region, i + 1) - first_of_industry(w, p->region, i) : 0;
        all += firms[i];
    }
    apportion(employed, employed < all ? firms : s->employment, GOODS, jobs, rest);
    if (employed < all) return;
    for (u32 i = 0; i < GOODS; i++) {
        surplus[i] = minus(jobs[i], firms[i]);
        lack += minus(firms[i], jobs[i]);
    }
    apportion(lack, surplus, GOODS, taken, rest);
    for (u32 i = 0; i < GOODS; i++) jobs[i] = most(jobs[i], firms[i]) - taken[i];
}

/* People of an industry by skill: by its mix and by how many of each skill are left for the industries from it on, which
 * are just as many as their jobs. `mixed` is what those would have by their mixes alone, Q23. */
FN void share_skills(const struct Scenario *s, u32 industry, u64 jobs, u64 left[SKILLS], u64 mixed[SKILLS],
                     u64 staff[SKILLS]) {
    u64 weight[SKILLS], rest[SKILLS], sum = 0, open = jobs;
    for (u32 k = 0; k < SKILLS; k++) {
        const u64 mix = s->mix[industry][k] >> 40;
        weight[k] = times_over(mix << 16, left[k], mixed[k]);
        mixed[k] -= jobs * mix;
        sum += weight[k];
    }
    apportion(jobs, sum ? weight : left, SKILLS, staff, rest);
    for (u32 k = 0; k < SKILLS; k++) open -= staff[k] = least(staff[k], left[k]);
    for (u32 k = 0; k < SKILLS; k++) {
        const u64 more = least(open, left[k] - staff[k]);
        staff[k] += more, open -= more, left[k] -= staff[k];
    }
}

/* Firms of an industry: one employee each where there are enough, the others by sizes; then skills alike. */
FN void found_industry(const struct World *w, const struct Place *p, u32 industry, u64 jobs, u64 staff[SKILLS]) {
    const u32 begin = first_of_industry(w, p->region, industry), end = first_of_industry(w, p->region, industry + 1);
    const u64 each = jobs >= end - begin;
    u64 skills[SKILLS], rest[SKILLS];
    for (u32 firm = begin; firm < end; firm++) w->split_weight[firm] = size_factor(w, &p->home, firm);
    apportion(jobs - each * (end - begin), w->split_weight + begin, end - begin, w->split_share + begin,
              w->split_rest + begin);
    for (u32 firm = begin; firm < end; firm++) {
        apportion(w->split_share[firm] + each, staff, SKILLS, skills, rest);
        for (u32 k = 0; k < SKILLS; k++) {
            w->want[(u64)firm * SKILLS + k] = (u32)skills[k];
            staff[k] -= skills[k];
        }
    }
}

FN void found_region(const struct World *w, const struct Place *p) {
    const struct Scenario *s = p->scenario;
    u64 jobs[GOODS], left[SKILLS], mixed[SKILLS] = {0}, staff[SKILLS], employed = 0;
    for (u32 k = 0; k < SKILLS; k++) {
        left[k] = times_q32(w->seeker[(u64)p->region * SKILLS + k], s->employed);
        employed += left[k];
    }
    share_jobs(w, p, employed, jobs);
    for (u32 i = 0; i < GOODS; i++)
        for (u32 k = 0; k < SKILLS; k++) mixed[k] += jobs[i] * (s->mix[i][k] >> 40);
    for (u32 i = 0; i < GOODS; i++) {
        share_skills(s, i, jobs[i], left, mixed, staff);
        found_industry(w, p, i, jobs[i], staff);
    }
}

FN void civilisation_found_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    (void)tick, (void)lanes;
    if (lane == 0) found_region(w, &p);
}

TILE_KERNEL(civilisation_found)
