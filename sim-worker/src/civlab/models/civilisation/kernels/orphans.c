/* Phase `orphans`: a household that lost its last head goes to its eldest grown-up child; minors alone are taken in, with
 * all that is theirs, by a household that theirs came from if it is in the region, else by the next one in order. */
#include "crowd.h"

FN int can_take_in(const struct World *w, u32 household, u32 orphans) {
    return w->size[household] && !w->fate[household] && !w->mark[household] &&
           w->size[household] + orphans <= MOST_MERGED;
}

FN u32 guardian_of(const struct World *w, const struct Region *r, u32 household) {
    const u32 origins[2] = {w->origin_a[household], w->origin_b[household]}, orphans = w->size[household];
    for (u32 i = 0; i < 2; i++) {
        const u32 origin = r->home.first_household + origins[i] - 1;
        if (origins[i] && origin >= r->households && origin < r->households_end && can_take_in(w, origin, orphans))
            return origin;
    }
    for (u32 next = household + 1; next < r->households_end; next++)
        if (can_take_in(w, next, orphans)) return next;
    for (u32 next = r->households; next < household; next++)
        if (can_take_in(w, next, orphans)) return next;
    return household;
}

FN void civilisation_orphans_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->cluster_member[tile], tick) || is_crowd(w, tile)) return;
    const struct Region r = region_of(w, tile);
    struct Changes changes = no_changes();
    u32 at = lane == 0 ? next_with(w->mark, MARK_BEREAVED, r.households, r.households_end) : r.households_end;
    (void)lanes;
    while (at < r.households_end) {
        const u64 elder = w->elder[at];
        if (elder == 0) {
            const u32 guardian = guardian_of(w, &r, at);
            if (guardian != at) merge_households(w, &r.home, &changes, at, guardian);
        } else if (elder != HEAD_LEFT) {
            const u32 head = r.home.first_citizen + (0xffffffffu - (u32)elder);
            set_traits(w, &r.home, &changes, head, w->traits[head] & ~TRAIT_CHILD);
        }
        w->mark[at] = 0;
        w->elder[at] = 0;
        at = next_with(w->mark, MARK_BEREAVED, at + 1, r.households_end);
    }
    flush_changes(w, r.home.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_orphans)
