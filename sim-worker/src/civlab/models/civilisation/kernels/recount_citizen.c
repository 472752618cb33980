/* Generated from civlab/models/civilisation/layout.py: change that, then `make generate`. */
#include "digest.h"
#include "layout.h"

/* Not a phase: counts the digest of each dynamic column of the kind citizen in full. */
FN void civilisation_recount_citizen_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 member = w->tile_member[tile];
    const u64 first = w->member_citizen[member];
    const u64 begin = w->tile_begin[tile], end = w->tile_end[tile];
    struct Digest of_born = {0, 0};
    struct Digest of_household = {0, 0};
    struct Digest of_employer = {0, 0};
    struct Digest of_traits = {0, 0};
    u64 *cell;
    (void)tick;
    for (u64 at = begin + lane; at < end; at += lanes) {
        digest_change(&of_born, COLUMN_BORN, (u32)(at - first), 0, w->born[at]);
        digest_change(&of_household, COLUMN_HOUSEHOLD, (u32)(at - first), 0, w->household[at]);
        digest_change(&of_employer, COLUMN_EMPLOYER, (u32)(at - first), 0, w->employer[at]);
        digest_change(&of_traits, COLUMN_TRAITS, (u32)(at - first), 0, w->traits[at]);
    }
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_BORN) * 2;
    digest_flush(cell, &of_born);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_HOUSEHOLD) * 2;
    digest_flush(cell, &of_household);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_EMPLOYER) * 2;
    digest_flush(cell, &of_employer);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TRAITS) * 2;
    digest_flush(cell, &of_traits);
}

TILE_KERNEL(civilisation_recount_citizen)
