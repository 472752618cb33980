/* Generated from civlab/models/civilisation/layout.py: change that, then `make generate`. */
#include "digest.h"
#include "layout.h"

/* Not a phase: counts the digest of each dynamic column of the kind bank in full. */
FN void civilisation_recount_bank_member(const struct World *w, u32 tick, u32 member) {
    const u64 first = w->member_bank[member];
    const u64 begin = first, end = first + w->member_banks[member];
    struct Digest of_equity = {0, 0};
    struct Digest of_lent = {0, 0};
    u64 *cell;
    (void)tick;
    for (u64 at = begin; at < end; at++) {
        digest_change_u64(&of_equity, COLUMN_EQUITY, at - first, 0, (u64)w->equity[at]);
        digest_change_u64(&of_lent, COLUMN_LENT, at - first, 0, w->lent[at]);
    }
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_EQUITY) * 2;
    cell[0] += of_equity.low, cell[1] += of_equity.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_LENT) * 2;
    cell[0] += of_lent.low, cell[1] += of_lent.high;
}

MEMBER_KERNEL(civilisation_recount_bank)
