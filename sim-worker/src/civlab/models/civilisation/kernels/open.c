/* Generation: wages and prices of the start, before anyone is paid. */
#include "economy.h"

FN void civilisation_open_member(const struct World *w, u32 tick, u32 member) {
    const struct Home h = home_of(w, member);
    (void)tick;
    for (u32 r = h.first_region; r < h.first_region + w->member_regions[member]; r++) w->wage[r] = h.scenario->wage;
    for (u32 n = h.first_nation; n < h.first_nation + w->member_nations[member]; n++) {
        w->level[n] = w->energy_price[n] = BASE_PRICE;
        w->technology[n] = Q32_ONE;
        w->inflation[n] = h.scenario->inflation_target;
        w->policy_rate[n] = h.scenario->natural_rate + h.scenario->inflation_target;
    }
}

MEMBER_KERNEL(civilisation_open)
