/* Phase `govern`: banks and governments close their week, and what all expect of the next one is set.
 *
 * A government borrows what it lacks and pays back what it has too much; it takes over the losses of a bank whose capital
 * is gone. The central bank follows a Taylor rule; pay follows expected prices, productivity and unemployment. */
#include "economy.h"

#define WEEKS_OF_CASH 4u
#define MEMORY 26 /* weeks over which inflation and growth are smoothed */

struct Member {
    const struct World *w;
    const struct Home *home;
    struct Changes *changes;
    u32 tick;
};

/* Banks of a nation: interest is income, losses are borne, capital beyond three times the requirement is paid out. */
FN u64 close_banks(const struct Member *m, u32 nation, u64 coupons, u64 *rescue, u64 *before) {
    const struct World *w = m->w;
    const struct Scenario *s = m->home->scenario;
    const u32 first = m->home->first_bank, end = first + w->member_banks[m->home->member];
    u64 paid_out = 0, count = 0, number = 0;
    for (u32 bank = first; bank < end; bank++)
        if (w->bank_nation[bank] == nation) count++, *before += (u64)w->equity[bank];
    for (u32 bank = first; bank < end; bank++) {
        if (w->bank_nation[bank] != nation) continue;
        const u64 coupon = coupons / count + (number++ < coupons % count);
        const u64 lent = w->lent[bank] + w->lending[2 * (u64)bank] - w->lending[2 * (u64)bank + 1] - w->losses[bank];
        i64 equity = w->equity[bank] + (i64)w->earnings[bank] + (i64)coupon - (i64)w->losses[bank];
        const i64 goal = (i64)(3 * times_q32(lent, s->capital_ratio));
        if (equity < 0) *rescue += (u64)-equity, equity = 0;
        if (equity > goal) {
            const i64 dividend = (equity - goal) / 13;
            equity -= dividend, paid_out += (u64)dividend;
        }
        w->earnings[bank] = w->losses[bank] = w->lending[2 * (u64)bank] = w->lending[2 * (u64)bank + 1] = 0;
        CHANGE(w, m->home, m->changes, LENT, lent, bank, bank, lent);
        CHANGE(w, m->home, m->changes, EQUITY, equity, bank, bank, equity);
    }
    return paid_out;
}

/* The government's account: what it lacks for a month's purchases is borrowed, what is beyond twice that pays debt. */
FN void close_government(const struct Member *m, u32 at, u64 coupons, u64 rescue) {
    const struct World *w = m->w;
    u64 *flow = w->flow + (u64)at * FLOWS;
    const u64 goal = WEEKS_OF_CASH * w->purchases[at];
    i128 held = (i128)w->treasury[at];
    u64 debt = w->debt[at] + rescue;
    held += (i128)flow[FLOW_TAXES_INCOME] + flow[FLOW_TAXES_SALES] + flow[FLOW_TAXES_PROFIT] + flow[FLOW_CONTRIBUTIONS];
    held -= (i128)flow[FLOW_BENEFITS] + flow[FLOW_PENSIONS] + flow[FLOW_CHILD_BENEFITS] + flow[FLOW_PURCHASES] + coupons;
    flow[FLOW_INTEREST_PUBLIC] = coupons, flow[FLOW_RESCUES] = rescue;
    flow[FLOW_TREASURY_BEFORE] = w->treasury[at], flow[FLOW_DEBT_BEFORE] = w->debt[at];
    if (held < (i128)goal) {
        debt += (u64)((i128)goal - held);
        held = (i128)goal;
    } else if (held > 2 * (i128)goal) {
        const u64 back = least((u64)(held - 2 * (i128)goal), debt);
        debt -= back, held -= back;
    }
    CHANGE(w, m->home, m->changes, TREASURY, treasury, nation, at, (u64)held);
    CHANGE(w, m->home, m->changes, DEBT, debt, nation, at, debt);
}

/* Price of consumption: tastes and needs as weights, regions by their people. */
FN u64 price_level(const struct Member *m, u32 number) {
    const struct World *w = m->w;
    const struct Scenario *s = m->home->scenario;
    const u32 first = m->home->first_region, end = first + w->member_regions[m->home->member];
    u128 sum = 0, people = 0;
    u128 all = 0;
    u64 basket[GOODS];
    for (u32 g = 0; g < GOODS; g++) {
        basket[g] = s->subsistence[g] + (u64)(((u128)s->wage * s->taste[g]) >> 64);
        all += basket[g];
    }
    for (u32 r = first; r < end; r++) {
        if (w->region_nation[r] != number) continue;
        const u64 here = w->census[(u64)r * HEADS + HEAD_PEOPLE];
        u128 cost = 0;
        for (u32 g = 0; g < GOODS; g++) cost += (u128)basket[g] * w->tariff[market_of(r, g)];
        sum += cost / all * here, people += here;
    }
    return people && all ? most((u64)(sum / people), 1) : BASE_PRICE;
}

