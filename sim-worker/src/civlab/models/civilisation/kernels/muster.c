/* Generation: everyone who may work looks for work, to be matched with the founders' jobs by the kernels of every week. */
#include "economy.h"

FN void civilisation_muster_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Home h = home_of(w, w->tile_member[tile]);
    u32 seekers[SKILLS] = {0};
    (void)tick;
    for (u32 at = w->tile_begin[tile] + lane; at < w->tile_end[tile]; at += lanes) {
        const u32 age = years_old(w->born[at], 0), traits = w->traits[at];
        const int able = w->household[at] && age >= ADULT && age < h.scenario->retirement && health_of(traits) < HEALTH_ILL;
        w->seeking[at] = able ? (u8)(skill_of(traits) + 1) : 0;
        if (able) seekers[skill_of(traits)]++;
    }
    for (u32 k = 0; k < SKILLS; k++) {
        flush_add32(w->tile_seekers + (u64)tile * SKILLS + k, seekers[k]);
        flush_add32(w->seeker + (u64)w->tile_region[tile] * SKILLS + k, seekers[k]);
    }
}

TILE_KERNEL(civilisation_muster)
