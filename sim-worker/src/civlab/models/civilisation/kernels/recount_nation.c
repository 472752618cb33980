/* Generated from civlab/models/civilisation/layout.py: change that, then `make generate`. */
#include "digest.h"
#include "layout.h"

/* Not a phase: counts the digest of each dynamic column of the kind nation in full. */
FN void civilisation_recount_nation_member(const struct World *w, u32 tick, u32 member) {
    const u64 first = w->member_nation[member];
    const u64 begin = first, end = first + w->member_nations[member];
    struct Digest of_treasury = {0, 0};
    struct Digest of_debt = {0, 0};
    struct Digest of_pool = {0, 0};
    struct Digest of_policy_rate = {0, 0};
    struct Digest of_inflation = {0, 0};
    struct Digest of_growth = {0, 0};
    struct Digest of_technology = {0, 0};
    struct Digest of_level = {0, 0};
    struct Digest of_purchases = {0, 0};
    struct Digest of_swing = {0, 0};
    struct Digest of_output = {0, 0};
    struct Digest of_energy_price = {0, 0};
    struct Digest of_abroad = {0, 0};
    u64 *cell;
    (void)tick;
    for (u64 at = begin; at < end; at++) {
        digest_change_u64(&of_treasury, COLUMN_TREASURY, at - first, 0, w->treasury[at]);
        digest_change_u64(&of_debt, COLUMN_DEBT, at - first, 0, w->debt[at]);
        digest_change_u64(&of_pool, COLUMN_POOL, at - first, 0, w->pool[at]);
        digest_change_u64(&of_policy_rate, COLUMN_POLICY_RATE, at - first, 0, (u64)w->policy_rate[at]);
        digest_change_u64(&of_inflation, COLUMN_INFLATION, at - first, 0, (u64)w->inflation[at]);
        digest_change_u64(&of_growth, COLUMN_GROWTH, at - first, 0, (u64)w->growth[at]);
        digest_change_u64(&of_technology, COLUMN_TECHNOLOGY, at - first, 0, w->technology[at]);
        digest_change_u64(&of_level, COLUMN_LEVEL, at - first, 0, w->level[at]);
        digest_change_u64(&of_purchases, COLUMN_PURCHASES, at - first, 0, w->purchases[at]);
        digest_change_u64(&of_swing, COLUMN_SWING, at - first, 0, (u64)w->swing[at]);
        digest_change_u64(&of_output, COLUMN_OUTPUT, at - first, 0, w->output[at]);
        digest_change_u64(&of_energy_price, COLUMN_ENERGY_PRICE, at - first, 0, w->energy_price[at]);
        digest_change_u64(&of_abroad, COLUMN_ABROAD, at - first, 0, (u64)w->abroad[at]);
    }
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TREASURY) * 2;
    cell[0] += of_treasury.low, cell[1] += of_treasury.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_DEBT) * 2;
    cell[0] += of_debt.low, cell[1] += of_debt.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_POOL) * 2;
    cell[0] += of_pool.low, cell[1] += of_pool.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_POLICY_RATE) * 2;
    cell[0] += of_policy_rate.low, cell[1] += of_policy_rate.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_INFLATION) * 2;
    cell[0] += of_inflation.low, cell[1] += of_inflation.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_GROWTH) * 2;
    cell[0] += of_growth.low, cell[1] += of_growth.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TECHNOLOGY) * 2;
    cell[0] += of_technology.low, cell[1] += of_technology.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_LEVEL) * 2;
    cell[0] += of_level.low, cell[1] += of_level.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_PURCHASES) * 2;
    cell[0] += of_purchases.low, cell[1] += of_purchases.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_SWING) * 2;
    cell[0] += of_swing.low, cell[1] += of_swing.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_OUTPUT) * 2;
    cell[0] += of_output.low, cell[1] += of_output.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_ENERGY_PRICE) * 2;
    cell[0] += of_energy_price.low, cell[1] += of_energy_price.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_ABROAD) * 2;
    cell[0] += of_abroad.low, cell[1] += of_abroad.high;
}

MEMBER_KERNEL(civilisation_recount_nation)
