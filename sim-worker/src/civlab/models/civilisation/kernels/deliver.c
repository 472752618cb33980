/* Phase `deliver`: energy changes hands within each region's part of the call: firms pay for what they get at once,
 * households with their other spending, and sellers are paid when all of that is known (phase `remit`). What was
 * bid in vain is seen by all sellers, so that one without stores does not take that for want of buyers. */
#include "calling.h"

/* Parts of the region's share at the margin: households, government, all firms. */
struct Parts {
    u64 households, government, firms;
};

FN struct Parts part_margin(const struct World *w, const struct Place *p, const struct Call *c) {
    u64 weight[3] = {budget_margin(p, c, w->budget_households[market_of(p->region, GOOD_ENERGY)]),
                     budget_margin(p, c, w->budget_public[market_of(p->region, GOOD_ENERGY)]), 0};
    u64 share[3], rest[3];
    for (u32 firm = p->begin; firm < p->end; firm++) {
        w->split_weight[firm] = firm_margin(w, p, c, firm);
        weight[2] += w->split_weight[firm];
    }
    apportion(w->bid_share[p->region], weight, 3, share, rest);
    apportion(share[2], w->split_weight + p->begin, p->end - p->begin, w->split_share + p->begin, w->split_rest + p->begin);
    const struct Parts parts = {share[0], share[1], share[2]};
    return parts;
}

/* Firms get and pay; returns the quanta, and what they paid. */
FN u64 serve_firms(const struct World *w, const struct Place *p, const struct Call *c, u64 *money,
                   struct Changes *changes) {
    u64 quanta = 0;
    for (u32 firm = p->begin; firm < p->end; firm++) {
        const u64 got = firm_full(w, p, c, firm) + w->split_share[firm], units = got << QUANTUM_SHIFT;
        const u64 cost = cost_of(units, p->scenario->lot[GOOD_ENERGY], c->price);
        w->bid[firm] = got;
        if (got == 0) continue;
        CHANGE(w, &p->home, changes, CASH, cash, firm, firm, w->cash[firm] - cost);
        CHANGE_PART(w, &p->home, changes, STOCK, stock, firm, firm, GOODS, GOOD_ENERGY,
                    w->stock[(u64)firm * GOODS + GOOD_ENERGY] + units);
        w->spent[firm] += cost;
        *money += cost, quanta += got;
    }
    return quanta;
}

/* What is asked of a seller, in quanta: what it sold, and its part, by expected sales, of what was bid in vain; at most four
 * times what it expected. One that sold all it had cannot tell what more it would have sold, and expects no less than
 * before. */
FN u64 asked_of(const struct World *w, const u64 *result, u32 firm, u64 sold) {
    const u64 expected = quanta_expected(w, firm), in_vain = minus(result[CALL_WANTED], result[CALL_VOLUME]);
    const u64 asked = least(sold + times_over(in_vain, expected, result[CALL_EXPECTED]), 4 * expected) << QUANTUM_SHIFT;
    return sold == w->inventory[firm] >> QUANTUM_SHIFT ? most(asked, w->sales[firm]) : asked;
}

/* Sellers hand over, and see what was asked of them. */
FN void take_offers(const struct World *w, const struct Place *p, const struct Call *c, struct Changes *changes) {
    const u32 begin = first_of_industry(w, p->region, GOOD_ENERGY), end = first_of_industry(w, p->region, GOOD_ENERGY + 1);
    const u64 *result = w->call + (u64)p->nation * CALLS;
    u64 sold = 0, embodied = 0;
    for (u32 firm = begin; firm < end; firm++) w->split_weight[firm] = offer_margin(w, c, firm);
    apportion(w->ask_share[p->region], w->split_weight + begin, end - begin, w->split_share + begin,
              w->split_rest + begin);
    for (u32 firm = begin; firm < end; firm++) {
        const u64 quanta = offer_full(w, c, firm) + w->split_share[firm], units = quanta << QUANTUM_SHIFT;
        const u64 energy = times_over(w->embodied[firm], units, w->inventory[firm]);
        w->sold[firm] = quanta;
        w->demanded[firm] = asked_of(w, result, firm, quanta);
        CHANGE(w, &p->home, changes, EMBODIED, embodied, firm, firm, w->embodied[firm] - energy);
        CHANGE(w, &p->home, changes, INVENTORY, inventory, firm, firm, w->inventory[firm] - units);
        sold += quanta, embodied += energy;
    }
    w->energy_sold[p->region] = sold;
    w->energy_embodied[p->region] = embodied;
    *goods_flow(w, p->region, GOODS_FLOW_SOLD, GOOD_ENERGY) = sold << QUANTUM_SHIFT;
}

/* Quanta that the region's buyers want at the last price, or at the call's where that is lower. */
FN u64 wanted_here(const struct World *w, const struct Place *p, const struct Call *c) {
    const u64 market = market_of(p->region, GOOD_ENERGY), lot = p->scenario->lot[GOOD_ENERGY];
    u64 wanted = affordable_quanta(w->budget_households[market], lot, c->last, c->wanted_step) +
                 affordable_quanta(w->budget_public[market], lot, c->last, c->wanted_step);
    for (u32 firm = p->begin; firm < p->end; firm++)
        if (p->scenario->priority[w->industry[firm]] >= c->wanted_step) wanted += w->bid[firm];
    return wanted;
}

FN void deliver_region(const struct World *w, const struct Place *p, struct Changes *changes) {
    const struct Call c = call_of(w, p->nation);
    const struct Parts parts = part_margin(w, p, &c);
    const u64 market = market_of(p->region, GOOD_ENERGY), lot = p->scenario->lot[GOOD_ENERGY];
    const u64 households = budget_full(p, &c, w->budget_households[market]) + parts.households;
    const u64 government = budget_full(p, &c, w->budget_public[market]) + parts.government;
    const u64 cost = cost_of(households << QUANTUM_SHIFT, lot, c.price);
    const u64 wanted = wanted_here(w, p, &c);
    u64 money = 0;
    const u64 firms = serve_firms(w, p, &c, &money, changes);
    w->fill[market] = times_over(cost, Q32_ONE, w->budget_households[market]);
    w->paid_public[market] = cost_of(government << QUANTUM_SHIFT, lot, c.price);
    w->paid_firms[market] = money;
    w->unspent[market] = cost_of((wanted - households - government - firms) << QUANTUM_SHIFT, lot,
                                 ladder_price(c.last, c.wanted_step));
    w->energy_final[p->region] = households + government;
    w->energy_bought[p->region] = households + government + firms;
    *goods_flow(w, p->region, GOODS_FLOW_CONSUMED, GOOD_ENERGY) = (households + government) << QUANTUM_SHIFT;
    *goods_flow(w, p->region, GOODS_FLOW_RECEIVED, GOOD_ENERGY) = w->energy_bought[p->region] << QUANTUM_SHIFT;
    take_offers(w, p, &c, changes);
}

FN void civilisation_deliver_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    struct Changes changes = no_changes();
    (void)tick, (void)lanes;
    if (lane == 0) deliver_region(w, &p, &changes);
    flush_changes(w, p.home.member, PHASE_ENERGY, &changes);
}

TILE_KERNEL(civilisation_deliver)
