/* Phase `fund`: loans are paid out, and firms cut their plans to the money that they have: wages come first, then
 * energy, inputs and capital goods. From here on no firm can owe more than it holds. */
#include "economy.h"

/* Scales amounts of `sum` down to what there is; returns what they come to. */
FN u64 cut(u64 *amount, u64 sum, u64 there) {
    if (sum <= there) return sum;
    sum = 0;
    for (u32 g = 0; g < GOODS; g++) sum += amount[g];
    u64 kept = 0;
    for (u32 g = 0; g < GOODS; g++) {
        amount[g] = times_over(amount[g], there, sum);
        kept += amount[g];
    }
    return kept;
}

FN u64 wages_planned(const struct World *w, const struct Place *p, u32 firm) {
    u64 wages = 0;
    for (u32 k = 0; k < SKILLS; k++) {
        const u64 cell = (u64)firm * SKILLS + k;
        wages += (u64)most(w->staff[cell], w->want[cell]) * pay_of(p->scenario, w->wage[p->region], k);
    }
    return wages + times_q32(wages, p->scenario->contributions[p->number]);
}

FN u64 sum_of_goods(const u64 *amount) {
    u64 sum = 0;
    for (u32 g = 0; g < GOODS; g++) sum += amount[g];
    return sum;
}

FN u64 fund_firm(const struct World *w, const struct Place *p, u32 firm, struct Changes *changes) {
    const struct Scenario *s = p->scenario;
    const u32 bank = p->home.first_bank + w->bank[firm];
    const u64 grant = times_q32(w->borrow[firm], w->granted[bank]);
    const u64 limit = ladder_price(w->energy_price[p->nation], s->priority[w->industry[firm]]);
    u64 *order = w->order + (u64)firm * GOODS, *invest = w->invest + (u64)firm * GOODS;
    w->borrow[firm] = 0;
    if (grant) {
        CHANGE(w, &p->home, changes, LOAN, loan, firm, firm, w->loan[firm] + grant);
        CHANGE(w, &p->home, changes, CASH, cash, firm, firm, w->cash[firm] + grant);
        add_to(w->lending + 2 * (u64)bank, grant);
    }
    u64 there = minus(w->cash[firm], wages_planned(w, p, firm));
    w->bid[firm] = least(w->bid[firm], affordable_quanta(there, s->lot[GOOD_ENERGY], w->energy_price[p->nation],
                                                         s->priority[w->industry[firm]]));
    there -= cost_of(w->bid[firm] << QUANTUM_SHIFT, s->lot[GOOD_ENERGY], limit);
    there -= cut(order, sum_of_goods(order), there);
    cut(invest, sum_of_goods(invest), there);
    return grant;
}

FN void civilisation_fund_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    struct Changes changes = no_changes();
    u64 lent = 0, before = 0;
    (void)tick;
    for (u32 firm = p.begin + lane; firm < p.end; firm += lanes) {
        before += w->cash[firm];
        lent += fund_firm(w, &p, firm, &changes);
    }
    flush_add(w->flow + (u64)p.nation * FLOWS + FLOW_LENT, lent);
    flush_add(w->flow + (u64)p.nation * FLOWS + FLOW_CASH_BEFORE, before);
    flush_changes(w, p.home.member, PHASE_PLAN, &changes);
}

TILE_KERNEL(civilisation_fund)
