/* Not a phase: counts the digest of every dynamic column in full, to be compared with the running ones. */
#include "population.h"

FN void epidemic_recount_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    struct Changes found = no_changes();
    (void)tick;
    for (u32 at = p.begin + lane; at < p.end; at += lanes) {
        const u32 agent = at - p.first;
        digest_change(&found.of[COLUMN_STATE], COLUMN_STATE, agent, 0, w->state[at]);
        digest_change(&found.of[COLUMN_DUE], COLUMN_DUE, agent, 0, w->due[at]);
        digest_change(&found.of[COLUMN_INFECTOR], COLUMN_INFECTOR, agent, 0, w->infector[at]);
        digest_change(&found.of[COLUMN_INFECTED_AT], COLUMN_INFECTED_AT, agent, 0, w->infected_at[at]);
        digest_change(&found.of[COLUMN_ORIGIN], COLUMN_ORIGIN, agent, 0, w->origin[at]);
    }
    for (u32 c = 0; c < DYNAMIC; c++) {
        u64 *cell = w->column_recount + ((u64)p.member * DYNAMIC + c) * 2;
        flush_add(cell, found.of[c].low);
        flush_add(cell + 1, found.of[c].high);
    }
}

TILE_KERNEL(epidemic_recount)
