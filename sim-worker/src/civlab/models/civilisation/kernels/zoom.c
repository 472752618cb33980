/* Phase `zoom`: regions whose turn it is go over from persons to a crowd, or back. A region's switches alternate, the first
 * to a crowd. */
#include "fold.h"
#include "unfold.h"

#define NO_SWITCH 0xffffffffu

/* Which of its switches a region makes in a tick. */
FN u32 switch_of(const struct World *w, u32 region, u32 tick) {
    const u32 begin = w->region_switch[2 * (u64)region], end = w->region_switch[2 * (u64)region + 1];
    for (u32 at = begin; at < end; at++)
        if (w->switch_week[at] == tick) return at - begin;
    return NO_SWITCH;
}

FN void civilisation_zoom_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 number = switch_of(w, tile, tick);
    if (number == NO_SWITCH) return;
    const struct Region r = region_of(w, tile);
    struct Changes changes = no_changes();
    (void)lanes;
    if (lane == 0) {
        if (number % 2) unfold_region(w, &r, &changes, tick);
        else fold_region(w, &r, &changes, tick);
    }
    flush_changes(w, r.home.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_zoom)
