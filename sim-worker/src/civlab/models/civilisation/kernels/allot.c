/* Phase `allot`: what is left at the margins of each nation's energy call, parted over its regions. */
#include "economy.h"

FN void civilisation_allot_member(const struct World *w, u32 tick, u32 member) {
    const struct Home h = home_of(w, member);
    const u32 end = h.first_region + w->member_regions[member];
    u32 first = h.first_region;
    (void)tick;
    while (first < end) {
        const u32 number = w->region_nation[first];
        const u64 *result = w->call + (u64)(h.first_nation + number) * CALLS;
        u32 count = 0;
        while (first + count < end && w->region_nation[first + count] == number) count++;
        apportion(result[CALL_BID_LEFT], w->bid_margin + first, count, w->bid_share + first, w->split_regions + first);
        apportion(result[CALL_ASK_LEFT], w->ask_margin + first, count, w->ask_share + first, w->split_regions + first);
        for (u32 r = first; r < first + count; r++) w->bid_margin[r] = w->ask_margin[r] = 0;
        first += count;
    }
}

MEMBER_KERNEL(civilisation_allot)
