/* Every account gains and notes something of its own; two of the columns have several elements an account. */
#include "layout.h"
#include "changes.h"

FN void ledger_move_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 member = w->tile_member[tile], first = w->member_first[member];
    struct Changes changes = no_changes();
    for (u32 at = w->tile_begin[tile] + lane; at < w->tile_end[tile]; at += lanes) {
        const u32 account = at - first;
        const i64 after = w->balance[at] + (i64)w->weight[at] * 3000000000ll - 5000000000ll * (i64)tick;
        digest_change_u64(&changes.of[COLUMN_BALANCE], COLUMN_BALANCE, account, (u64)w->balance[at], (u64)after);
        w->balance[at] = after;
        const u32 part = tick % 3, note = (account + tick) & 255;
        digest_change(&changes.of[COLUMN_NOTE], COLUMN_NOTE, account * 3 + part, w->note[at * 3 + part], note);
        w->note[at * 3 + part] = (u8)note;
    }
    flush_changes(w, member, PHASE_MOVE, &changes);
}

TILE_KERNEL(ledger_move)
