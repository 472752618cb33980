/* Phase `budget`: households receive what they earned and their part of the dividends, and decide what to spend: a share
 * of smoothed income and a share of what they own (the buffer-stock rule), less when interest is high. Dividends go by
 * deposits. */
#include "spending.h"

/* Factor of spending by the real rate of interest beyond its natural level, Q32.32: money kept earns more. */
FN u64 eagerness(const struct World *w, const struct Place *p) {
    const struct Scenario *s = p->scenario;
    const i64 real = w->policy_rate[p->nation] - w->inflation[p->nation] - s->natural_rate;
    return (u64)((i64)Q32_ONE - within(q32_times(s->patience, WEEKS * real), -(i64)Q32_ONE / 5, (i64)Q32_ONE / 5));
}

FN void civilisation_budget_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 region = w->block_region[tile], end = w->block_end[tile];
    const struct Place p = place_of(w, region);
    const struct Scenario *s = p.scenario;
    const struct Basket basket = basket_of(w, &p);
    const u64 pool = w->pool[p.nation], holdings = w->flow[(u64)p.nation * FLOWS + FLOW_HOLDINGS];
    const u64 rate = holdings ? (u64)(((u128)pool << 40) / holdings) : 0; /* dividend a unit of deposit, Q24.40 */
    const u64 eager = eagerness(w, &p);
    struct Changes changes = no_changes();
    u64 sum[GOODS] = {0}, dividends = 0, income = 0;
    u32 count = 0;
    (void)tick;
    for (u32 at = w->block_begin[tile] + lane; at < end; at += lanes) {
        const u32 size = w->size[at];
        if (size == 0) continue;
        const u64 before = w->deposit[at], usual = w->income[at], dividend = (u64)(((u128)before * rate) >> 40);
        const u64 earned = w->earned[at] + dividend, deposit = before + earned;
        const u64 smooth = earned >= usual ? usual + times_q32(earned - usual, s->income_memory)
                                           : usual - times_q32(usual - earned, s->income_memory);
        const u64 wish = times_q32(times_q32(smooth, s->propensity) + times_q32(deposit, s->wealth_propensity), eager);
        const u64 outlay = least(wish, deposit);
        u64 budget[GOODS];
        part_outlay(&basket, outlay, size, budget);
        for (u32 g = 0; g < GOODS; g++) sum[g] += budget[g];
        w->outlay[at] = outlay;
        w->earned[at] = 0;
        dividends += dividend, income += earned, count++;
        CHANGE(w, &p.home, &changes, DEPOSIT, deposit, household, at, deposit);
        CHANGE(w, &p.home, &changes, INCOME, income, household, at, smooth);
    }
    for (u32 g = 0; g < GOODS; g++) flush_add(w->budget_households + market_of(region, g), sum[g]);
    flush_add(w->flow + (u64)p.nation * FLOWS + FLOW_DIVIDENDS, dividends);
    flush_add(w->flow + (u64)p.nation * FLOWS + FLOW_HOUSEHOLD_INCOME, income);
    flush_add(w->region_income + region, income);
    flush_add32(w->census + (u64)region * HEADS + HEAD_HOUSEHOLDS, count);
    flush_changes(w, p.home.member, PHASE_WORK, &changes);
}

TILE_KERNEL(civilisation_budget)