/* (after - before) / before in Q31.32, within a tenth either way. */
FN i64 change_of(u64 before, u64 after) {
    const i128 change = ((i128)after - (i128)before) * (i128)Q32_ONE / (i128)most(before, 1);
    return (i64)(change > (i128)(Q32_ONE / 10) ? (i128)(Q32_ONE / 10)
                                               : change < -(i128)(Q32_ONE / 10) ? -(i128)(Q32_ONE / 10) : change);
}

/* The price about which the next ladder is built follows the call's by a quarter; never so low that steps fall together, and
 * never beyond a multiple of the price level: what is short then is parted by priority, not by price. */
#define HIGHEST_ENERGY 8u
FN u64 next_ladder(u64 last, const u64 *result, u64 highest) {
    const u64 price = result[CALL_PRICE];
    return most(least(price > last ? last + (price - last + 3) / 4 : last - (last - price) / 4, highest), LADDER);
}

FN u64 grown(u64 value, i64 rate) {
    const i128 more = ((i128)value * rate) >> 32;
    return (u64)((i128)value + more > 1 ? (i128)value + more : 1);
}

/* Purchases move towards the start's share of the wages of usual employment, and less where the debt is beyond its target;
 * or they stay as they are. */
FN u64 next_purchases(const struct Member *m, u32 at, u32 number, u64 workers, u64 seekers) {
    const struct World *w = m->w;
    const struct Scenario *s = m->home->scenario;
    const u64 *flow = w->flow + (u64)at * FLOWS, buys = w->purchases[at];
    if (s->purchases_fixed[number]) return buys;
    const u64 usual = times_over(workers, Q32_ONE - s->unemployment, Q32_ONE);
    const u64 goal = times_q32(times_over(flow[FLOW_WAGES], usual, workers - seekers), s->public_size[number]);
    const u64 yearly = times_over(flow[FLOW_OUTPUT] * WEEKS, s->debt_target[number], Q32_ONE);
    const i64 burden = within(-q32_times((i64)s->debt_speed, change_of(most(yearly, 1), w->debt[at])),
                              -(i64)Q32_ONE / 100, (i64)Q32_ONE / 100);
    const u64 next = goal >= buys ? buys + (goal - buys) / MEMORY : buys - (buys - goal) / MEMORY;
    return grown(next, burden);
}

/* Growth of technology by chance, which stays (King and Rebelo 1999, with persistence one). */
FN i64 leap(const struct Member *m, u32 number) {
    const struct Block block = draw(m->w, m->home, m->tick, DRAW_LEAP, number, 0);
    return q32_times(m->home->scenario->leap, bell(&block));
}

/* How much more than by the rule the government buys next week: an autoregression of the first order, within a half. */
FN i64 next_swing(const struct Member *m, u32 at, u32 number) {
    const struct Scenario *s = m->home->scenario;
    const struct Block block = draw(m->w, m->home, m->tick, DRAW_SWING, number, 0);
    const i64 swing = q32_times(s->swing_memory, m->w->swing[at]) + q32_times(s->swing, bell(&block));
    return within(swing, -(i64)Q32_ONE / 2, (i64)Q32_ONE / 2);
}

