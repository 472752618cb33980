/* Generated from civlab/models/civilisation/layout.py: change that, then `make generate`. */
#include "digest.h"
#include "layout.h"

/* Not a phase: counts the digest of each dynamic column of the kind firm in full. */
FN void civilisation_recount_firm_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 member = w->cluster_member[tile];
    const u64 first = w->member_firm[member];
    const u64 begin = w->cluster_begin[tile], end = w->cluster_end[tile];
    struct Digest of_cash = {0, 0};
    struct Digest of_loan = {0, 0};
    struct Digest of_capital = {0, 0};
    struct Digest of_inventory = {0, 0};
    struct Digest of_embodied = {0, 0};
    struct Digest of_stock = {0, 0};
    struct Digest of_stock_embodied = {0, 0};
    struct Digest of_price = {0, 0};
    struct Digest of_sales = {0, 0};
    struct Digest of_haul = {0, 0};
    struct Digest of_barred = {0, 0};
    struct Digest of_staff = {0, 0};
    u64 *cell;
    (void)tick;
    for (u64 at = begin + lane; at < end; at += lanes) {
        digest_change_u64(&of_cash, COLUMN_CASH, at - first, 0, w->cash[at]);
        digest_change_u64(&of_loan, COLUMN_LOAN, at - first, 0, w->loan[at]);
        digest_change_u64(&of_capital, COLUMN_CAPITAL, at - first, 0, w->capital[at]);
        digest_change_u64(&of_inventory, COLUMN_INVENTORY, at - first, 0, w->inventory[at]);
        digest_change_u64(&of_embodied, COLUMN_EMBODIED, at - first, 0, w->embodied[at]);
        for (u32 part = 0; part < 9; part++)
            digest_change_u64(&of_stock, COLUMN_STOCK, (at - first) * 9 + part, 0, w->stock[at * 9 + part]);
        for (u32 part = 0; part < 9; part++)
            digest_change_u64(&of_stock_embodied, COLUMN_STOCK_EMBODIED, (at - first) * 9 + part, 0, w->stock_embodied[at * 9 + part]);
        digest_change_u64(&of_price, COLUMN_PRICE, at - first, 0, w->price[at]);
        digest_change_u64(&of_sales, COLUMN_SALES, at - first, 0, w->sales[at]);
        digest_change_u64(&of_haul, COLUMN_HAUL, at - first, 0, w->haul[at]);
        digest_change(&of_barred, COLUMN_BARRED, (u32)(at - first), 0, w->barred[at]);
        for (u32 part = 0; part < 3; part++)
            digest_change(&of_staff, COLUMN_STAFF, (u32)((at - first) * 3 + part), 0, w->staff[at * 3 + part]);
    }
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CASH) * 2;
    digest_flush(cell, &of_cash);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_LOAN) * 2;
    digest_flush(cell, &of_loan);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CAPITAL) * 2;
    digest_flush(cell, &of_capital);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_INVENTORY) * 2;
    digest_flush(cell, &of_inventory);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_EMBODIED) * 2;
    digest_flush(cell, &of_embodied);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_STOCK) * 2;
    digest_flush(cell, &of_stock);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_STOCK_EMBODIED) * 2;
    digest_flush(cell, &of_stock_embodied);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_PRICE) * 2;
    digest_flush(cell, &of_price);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_SALES) * 2;
    digest_flush(cell, &of_sales);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_HAUL) * 2;
    digest_flush(cell, &of_haul);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_BARRED) * 2;
    digest_flush(cell, &of_barred);
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_STAFF) * 2;
    digest_flush(cell, &of_staff);
}

TILE_KERNEL(civilisation_recount_firm)
