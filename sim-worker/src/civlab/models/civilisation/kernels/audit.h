/* The invariants of a tick, I1 to I18 as far as sums can show them: each counts one thing in two ways. */
#ifndef CIVLAB_CIVILISATION_AUDIT_H
#define CIVLAB_CIVILISATION_AUDIT_H
#include "economy.h"

/* The member's totals of the tick, read once. */
struct Totals {
    u64 flow[FLOWS];
    u128 wide_goods[GOODS_FLOWS][GOODS];
    u64 vital[VITALS];
    u64 head[HEADS];
    u64 vacancies, unspent;
    u128 extracted, gained, primary, embodied_used, embodied_lost;
    i128 reserve, treasuries, pools, debts, equity, lent, abroad;
    i128 stocks[GOODS], embodied;
    u64 below_zero; /* amounts of regions, nations and banks that are negative */
    u64 largest;    /* flow of a good or of energy of all regions */
};

FN void total_regions(const struct World *w, const struct Home *h, struct Totals *t) {
    const u32 end = h->first_region + w->member_regions[h->member];
    for (u32 r = h->first_region; r < end; r++) {
        const u64 *energy = w->flow_energy + (u64)r * ENERGY_FLOWS;
        for (u32 f = 0; f < GOODS_FLOWS; f++)
            for (u32 g = 0; g < GOODS; g++) {
                t->wide_goods[f][g] += *goods_flow(w, r, f, g);
                t->largest = most(t->largest, *goods_flow(w, r, f, g));
            }
        for (u32 f = 0; f < ENERGY_FLOWS; f++) t->largest = most(t->largest, energy[f]);
        t->extracted += energy[ENERGY_FLOW_EXTRACTED], t->gained += energy[ENERGY_FLOW_GAINED];
        t->primary += energy[ENERGY_FLOW_PRIMARY];
        t->embodied_used += energy[ENERGY_FLOW_EMBODIED_USED], t->embodied_lost += energy[ENERGY_FLOW_EMBODIED_LOST];
        for (u32 k = 0; k < VITALS; k++) t->vital[k] += w->vital[(u64)r * VITALS + k];
        for (u32 k = 0; k < HEADS; k++) t->head[k] += w->census[(u64)r * HEADS + k];
        for (u32 k = 0; k < SKILLS; k++) t->vacancies += w->vacancy[(u64)r * SKILLS + k];
        for (u32 g = 0; g < GOODS; g++) t->unspent += w->unspent[market_of(r, g)];
        t->reserve += wide_value(((const struct Wide *)w->reserve)[r]);
        t->below_zero += ((const struct Wide *)w->reserve)[r].high < 0;
    }
}

FN void total_nations(const struct World *w, const struct Home *h, struct Totals *t) {
    for (u32 n = h->first_nation; n < h->first_nation + w->member_nations[h->member]; n++) {
        for (u32 f = 0; f < FLOWS; f++) t->flow[f] += w->flow[(u64)n * FLOWS + f];
        t->treasuries += w->treasury[n], t->pools += w->pool[n], t->debts += w->debt[n], t->abroad += w->abroad[n];
        t->below_zero += below_zero(w->treasury[n]) + below_zero(w->pool[n]) + below_zero(w->debt[n]);
    }
    for (u32 b = h->first_bank; b < h->first_bank + w->member_banks[h->member]; b++) {
        t->equity += w->equity[b], t->lent += w->lent[b];
        t->below_zero += below_zero((u64)w->equity[b]) + below_zero(w->lent[b]);
    }
}

FN int total_stocks(const struct World *w, const struct Home *h, struct Totals *t) {
    int overflows = 0;
    for (u32 g = 0; g < GOODS; g++)
        overflows |= wide_sum_overflows((const struct WideSum *)w->count_goods + (u64)h->member * GOODS + g, &t->stocks[g]);
    return overflows | wide_sum_overflows((const struct WideSum *)w->count_embodied + h->member, &t->embodied);
}

