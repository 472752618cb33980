/* Production: what a firm can make, and the inputs and energy that go into it.
 *
 * Fuel comes out of the ground of the region; energy comes from fuel and from renewable sources. Energy that goes into
 * an output, directly or with an input, stays with it as embodied energy, counted in joules. */
#ifndef CIVLAB_CIVILISATION_MAKING_H
#define CIVLAB_CIVILISATION_MAKING_H
#include "economy.h"

#define JOULE 1000u /* mJ */

/* Output that staff allows, at most the target. */
FN u64 output_tried(const struct World *w, const struct Place *p, u32 firm, u32 industry) {
    const u64 output = times_over(workforce(w, p->scenario, firm), productivity_now(w, p, industry), 256);
    return least(output, w->target[firm]);
}

/* Output for which there is fuel, or energy in its place, and energy. */
FN u64 output_by_energy(const struct Scenario *s, u32 industry, u64 fuel, u64 energy) {
    const u64 need_fuel = s->critical[industry][GOOD_FUEL] ? s->technology[industry][GOOD_FUEL] : 0;
    const u64 need_energy = s->critical[industry][GOOD_ENERGY] ? s->technology[industry][GOOD_ENERGY] : 0;
    const u64 need = need_energy + times_q32(need_fuel, s->electric), lot = s->lot[industry];
    const u64 by_fuel = need_fuel ? times_over(fuel, lot, need_fuel) : U64_LARGEST;
    const u64 by_energy = need_energy ? times_over(energy, lot, need_energy) : U64_LARGEST;
    if (by_energy <= by_fuel || need == 0) return least(by_energy, by_fuel);
    return most(times_over(energy + times_q32(fuel, s->electric), lot, need), by_fuel);
}

/* Energy for which there is fuel, and the share of what is tried that needs none. */
FN u64 output_of_plant(const struct Scenario *s, u64 tried, u64 fuel) {
    const u64 need = s->critical[GOOD_ENERGY][GOOD_FUEL] ? s->technology[GOOD_ENERGY][GOOD_FUEL] : 0;
    const u64 by_fuel = need ? times_over(fuel, s->lot[GOOD_ENERGY], need) : U64_LARGEST;
    if (by_fuel >= tried) return tried;
    return least(times_q32(tried, s->without_fuel) + times_q32(by_fuel, Q32_ONE - s->without_fuel), tried);
}

/* Output that staff and inputs allow, at most the target. */
FN u64 output_possible(const struct World *w, const struct Place *p, u32 firm, u32 industry) {
    const struct Scenario *s = p->scenario;
    const u64 *stock = w->stock + (u64)firm * GOODS;
    u64 output = output_tried(w, p, firm, industry);
    for (u32 g = 0; g < GOODS; g++) {
        const u64 need = s->technology[industry][g];
        if (need == 0 || !s->critical[industry][g] || g == GOOD_FUEL || g == GOOD_ENERGY) continue;
        output = least(output, times_over(stock[g], s->lot[industry], need));
    }
    if (industry == GOOD_ENERGY) return output_of_plant(s, output, stock[GOOD_FUEL]);
    return least(output, output_by_energy(s, industry, stock[GOOD_FUEL], stock[GOOD_ENERGY]));
}

/* Units of an input that an output needs, rounded up. */
FN u64 input_needed(const struct Scenario *s, u32 industry, u32 good, u64 output) {
    const u64 lot = s->lot[industry];
    return (u64)(((u128)output * s->technology[industry][good] + lot - 1) / lot);
}

/* Takes as much of an input as is needed and there; returns its embodied energy. */
FN u64 use_input(const struct World *w, const struct Place *p, u32 firm, u32 good, u64 need, struct Changes *changes) {
    const u64 cell = (u64)firm * GOODS + good, there = w->stock[cell], used = least(need, there);
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
    const u64 clean = industry == GOOD_ENERGY ? most(output_tried(w, p, firm, industry), output) : output;
    const u64 gained = times_over(output ? clean : 0, s->renewable[industry], lot);
    const u64 instead = in_place_of_fuel(s, industry, input_needed(s, industry, GOOD_FUEL, output),
                                         w->stock[(u64)firm * GOODS + GOOD_FUEL]);
    u64 energy = (gained + (found ? output : 0)) / JOULE;
    if (gained) add_alone(w->flow_energy + (u64)p->region * ENERGY_FLOWS + ENERGY_FLOW_GAINED, gained);
    if (energy) add_alone(w->flow_energy + (u64)p->region * ENERGY_FLOWS + ENERGY_FLOW_PRIMARY, energy);
    for (u32 g = 0; g < GOODS; g++)
        energy += use_input(w, p, firm, g, input_needed(s, industry, g, output) + (g == GOOD_ENERGY ? instead : 0), changes);
    CHANGE(w, &p->home, changes, INVENTORY, inventory, firm, firm, w->inventory[firm] + output);
    CHANGE(w, &p->home, changes, EMBODIED, embodied, firm, firm, w->embodied[firm] + energy);
    add_alone(goods_flow(w, p->region, GOODS_FLOW_MADE, industry), output);
}

#endif
