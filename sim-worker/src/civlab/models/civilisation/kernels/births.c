/* Phase `births`: a newborn takes the first vacant slot of its region and joins its mother's household. */
#include "crowd.h"

FN void civilisation_births_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->cluster_member[tile], tick) || is_crowd(w, tile)) return;
    const struct Region r = region_of(w, tile);
    struct Changes changes = no_changes();
    u32 births = 0, slot = r.citizens;
    (void)lanes;
    if (lane == 0) {
        FOR_EACH_EVENT(w, &r, EVENT_BIRTH, mother) {
            const u32 household = household_now(w, &r.home, w->household[mother]);
            slot = vacant_citizen(w, slot, r.citizens_end);
            if (slot == r.citizens_end || w->size[household] == MOST_MERGED) {
                raise_fault(w->fault + r.home.member, tick, FAULT_FULL_CITIZENS);
                break;
            }
            const struct Block block = draw(w, &r.home, tick, DRAW_BIRTH, mother - r.home.first_citizen, 0);
            const u32 woman = !q31_happens(block.word[0], r.home.people->boys);
            settle_citizen(w, &r.home, &changes, slot, tick + EPOCH, woman | TRAIT_CHILD,
                           household - r.home.first_household + 1);
            set_size(w, &r.home, &changes, household, w->size[household] + 1u);
            births++;
        }
        add_vital(w, tile, VITAL_BIRTHS, births);
    }
    flush_changes(w, r.home.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_births)
