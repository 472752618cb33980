/* Phase `leaving`: a grown-up child founds a household in the first vacant slot of its region, with a share of the
 * money of the household it leaves and its part of that household's usual income. */
#include "crowd.h"

FN void found_household(const struct World *w, const struct Home *h, struct Changes *changes, u32 at, u32 old, u32 slot) {
    const u64 share = (u64)(((u128)w->deposit[old] * h->people->endowment) >> 31);
    const u64 income = w->income[old] / w->size[old];
    settle_household(w, h, changes, slot, share, income, w->generation[old] + 1u);
    settle_household(w, h, changes, old, w->deposit[old] - share, w->income[old] - income, w->generation[old]);
    set_origins(w, h, changes, slot, old - h->first_household + 1, 0);
    set_size(w, h, changes, slot, 1);
    set_size(w, h, changes, old, w->size[old] - 1u);
    CHANGE(w, h, changes, HOUSEHOLD, household, citizen, at, slot - h->first_household + 1);
}

FN void civilisation_leaving_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->cluster_member[tile], tick) || is_crowd(w, tile)) return;
    const struct Region r = region_of(w, tile);
    struct Changes changes = no_changes();
    u32 slot = r.households;
    (void)lanes;
    if (lane == 0)
        FOR_EACH_EVENT(w, &r, EVENT_LEAVING, at) {
            const u32 old = household_now(w, &r.home, w->household[at]);
            if (!(w->traits[at] & TRAIT_CHILD)) continue; /* has just become a head */
            if (w->size[old] > 1) {
                slot = vacant_household(w, slot, r.households_end);
                if (slot == r.households_end) {
                    raise_fault(w->fault + r.home.member, tick, FAULT_FULL_HOUSEHOLDS);
                    break;
                }
                found_household(w, &r.home, &changes, at, old, slot);
            }
            set_traits(w, &r.home, &changes, at, w->traits[at] & ~TRAIT_CHILD);
        }
    flush_changes(w, r.home.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_leaving)
