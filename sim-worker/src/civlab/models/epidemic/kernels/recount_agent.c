/* Generated from civlab/models/epidemic/layout.py: change that, then `make generate`. */
#include "digest.h"
#include "layout.h"

/* Not a phase: counts the digest of each dynamic column of the kind agent in full. */
FN void epidemic_recount_agent_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 member = w->tile_member[tile];
    const u64 first = w->member_first[member];
    const u64 begin = w->tile_begin[tile], end = w->tile_end[tile];
    struct Digest of_state = {0, 0};
    struct Digest of_due = {0, 0};
    struct Digest of_infector = {0, 0};
    struct Digest of_infected_at = {0, 0};
    struct Digest of_origin = {0, 0};
    u64 *cell;
    (void)tick;
    for (u64 at = begin + lane; at < end; at += lanes) {
        digest_change(&of_state, COLUMN_STATE, (u32)(at - first), 0, w->state[at]);
        digest_change(&of_due, COLUMN_DUE, (u32)(at - first), 0, w->due[at]);
        digest_change(&of_infector, COLUMN_INFECTOR, (u32)(at - first), 0, w->infector[at]);
        digest_change(&of_infected_at, COLUMN_INFECTED_AT, (u32)(at - first), 0, w->infected_at[at]);
        digest_change(&of_origin, COLUMN_ORIGIN, (u32)(at - first), 0, w->origin[at]);
    }
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_STATE) * 2;
    digest_flush(cell, &of_state);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_DUE) * 2;
    digest_flush(cell, &of_due);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_INFECTOR) * 2;
    digest_flush(cell, &of_infector);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_INFECTED_AT) * 2;
    digest_flush(cell, &of_infected_at);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_ORIGIN) * 2;
    digest_flush(cell, &of_origin);
}

TILE_KERNEL(epidemic_recount_agent)
