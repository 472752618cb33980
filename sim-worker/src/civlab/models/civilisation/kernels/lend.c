/* Phase `lend`: each bank grants the same share of every request, so much that its capital covers its loans
 * (Poledna et al. 2023, section 3.4: a capital requirement rations credit). */
#include "economy.h"

FN void civilisation_lend_member(const struct World *w, u32 tick, u32 member) {
    const struct Home h = home_of(w, member);
    (void)tick;
    for (u32 bank = h.first_bank; bank < h.first_bank + w->member_banks[member]; bank++) {
        const u64 equity = w->equity[bank] > 0 ? (u64)w->equity[bank] : 0;
        const u64 room = minus(times_over(equity, Q32_ONE, h.scenario->capital_ratio), w->lent[bank]);
        const u64 asked = w->requested[bank];
        w->granted[bank] = asked <= room ? Q32_ONE : times_over(room, Q32_ONE, asked);
        w->requested[bank] = 0;
    }
}

MEMBER_KERNEL(civilisation_lend)
