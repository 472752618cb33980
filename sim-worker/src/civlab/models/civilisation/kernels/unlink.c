/* Phase `unlink`: households forget those that they came from where these are part of a crowd now; what a crowd holds is
 * inherited within it. */
#include "people.h"

/* Whether regions may become crowds in a tick. */
FN int is_week_of_folding(const struct Home *h, u32 tick) {
    for (u32 k = 0; k < h->people->folds; k++)
        if (h->people->fold_week[k] == tick) return 1;
    return 0;
}

FN u32 link_that_holds(const struct World *w, const struct Home *h, u32 origin) {
    return origin && w->size[h->first_household + origin - 1] ? origin : 0;
}

FN void civilisation_unlink_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Home h = home_of(w, w->block_member[tile]);
    if (!is_week_of_folding(&h, tick)) return;
    struct Changes changes = no_changes();
    for (u32 at = w->block_begin[tile] + lane; at < w->block_end[tile]; at += lanes)
        if (w->size[at])
            set_origins(w, &h, &changes, at, link_that_holds(w, &h, w->origin_a[at]), link_that_holds(w, &h, w->origin_b[at]));
    flush_changes(w, h.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_unlink)
