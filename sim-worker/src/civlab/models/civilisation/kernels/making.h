/* Production: what a firm can make, and the inputs and energy that go into it.
 *
 * Fuel comes out of the ground of the region; energy comes from fuel and from renewable sources. Energy that goes into
 * an output, directly or with an input, stays with it as embodied energy, counted in joules. */
#ifndef CIVLAB_CIVILISATION_MAKING_H
#define CIVLAB_CIVILISATION_MAKING_H
#include "economy.h"

#define JOULE 1000u /* mJ */

/* Output that staff and inputs allow, at most the target. */
FN u64 output_possible(const struct World *w, const struct Place *p, u32 firm, u32 industry) {
    const struct Scenario *s = p->scenario;
    u64 output = times_over(workforce(w, s, firm), productivity_now(w, p, industry), 256);
    output = least(output, w->target[firm]);
    for (u32 g = 0; g < GOODS; g++) {
        const u64 need = s->technology[industry][g];
        if (need == 0 || !s->critical[industry][g]) continue;
        output = least(output, times_over(w->stock[(u64)firm * GOODS + g], s->lot[industry], need));
    }
    return output;
}

/* Takes an input for the output; returns its embodied energy. */
FN u64 use_input(const struct World *w, const struct Place *p, u32 firm, u32 industry, u32 good, u64 output,
                 struct Changes *changes) {
    const struct Scenario *s = p->scenario;
    const u64 cell = (u64)firm * GOODS + good, there = w->stock[cell], lot = s->lot[industry];
    const u128 need = ((u128)output * s->technology[industry][good] + lot - 1) / lot;
    const u64 used = need < there ? (u64)need : there;
    const u64 energy = times_over(w->stock_embodied[cell], used, there);
    if (used == 0) return 0;
    CHANGE_PART(w, &p->home, changes, STOCK, stock, firm, firm, GOODS, good, there - used);
    CHANGE_PART(w, &p->home, changes, STOCK_EMBODIED, stock_embodied, firm, firm, GOODS, good,
                w->stock_embodied[cell] - energy);
    add_alone(goods_flow(w, p->region, GOODS_FLOW_USED, good), used);
    return energy;
}

FN void make(const struct World *w, const struct Place *p, u32 firm, u32 industry, u64 output, struct Changes *changes) {
    const struct Scenario *s = p->scenario;
    const u64 lot = s->lot[industry], found = times_over(output, s->extraction[industry], lot);
    const u64 gained = times_over(output, s->renewable[industry], lot);
    u64 energy = (gained + (found ? output : 0)) / JOULE;
    if (gained) add_alone(w->flow_energy + (u64)p->region * ENERGY_FLOWS + ENERGY_FLOW_GAINED, gained);
    if (energy) add_alone(w->flow_energy + (u64)p->region * ENERGY_FLOWS + ENERGY_FLOW_PRIMARY, energy);
    for (u32 g = 0; g < GOODS; g++)
        if (s->technology[industry][g]) energy += use_input(w, p, firm, industry, g, output, changes);
    CHANGE(w, &p->home, changes, INVENTORY, inventory, firm, firm, w->inventory[firm] + output);
    CHANGE(w, &p->home, changes, EMBODIED, embodied, firm, firm, w->embodied[firm] + energy);
    add_alone(goods_flow(w, p->region, GOODS_FLOW_MADE, industry), output);
}

#endif
