/* Phase `depart`: those who were taken in elsewhere leave their slots, their households and their employers. */
#include "people.h"

FN u32 depart_citizens(const struct World *w, const struct Region *r, struct Changes *changes, u32 count) {
    u32 departures = 0;
    for (u32 k = 0; k < count; k++) {
        const u32 at = w->boarding[r->citizens + k];
        w->boarding[r->citizens + k] = 0;
        if (w->fate[r->home.first_household + w->household[at] - 1] < FATE_MOVED) continue;
        remove_citizen(w, &r->home, changes, at);
        departures++;
    }
    return departures;
}

FN void depart_households(const struct World *w, const struct Region *r, struct Changes *changes, u32 count) {
    for (u32 k = 0; k < count; k++) {
        const u32 household = (u32)w->queue[r->households + k];
        w->queue[r->households + k] = 0;
        w->mark[household] = 0;
        if (w->fate[household] >= FATE_MOVED) remove_household(w, &r->home, changes, household);
    }
}

FN void civilisation_depart_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->cluster_member[tile], tick)) return;
    const struct Region r = region_of(w, tile);
    struct Changes changes = no_changes();
    (void)lanes;
    if (lane == 0) {
        u32 *boarded = w->boarded + 2 * (u64)tile;
        const u32 departures = depart_citizens(w, &r, &changes, boarded[1]);
        const u32 so_far = w->moved[2 * (u64)tile + 1] + departures;
        depart_households(w, &r, &changes, boarded[0]);
        CHANGE_PART(w, &r.home, &changes, MOVED, moved, region, tile, 2, 1, so_far);
        add_vital(w, tile, VITAL_DEPARTURES, departures);
        boarded[0] = boarded[1] = 0;
        w->workforce[2 * (u64)tile] = w->workforce[2 * (u64)tile + 1] = 0;
    }
    flush_changes(w, r.home.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_depart)
