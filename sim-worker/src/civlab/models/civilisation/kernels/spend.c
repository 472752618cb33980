/* Phase `spend`: each household pays for the part of its budgets that markets could fill, and the sales tax on it; its
 * account takes in the week's income and gives out what is paid. */
#include "crowd_money.h"

FN void civilisation_spend_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 region = w->block_region[tile], end = w->block_end[tile];
    const struct Place p = place_of(w, region);
    u64 *flow = w->flow + (u64)p.nation * FLOWS, sum[GOODS] = {0}, fill[GOODS], taxes = 0, spending = 0, held = 0, below = 0;
    struct Changes changes = no_changes();
    (void)tick;
    if (is_crowd(w, region)) {
        if (!is_first_block(w, region, tile)) return;
        if (lane == 0) crowd_spend(w, &p, &changes);
        flush_changes(w, p.home.member, PHASE_MARKET, &changes);
        return;
    }
    const struct Basket basket = basket_of(w, &p);
    for (u32 g = 0; g < GOODS; g++) fill[g] = w->fill[market_of(region, g)];
    for (u32 at = w->block_begin[tile] + lane; at < end; at += lanes) {
        if (w->size[at] == 0) continue;
        u64 budget[GOODS], paid = 0, tax = 0;
        part_outlay(&basket, w->outlay[at], w->size[at], budget);
        for (u32 g = 0; g < GOODS; g++) {
            const u64 net = times_q32(budget[g], fill[g]);
            sum[g] += net, paid += net, tax += times_q32(net, basket.tax);
        }
        const u64 left = w->deposit[at] + w->earned[at] - paid - tax;
        w->earned[at] = w->outlay[at] = 0;
        taxes += tax, spending += paid, held += left, below += below_zero(left);
        CHANGE(w, &p.home, &changes, DEPOSIT, deposit, household, at, left);
    }
    for (u32 g = 0; g < GOODS; g++) flush_add(w->paid_households + market_of(region, g), sum[g]);
    flush_add(flow + FLOW_TAXES_SALES, taxes);
    flush_add(flow + FLOW_HOUSEHOLD_SPENDING, spending);
    flush_add(flow + FLOW_HELD, held);
    flush_add(flow + FLOW_BELOW_ZERO, below);
    flush_add(w->region_held + region, held);
    flush_changes(w, p.home.member, PHASE_MARKET, &changes);
}

TILE_KERNEL(civilisation_spend)
