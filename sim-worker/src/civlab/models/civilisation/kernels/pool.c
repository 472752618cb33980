/* Phase `pool`: within each nation's grid, money for energy goes to the regions that sold it and the energy embodied in
 * it to the regions that bought it, by largest remainders. */
#include "economy.h"

FN void pool_nation(const struct World *w, u32 nation, u32 first, u32 count) {
    u64 money = 0, embodied = 0;
    for (u32 r = first; r < first + count; r++) {
        const u64 market = market_of(r, GOOD_ENERGY);
        money += w->paid_households[market] + w->paid_public[market] + w->paid_firms[market];
        embodied += w->energy_embodied[r];
    }
    w->call[(u64)nation * CALLS + CALL_MONEY] = money;
    apportion(money, w->energy_sold + first, count, w->energy_money + first, w->split_regions + first);
    apportion(embodied, w->energy_bought + first, count, w->energy_embodied + first, w->split_regions + first);
}

FN void civilisation_pool_member(const struct World *w, u32 tick, u32 member) {
    const struct Home h = home_of(w, member);
    const u32 end = h.first_region + w->member_regions[member];
    u32 first = h.first_region;
    (void)tick;
    while (first < end) {
        const u32 number = w->region_nation[first];
        u32 count = 0;
        while (first + count < end && w->region_nation[first + count] == number) count++;
        pool_nation(w, h.first_nation + number, first, count);
        first += count;
    }
}

MEMBER_KERNEL(civilisation_pool)
