/* Phase `public`: a government's purchases, which swing by chance, are parted over its regions by their people and over
 * goods by fixed shares. */
#include "economy.h"

/* What a nation buys this week: by its rule, and more or less by the swing. */
FN u64 purchases_now(const struct World *w, u32 nation) {
    return times_q32(w->purchases[nation], (u64)((i64)Q32_ONE + w->swing[nation]));
}

FN void civilisation_public_member(const struct World *w, u32 tick, u32 member) {
    const struct Home h = home_of(w, member);
    const u32 end = h.first_region + w->member_regions[member];
    u64 people[NATIONS_MOST] = {0};
    (void)tick;
    for (u32 r = h.first_region; r < end; r++) people[w->region_nation[r]] += w->census[(u64)r * HEADS + HEAD_PEOPLE];
    for (u32 r = h.first_region; r < end; r++) {
        const u32 number = w->region_nation[r];
        const u64 here = times_over(purchases_now(w, h.first_nation + number), w->census[(u64)r * HEADS + HEAD_PEOPLE],
                                    people[number]);
        for (u32 g = 0; g < GOODS; g++)
            w->budget_public[market_of(r, g)] = (u64)(((u128)here * h.scenario->public_share[g]) >> 63);
    }
}

MEMBER_KERNEL(civilisation_public)
