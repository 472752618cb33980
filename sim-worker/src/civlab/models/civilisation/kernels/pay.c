/* Phase `pay`: every citizen's week is paid into the household's account: wages less income tax, or what the government
 * pays to those without work, to the old and for children. What firms paid as wages must come out the same. */
#include "crowd_money.h"
#include "crowd_work.h"

struct Payday {
    const struct World *w;
    const struct Home *home;
    u32 tick, retirement;
    u64 tax, benefit, pension, child;
    u64 wages, taxed, benefits, pensions, children;
    u32 head[HEADS];
};

/* What citizen `at` brings home. */
FN u64 income_of(struct Payday *t, u32 at) {
    const struct World *w = t->w;
    const u32 age = weeks_old(w->born[at], t->tick), firm = w->employer[at];
    t->head[HEAD_PEOPLE]++;
    if (firm) {
        const u64 cell = (u64)(t->home->first_firm + firm - 1) * SKILLS + skill_of(w->traits[at]);
        const u64 gross = w->pay[cell], tax = times_q32(gross, t->tax);
        t->head[HEAD_WORKERS]++, t->head[HEAD_EMPLOYED]++;
        t->wages += gross, t->taxed += tax;
        return gross - tax;
    }
    if (age < ADULT * WEEKS) {
        t->head[HEAD_MINORS]++;
        t->children += t->child;
        return t->child;
    }
    if (age >= t->retirement * WEEKS) {
        t->head[HEAD_RETIRED]++;
        t->pensions += t->pension;
        return t->pension;
    }
    t->head[HEAD_WORKERS] += health_of(w->traits[at]) < HEALTH_ILL;
    t->head[HEAD_SEEKERS] += health_of(w->traits[at]) < HEALTH_ILL;
    t->benefits += t->benefit;
    return t->benefit;
}

FN void civilisation_pay_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 region = w->tile_region[tile], end = w->tile_end[tile];
    const struct Home h = home_of(w, w->tile_member[tile]);
    if (is_crowd(w, region)) {
        if (lane == 0 && is_first_tile(w, region, tile)) crowd_pay(w, &h, region);
        return;
    }
    const struct Scenario *s = h.scenario;
    const u32 number = w->region_nation[region], nation = h.first_nation + number;
    const u64 wage = w->wage[region];
    struct Payday t = {w, &h, tick, s->retirement, s->tax_income[number], times_q32(wage, s->benefit[number]),
                       times_q32(wage, s->pension[number]), times_q32(wage, s->child_benefit[number]), 0, 0, 0, 0, 0, {0}};
    u64 *flow = w->flow + (u64)nation * FLOWS, sum = 0;
    u32 household = 0;
    for (u32 at = w->tile_begin[tile] + lane; at < end; at += lanes) {
        const u32 here = w->household[at];
        if (here == 0) continue;
        if (here != household) {
            if (sum) add_to(w->earned + h.first_household + household - 1, sum);
            household = here, sum = 0;
        }
        sum += income_of(&t, at);
    }
    if (sum) add_to(w->earned + h.first_household + household - 1, sum);
    for (u32 k = 0; k < HEADS; k++) flush_add32(w->census + (u64)region * HEADS + k, t.head[k]);
    flush_add(flow + FLOW_WAGES_RECEIVED, t.wages);
    flush_add(flow + FLOW_TAXES_INCOME, t.taxed);
    flush_add(flow + FLOW_BENEFITS, t.benefits);
    flush_add(flow + FLOW_PENSIONS, t.pensions);
    flush_add(flow + FLOW_CHILD_BENEFITS, t.children);
}

TILE_KERNEL(civilisation_pay)
