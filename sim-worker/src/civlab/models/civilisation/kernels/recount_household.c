/* Generated from civlab/models/civilisation/layout.py: change that, then `make generate`. */
#include "digest.h"
#include "layout.h"

/* Not a phase: counts the digest of each dynamic column of the kind household in full. */
FN void civilisation_recount_household_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 member = w->block_member[tile];
    const u64 first = w->member_household[member];
    const u64 begin = w->block_begin[tile], end = w->block_end[tile];
    struct Digest of_deposit = {0, 0};
    struct Digest of_income = {0, 0};
    struct Digest of_origin_a = {0, 0};
    struct Digest of_origin_b = {0, 0};
    struct Digest of_size = {0, 0};
    struct Digest of_generation = {0, 0};
    u64 *cell;
    (void)tick;
    for (u64 at = begin + lane; at < end; at += lanes) {
        digest_change_u64(&of_deposit, COLUMN_DEPOSIT, at - first, 0, w->deposit[at]);
        digest_change_u64(&of_income, COLUMN_INCOME, at - first, 0, w->income[at]);
        digest_change(&of_origin_a, COLUMN_ORIGIN_A, (u32)(at - first), 0, w->origin_a[at]);
        digest_change(&of_origin_b, COLUMN_ORIGIN_B, (u32)(at - first), 0, w->origin_b[at]);
        digest_change(&of_size, COLUMN_SIZE, (u32)(at - first), 0, w->size[at]);
        digest_change(&of_generation, COLUMN_GENERATION, (u32)(at - first), 0, w->generation[at]);
    }
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_DEPOSIT) * 2;
    digest_flush(cell, &of_deposit);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_INCOME) * 2;
    digest_flush(cell, &of_income);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_ORIGIN_A) * 2;
    digest_flush(cell, &of_origin_a);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_ORIGIN_B) * 2;
    digest_flush(cell, &of_origin_b);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_SIZE) * 2;
    digest_flush(cell, &of_size);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_GENERATION) * 2;
    digest_flush(cell, &of_generation);
}

TILE_KERNEL(civilisation_recount_household)