/* What is expected, the central bank's rate, pay, technology and purchases of the next week. */
FN void set_course(const struct Member *m, u32 at, u32 number, u64 workers, u64 seekers) {
    const struct World *w = m->w;
    const struct Scenario *s = m->home->scenario;
    const struct Home *h = m->home;
    const u64 *flow = w->flow + (u64)at * FLOWS;
    const u64 level = price_level(m, number), output = w->output[at];
    const i64 inflation = w->inflation[at] + (change_of(w->level[at], level) - w->inflation[at]) / MEMORY +
                          q32_times(s->credibility, s->inflation_target - w->inflation[at]) / MEMORY;
    const u64 smooth = flow[FLOW_OUTPUT_REAL] >= output ? output + (flow[FLOW_OUTPUT_REAL] - output) / MEMORY
                                                        : output - (output - flow[FLOW_OUTPUT_REAL]) / MEMORY;
    const i64 growth = w->growth[at] + (change_of(output, smooth) - w->growth[at]) / MEMORY;
    const i64 rule = s->natural_rate + inflation + q32_times(s->rate_inflation, inflation - s->inflation_target) +
                     q32_times(s->rate_growth, growth);
    const i64 rate = q32_times(s->rate_memory, w->policy_rate[at]) +
                     q32_times((i64)Q32_ONE - s->rate_memory, rule);
    CHANGE(w, h, m->changes, LEVEL, level, nation, at, level);
    CHANGE(w, h, m->changes, INFLATION, inflation, nation, at, inflation);
    CHANGE(w, h, m->changes, OUTPUT, output, nation, at, smooth);
    CHANGE(w, h, m->changes, GROWTH, growth, nation, at, growth);
    CHANGE(w, h, m->changes, POLICY_RATE, policy_rate, nation, at, within(rate, 0, (i64)Q32_ONE / 104));
    CHANGE(w, h, m->changes, TECHNOLOGY, technology, nation, at, grown(w->technology[at], (i64)s->progress + leap(m, number)));
    CHANGE(w, h, m->changes, PURCHASES, purchases, nation, at, next_purchases(m, at, number, workers, seekers));
    if (!s->purchases_fixed[number]) CHANGE(w, h, m->changes, SWING, swing, nation, at, next_swing(m, at, number));
    const u64 *result = w->call + (u64)at * CALLS;
    if (result[CALL_VOLUME])
        CHANGE(w, h, m->changes, ENERGY_PRICE, energy_price, nation, at,
               next_ladder(w->energy_price[at], result, HIGHEST_ENERGY * level));
}

/* Pay of a region follows expected prices and technology, and unemployment there beyond its usual rate (the wage curve;
 * Blanchflower and Oswald 1994). */
FN void set_wage(const struct Member *m, u32 region) {
    const struct World *w = m->w;
    const struct Scenario *s = m->home->scenario;
    const u32 *census = w->census + (u64)region * HEADS;
    const i64 idle = census[HEAD_WORKERS] ? (i64)(((u64)census[HEAD_SEEKERS] << 32) / census[HEAD_WORKERS]) : 0;
    const i64 rise = w->inflation[nation_of_region(w, m->home, region)] + (i64)s->progress +
                     q32_times((i64)s->wage_flexibility, (i64)s->unemployment - idle);
    CHANGE(w, m->home, m->changes, WAGE, wage, region, region,
           grown(w->wage[region], within(rise, -(i64)Q32_ONE / 400, (i64)Q32_ONE / 200)));
}

FN void civilisation_govern_member(const struct World *w, u32 tick, u32 member) {
    const struct Home h = home_of(w, member);
    struct Changes changes = no_changes();
    const struct Member m = {w, &h, &changes, tick};
    u64 workers[NATIONS_MOST] = {0}, seekers[NATIONS_MOST] = {0};
    for (u32 r = h.first_region; r < h.first_region + w->member_regions[member]; r++) {
        workers[w->region_nation[r]] += w->census[(u64)r * HEADS + HEAD_WORKERS];
        seekers[w->region_nation[r]] += w->census[(u64)r * HEADS + HEAD_SEEKERS];
    }
    for (u32 number = 0; number < w->member_nations[member]; number++) {
        const u32 at = h.first_nation + number;
        const u64 coupons = times_q32(w->debt[at], (u64)within(w->policy_rate[at], 0, (i64)Q32_ONE));
        u64 rescue = 0;
        u64 *flow = w->flow + (u64)at * FLOWS;
        flow[FLOW_BANKS_BEFORE] = w->pool[at];
        const u64 dividends = close_banks(&m, number, coupons, &rescue, flow + FLOW_BANKS_BEFORE);
        close_government(&m, at, coupons, rescue);
        CHANGE(w, &h, &changes, POOL, pool, nation, at,
               w->pool[at] - flow[FLOW_DIVIDENDS] + flow[FLOW_PAID_OUT] + dividends);
        CHANGE(w, &h, &changes, ABROAD, abroad, nation, at,
               w->abroad[at] + (i64)flow[FLOW_EXPORTS] - (i64)flow[FLOW_IMPORTS]);
        set_course(&m, at, number, workers[number], seekers[number]);
    }
    for (u32 r = h.first_region; r < h.first_region + w->member_regions[member]; r++) set_wage(&m, r);
    add_changes(w, member, PHASE_FINANCE, &changes);
}

MEMBER_KERNEL(civilisation_govern)