/* What energy went through the tick and is work and heat now, mJ. */
FN i128 dissipated(const struct Totals *t) {
    const u32 fuel = GOOD_FUEL, energy = GOOD_ENERGY;
    i128 sum = (i128)t->extracted + (i128)t->gained - (i128)t->wide_goods[GOODS_FLOW_MADE][fuel] -
               (i128)t->wide_goods[GOODS_FLOW_MADE][energy];
    const u32 ends[5] = {GOODS_FLOW_USED, GOODS_FLOW_CONSUMED, GOODS_FLOW_BUILT, GOODS_FLOW_PERISHED, GOODS_FLOW_CARRIED};
    for (u32 k = 0; k < 5; k++) sum += (i128)t->wide_goods[ends[k]][fuel] + (i128)t->wide_goods[ends[k]][energy];
    return sum;
}

/* How much a good's stocks changed by its flows. */
FN i128 change_of_stocks(const struct Totals *t, u32 g) {
    return (i128)t->wide_goods[GOODS_FLOW_MADE][g] - (i128)t->wide_goods[GOODS_FLOW_USED][g] -
           (i128)t->wide_goods[GOODS_FLOW_CONSUMED][g] - (i128)t->wide_goods[GOODS_FLOW_BUILT][g] -
           (i128)t->wide_goods[GOODS_FLOW_PERISHED][g] - (i128)t->wide_goods[GOODS_FLOW_CARRIED][g];
}

/* The first fault stays, with its residue: what is there less what should be. */
struct Verdict {
    const struct World *w;
    u32 member, tick;
};

FN void expect(const struct Verdict *v, u32 fault, i128 there, i128 due, u32 place) {
    if (there == due || v->w->fault[v->member]) return;
    const struct Wide rest = wide_of(there - due);
    v->w->fault_residue[2 * (u64)v->member] = (i64)rest.low;
    v->w->fault_residue[2 * (u64)v->member + 1] = rest.high;
    v->w->fault_place[v->member] = place;
    raise_fault(v->w->fault + v->member, v->tick, fault);
}

FN struct Wide *book(u64 *column, u32 member, u32 width, u32 at) { return (struct Wide *)(column + (u64)member * width) + at; }

/* Empties every cell that the tick added to. */
FN void clear_flows(const struct World *w, const struct Home *h) {
    for (u32 r = h->first_region; r < h->first_region + w->member_regions[h->member]; r++) {
        for (u32 k = 0; k < GOODS_FLOWS * GOODS; k++) w->flow_goods[(u64)r * GOODS_FLOWS * GOODS + k] = 0;
        for (u32 k = 0; k < ENERGY_FLOWS; k++) w->flow_energy[(u64)r * ENERGY_FLOWS + k] = 0;
        for (u32 k = 0; k < VITALS; k++) w->vital[(u64)r * VITALS + k] = 0;
        for (u32 g = 0; g < GOODS; g++) {
            const u64 market = market_of(r, g);
            w->budget_households[market] = w->budget_public[market] = 0;
            w->paid_households[market] = w->paid_firms[market] = w->paid_public[market] = w->unspent[market] = 0;
        }
        w->region_held[r] = w->region_income[r] = 0;
    }
    for (u32 n = h->first_nation; n < h->first_nation + w->member_nations[h->member]; n++) {
        for (u32 k = 0; k < FLOWS; k++) w->flow[(u64)n * FLOWS + k] = 0;
        for (u32 k = 0; k < CALLS; k++) w->call[(u64)n * CALLS + k] = 0;
    }
    for (u32 k = 0; k < 4 * GOODS; k++) w->count_goods[(u64)h->member * 4 * GOODS + k] = 0;
    for (u32 k = 0; k < 4; k++) w->count_embodied[(u64)h->member * 4 + k] = 0;
}

#endif
