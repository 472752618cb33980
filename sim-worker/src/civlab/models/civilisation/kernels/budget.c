/* Phase `budget`: households receive what they earned and their part of the dividends, and decide what to spend: a share
 * of smoothed income and a share of what they own (the buffer-stock rule), less when interest is high. Dividends go by
 * deposits. Income waits in `earned` until `spend` posts it with what is paid: an account then changes once a week, and
 * its digest with it. */
#include "crowd_money.h"

/* Factor of spending by the real rate of interest beyond its natural level, Q32.32: money kept earns more. */
FN u64 eagerness(const struct World *w, const struct Place *p) {
    const struct Scenario *s = p->scenario;
    const i64 real = w->policy_rate[p->nation] - w->inflation[p->nation] - s->natural_rate;
    return (u64)((i64)Q32_ONE - within(q32_times(s->patience, WEEKS * real), -(i64)Q32_ONE / 5, (i64)Q32_ONE / 5));
}

/* A week's income, dividend included, what is usual by now, and what is to be spent. */
struct Purse {
    u64 dividend, earned, usual, outlay;
};

FN struct Purse purse_of(const struct Scenario *s, u64 before, u64 usual, u64 paid, u64 rate, u64 eager) {
    struct Purse p;
    p.dividend = (u64)(((u128)before * rate) >> 40);
    p.earned = paid + p.dividend;
    const u64 there = before + p.earned;
    p.usual = p.earned >= usual ? usual + times_q32(p.earned - usual, s->income_memory)
                                : usual - times_q32(usual - p.earned, s->income_memory);
    const u64 wish = times_q32(times_q32(p.usual, s->propensity) + times_q32(there, s->wealth_propensity), eager);
    p.outlay = least(wish, there);
    return p;
}

/* The same for a crowd; nobody spends what nobody is left of. */
FN void crowd_budget(const struct World *w, const struct Place *p, u64 rate, struct Changes *changes) {
    const struct Basket basket = basket_of(w, p);
    const u64 crowd = crowd_of(&p->home, p->region);
    const u32 people = w->crowd_tally[crowd * TALLIES + TALLY_PEOPLE];
    const struct Purse purse = purse_of(p->scenario, w->crowd_deposit[crowd], w->crowd_income[crowd],
                                        w->crowd_earned[crowd], rate, people ? eagerness(w, p) : 0);
    u64 budget[GOODS];
    part_outlay(&basket, purse.outlay, people, budget);
    for (u32 g = 0; g < GOODS; g++) w->budget_households[market_of(p->region, g)] = budget[g];
    w->crowd_outlay[crowd] = purse.outlay;
    w->crowd_earned[crowd] = purse.earned;
    add_to(w->flow + (u64)p->nation * FLOWS + FLOW_DIVIDENDS, purse.dividend);
    add_to(w->flow + (u64)p->nation * FLOWS + FLOW_HOUSEHOLD_INCOME, purse.earned);
    w->region_income[p->region] = purse.earned;
    w->census[(u64)p->region * HEADS + HEAD_HOUSEHOLDS] = (u32)w->crowd_homes[crowd * HOMES + HOMES_HOUSEHOLDS];
    CHANGE(w, &p->home, changes, CROWD_INCOME, crowd_income, crowd, crowd, purse.usual);
}

FN void civilisation_budget_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 region = w->block_region[tile], end = w->block_end[tile];
    const struct Place p = place_of(w, region);
    const struct Scenario *s = p.scenario;
    const u64 pool = w->pool[p.nation], holdings = w->flow[(u64)p.nation * FLOWS + FLOW_HOLDINGS];
    const u64 rate = holdings ? (u64)(((u128)pool << 40) / holdings) : 0; /* dividend a unit of deposit, Q24.40 */
    struct Changes changes = no_changes();
    u64 sum[GOODS] = {0}, dividends = 0, income = 0;
    u32 count = 0;
    (void)tick;
    if (is_crowd(w, region)) {
        if (!is_first_block(w, region, tile)) return;
        if (lane == 0) crowd_budget(w, &p, rate, &changes);
        flush_changes(w, p.home.member, PHASE_WORK, &changes);
        return;
    }
    const struct Basket basket = basket_of(w, &p);
    const u64 eager = eagerness(w, &p);
    for (u32 at = w->block_begin[tile] + lane; at < end; at += lanes) {
        const u32 size = w->size[at];
        if (size == 0) continue;
        const struct Purse purse = purse_of(s, w->deposit[at], w->income[at], w->earned[at], rate, eager);
        u64 budget[GOODS];
        part_outlay(&basket, purse.outlay, size, budget);
        for (u32 g = 0; g < GOODS; g++) sum[g] += budget[g];
        w->outlay[at] = purse.outlay;
        w->earned[at] = purse.earned;
        dividends += purse.dividend, income += purse.earned, count++;
        CHANGE(w, &p.home, &changes, INCOME, income, household, at, purse.usual);
    }
    for (u32 g = 0; g < GOODS; g++) flush_add(w->budget_households + market_of(region, g), sum[g]);
    flush_add(w->flow + (u64)p.nation * FLOWS + FLOW_DIVIDENDS, dividends);
    flush_add(w->flow + (u64)p.nation * FLOWS + FLOW_HOUSEHOLD_INCOME, income);
    flush_add(w->region_income + region, income);
    flush_add32(w->census + (u64)region * HEADS + HEAD_HOUSEHOLDS, count);
    flush_changes(w, p.home.member, PHASE_WORK, &changes);
}

TILE_KERNEL(civilisation_budget)
