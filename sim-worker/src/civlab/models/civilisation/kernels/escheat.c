/* Phase `escheat`: estates that nobody claims fall to the treasury of the region's nation. */
#include "people.h"

FN void civilisation_escheat_member(const struct World *w, u32 tick, u32 member) {
    if (!is_round(w, member, tick)) return;
    const struct Home h = home_of(w, member);
    struct Changes changes = no_changes();
    for (u32 region = h.first_region; region < h.first_region + w->member_regions[member]; region++) {
        const u64 money = w->vital[(u64)region * VITALS + VITAL_UNCLAIMED];
        const u32 nation = nation_of_region(w, &h, region);
        CHANGE(w, &h, &changes, TREASURY, treasury, nation, nation, w->treasury[nation] + money);
    }
    add_changes(w, member, PHASE_PEOPLE, &changes);
}

MEMBER_KERNEL(civilisation_escheat)
