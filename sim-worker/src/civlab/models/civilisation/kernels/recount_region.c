/* Generated from civlab/models/civilisation/layout.py: change that, then `make generate`. */
#include "digest.h"
#include "layout.h"

/* Not a phase: counts the digest of each dynamic column of the kind region in full. */
FN void civilisation_recount_region_member(const struct World *w, u32 tick, u32 member) {
    const u64 first = w->member_region[member];
    const u64 begin = first, end = first + w->member_regions[member];
    struct Digest of_land = {0, 0};
    struct Digest of_reserve = {0, 0};
    struct Digest of_tariff = {0, 0};
    struct Digest of_wage = {0, 0};
    struct Digest of_warmth = {0, 0};
    struct Digest of_yield = {0, 0};
    struct Digest of_moved = {0, 0};
    struct Digest of_zoomed = {0, 0};
    u64 *cell;
    (void)tick;
    for (u64 at = begin; at < end; at++) {
        for (u32 part = 0; part < 4; part++)
            digest_change(&of_land, COLUMN_LAND, (u32)((at - first) * 4 + part), 0, w->land[at * 4 + part]);
        for (u32 part = 0; part < 2; part++)
            digest_change_u64(&of_reserve, COLUMN_RESERVE, (at - first) * 2 + part, 0, w->reserve[at * 2 + part]);
        for (u32 part = 0; part < 9; part++)
            digest_change_u64(&of_tariff, COLUMN_TARIFF, (at - first) * 9 + part, 0, w->tariff[at * 9 + part]);
        digest_change_u64(&of_wage, COLUMN_WAGE, at - first, 0, w->wage[at]);
        digest_change_u64(&of_warmth, COLUMN_WARMTH, at - first, 0, (u64)w->warmth[at]);
        for (u32 part = 0; part < 9; part++)
            digest_change(&of_yield, COLUMN_YIELD, (u32)((at - first) * 9 + part), 0, w->yield[at * 9 + part]);
        for (u32 part = 0; part < 2; part++)
            digest_change(&of_moved, COLUMN_MOVED, (u32)((at - first) * 2 + part), 0, w->moved[at * 2 + part]);
        digest_change(&of_zoomed, COLUMN_ZOOMED, (u32)(at - first), 0, w->zoomed[at]);
    }
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_LAND) * 2;
    cell[0] += of_land.low, cell[1] += of_land.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_RESERVE) * 2;
    cell[0] += of_reserve.low, cell[1] += of_reserve.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TARIFF) * 2;
    cell[0] += of_tariff.low, cell[1] += of_tariff.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_WAGE) * 2;
    cell[0] += of_wage.low, cell[1] += of_wage.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_WARMTH) * 2;
    cell[0] += of_warmth.low, cell[1] += of_warmth.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_YIELD) * 2;
    cell[0] += of_yield.low, cell[1] += of_yield.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_MOVED) * 2;
    cell[0] += of_moved.low, cell[1] += of_moved.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_ZOOMED) * 2;
    cell[0] += of_zoomed.low, cell[1] += of_zoomed.high;
}

MEMBER_KERNEL(civilisation_recount_region)
