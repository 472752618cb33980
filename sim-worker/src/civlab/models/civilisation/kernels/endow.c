/* Generation: what each firm begins with, from the staff that it has: capital, stores and money for the output that those
 * people make, so that the first week is one like any other. */
#include "economy.h"

FN void endow_firm(const struct World *w, const struct Place *p, u32 firm) {
    const struct Scenario *s = p->scenario;
    const u32 industry = w->industry[firm];
    u64 costs = 0;
    for (u32 k = 0; k < SKILLS; k++) {
        const u64 cell = (u64)firm * SKILLS + k;
        w->staff[cell] = w->joined[cell];
        w->joined[cell] = w->want[cell] = w->place[cell] = 0;
        w->pay[cell] = pay_of(s, s->wage, k);
        costs += w->staff[cell] * w->pay[cell];
    }
    costs += times_q32(costs, s->contributions[p->number]);
    const u64 output = most(times_over(workforce(w, s, firm), s->productivity[industry], 256), 1);
    const u64 capital = times_over(times_over(output, 1000000, s->capacity[industry]), Q32_ONE, s->use);
    w->sales[firm] = output;
    w->capital[firm] = capital;
    w->loan[firm] = times_q32(capital, s->firm_debt);
    w->haul[firm] = times_over(output, s->freight_energy[industry], s->lot[industry]);
    w->price[firm] = BASE_PRICE;
    w->inventory[firm] = times_q32(output, s->cover[industry]);
    w->embodied[firm] = times_over(w->inventory[firm], s->intensity[industry], s->lot[industry]);
    for (u32 g = 0; g < GOODS; g++) {
        const u64 need = times_over(output, s->technology[industry][g], s->lot[industry]);
        const u64 cell = (u64)firm * GOODS + g;
        costs += cost_of(need, s->lot[g], BASE_PRICE);
        w->stock[cell] = times_q32(need + (g == GOOD_ENERGY ? w->haul[firm] : 0), s->input_cover[g]);
        w->stock_embodied[cell] = times_over(w->stock[cell], s->intensity[g], s->lot[g]);
    }
    w->cash[firm] = times_q32(costs, s->firm_cash);
}

FN void civilisation_endow_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    (void)tick;
    for (u32 firm = p.begin + lane; firm < p.end; firm += lanes) endow_firm(w, &p, firm);
    for (u32 g = lane; g < GOODS; g += lanes) w->tariff[market_of(tile, g)] = BASE_PRICE;
}

TILE_KERNEL(civilisation_endow)
