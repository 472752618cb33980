/* Phase `deaths`: the dead leave their slot, their employer and their household, which ends with its last citizen. */
#include "crowd.h"

FN void bury(const struct World *w, const struct Home *h, struct Changes *changes, u32 at) {
    const u32 household = h->first_household + w->household[at] - 1, left = w->size[household] - 1u;
    const u32 head = !(w->traits[at] & TRAIT_CHILD);
    remove_citizen(w, h, changes, at);
    set_size(w, h, changes, household, left);
    if (left == 0) {
        w->fate[household] = FATE_ENDED;
        w->mark[household] = 0;
    } else if (head) {
        w->mark[household] = MARK_BEREAVED;
    }
}

FN void civilisation_deaths_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->cluster_member[tile], tick) || is_crowd(w, tile)) return;
    const struct Region r = region_of(w, tile);
    struct Changes changes = no_changes();
    u32 deaths = 0;
    (void)lanes;
    if (lane == 0)
        FOR_EACH_EVENT(w, &r, EVENT_DEATH, at) {
            bury(w, &r.home, &changes, at);
            w->event[at] = 0;
            deaths++;
        }
    if (lane == 0) add_vital(w, tile, VITAL_DEATHS, deaths);
    flush_changes(w, r.home.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_deaths)
