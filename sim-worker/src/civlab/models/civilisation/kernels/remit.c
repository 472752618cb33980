/* Phase `remit`: sellers of energy are paid by what they sold, and embodied energy reaches those who bought. */
#include "economy.h"

FN void pay_sellers(const struct World *w, const struct Place *p, struct Changes *changes) {
    const struct Scenario *s = p->scenario;
    const u32 begin = first_of_industry(w, p->region, GOOD_ENERGY), end = first_of_industry(w, p->region, GOOD_ENERGY + 1);
    apportion(w->energy_money[p->region], w->sold + begin, end - begin, w->split_share + begin, w->split_rest + begin);
    for (u32 firm = begin; firm < end; firm++) {
        const u64 sales = w->sales[firm], asked = w->demanded[firm];
        const u64 next = asked >= sales ? sales + times_q32(asked - sales, s->learning)
                                        : sales - times_q32(sales - asked, s->learning);
        w->revenue[firm] = w->split_share[firm];
        w->sold[firm] = w->demanded[firm] = 0;
        CHANGE(w, &p->home, changes, CASH, cash, firm, firm, w->cash[firm] + w->split_share[firm]);
        CHANGE(w, &p->home, changes, SALES, sales, firm, firm, most(next, 1));
    }
}

FN void pass_embodied(const struct World *w, const struct Place *p, struct Changes *changes) {
    u64 weight[2] = {w->energy_final[p->region], 0}, share[2], rest[2];
    for (u32 firm = p->begin; firm < p->end; firm++) weight[1] += w->bid[firm];
    apportion(w->energy_embodied[p->region], weight, 2, share, rest);
    apportion(share[1], w->bid + p->begin, p->end - p->begin, w->split_share + p->begin, w->split_rest + p->begin);
    for (u32 firm = p->begin; firm < p->end; firm++) {
        const u64 cell = (u64)firm * GOODS + GOOD_ENERGY;
        CHANGE_PART(w, &p->home, changes, STOCK_EMBODIED, stock_embodied, firm, firm, GOODS, GOOD_ENERGY,
                    w->stock_embodied[cell] + w->split_share[firm]);
        w->bid[firm] = 0;
    }
    add_to(w->flow_energy + (u64)p->region * ENERGY_FLOWS + ENERGY_FLOW_EMBODIED_USED, share[0]);
}

FN void civilisation_remit_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    const u64 *result = w->call + (u64)p.nation * CALLS;
    struct Changes changes = no_changes();
    (void)tick, (void)lanes;
    if (lane == 0) {
        pay_sellers(w, &p, &changes);
        pass_embodied(w, &p, &changes);
        if (result[CALL_VOLUME])
            CHANGE_PART(w, &p.home, &changes, TARIFF, tariff, region, tile, GOODS, GOOD_ENERGY, result[CALL_PRICE]);
    }
    flush_changes(w, p.home.member, PHASE_ENERGY, &changes);
}

TILE_KERNEL(civilisation_remit)
