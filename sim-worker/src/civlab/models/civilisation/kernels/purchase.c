/* Phase `purchase`: firms and the government pay for the part of their orders that markets could fill. */
#include "economy.h"

/* What a firm pays; `order` and `invest` become what was paid, `bought` both together. */
FN u64 pay_orders(const struct World *w, const struct Place *p, u32 firm, const u64 *fill, u64 *investment) {
    const u32 count = p->end - p->begin;
    u64 sum = 0;
    for (u32 g = 0; g < GOODS; g++) {
        const u64 cell = (u64)firm * GOODS + g;
        u64 *bought = w->bought + (u64)p->begin * GOODS + (u64)g * count + (firm - p->begin);
        *bought = 0;
        if (g == GOOD_ENERGY) {
            w->invest[cell] = 0;
            continue;
        }
        w->order[cell] = times_q32(w->order[cell], fill[g]);
        w->invest[cell] = times_q32(w->invest[cell], fill[g]);
        *bought = w->order[cell] + w->invest[cell];
        *investment += w->invest[cell];
        if (*bought) add_alone(w->paid_firms + market_of(p->region, g), *bought);
        sum += *bought;
    }
    return sum;
}

FN void civilisation_purchase_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    u64 fill[GOODS], investment = 0, purchases = 0;
    struct Changes changes = no_changes();
    (void)tick;
    for (u32 g = 0; g < GOODS; g++) fill[g] = w->fill[market_of(tile, g)];
    for (u32 firm = p.begin + lane; firm < p.end; firm += lanes) {
        const u64 paid = pay_orders(w, &p, firm, fill, &investment);
        w->spent[firm] += paid;
        CHANGE(w, &p.home, &changes, CASH, cash, firm, firm, w->cash[firm] - paid);
    }
    for (u32 g = lane; g < GOODS; g += lanes) {
        const u64 market = market_of(tile, g);
        if (g != GOOD_ENERGY) w->paid_public[market] = times_q32(w->budget_public[market], fill[g]);
        purchases += w->paid_public[market];
    }
    flush_add(w->flow + (u64)p.nation * FLOWS + FLOW_INVESTMENT, investment);
    flush_add(w->flow + (u64)p.nation * FLOWS + FLOW_PURCHASES, purchases);
    flush_changes(w, p.home.member, PHASE_MARKET, &changes);
}

TILE_KERNEL(civilisation_purchase)
