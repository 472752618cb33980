/* Generated from civlab/models/exchange/layout.py: change that, then `make generate`. */
#include "digest.h"
#include "layout.h"

/* Not a phase: counts the digest of each dynamic column of the kind agent in full. */
FN void exchange_recount_agent_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 member = w->tile_member[tile];
    const u64 first = w->member_first[member];
    const u64 begin = w->tile_begin[tile], end = w->tile_end[tile];
    struct Digest of_money = {0, 0};
    u64 *cell;
    (void)tick;
    for (u64 at = begin + lane; at < end; at += lanes) {
        digest_change_u64(&of_money, COLUMN_MONEY, at - first, 0, w->money[at]);
    }
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_MONEY) * 2;
    digest_flush(cell, &of_money);
}

TILE_KERNEL(exchange_recount_agent)
