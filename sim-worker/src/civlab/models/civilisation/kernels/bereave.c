/* Phase `bereave`: who is left in a household that lost a head. A partner is single again; where no head is left, the
 * eldest grown-up child comes next. */
#include "crowd.h"

/* Greater for the elder, and for the first in order among those born in one week; never zero. */
FN u64 seniority(u32 born, u32 citizen) { return (u64)(0x10000u - born) << 32 | (0xffffffffu - citizen); }

FN void civilisation_bereave_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->tile_member[tile], tick) || is_crowd(w, w->tile_region[tile])) return;
    const struct Home h = home_of(w, w->tile_member[tile]);
    struct Changes changes = no_changes();
    for (u32 at = w->tile_begin[tile] + lane; at < w->tile_end[tile]; at += lanes) {
        if (w->household[at] == 0) continue;
        const u32 household = h.first_household + w->household[at] - 1, traits = w->traits[at];
        if (w->mark[household] != MARK_BEREAVED) continue;
        if (!(traits & TRAIT_CHILD)) {
            shared_max(w->elder + household, HEAD_LEFT);
            set_traits(w, &h, &changes, at, traits & ~TRAIT_PARTNERED);
        } else if (years_old(w->born[at], tick) >= ADULT) {
            shared_max(w->elder + household, seniority(w->born[at], at - h.first_citizen));
        }
    }
    flush_changes(w, h.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_bereave)
