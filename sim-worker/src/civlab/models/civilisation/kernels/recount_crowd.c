/* Generated from civlab/models/civilisation/layout.py: change that, then `make generate`. */
#include "digest.h"
#include "layout.h"

/* Not a phase: counts the digest of each dynamic column of the kind crowd in full. */
FN void civilisation_recount_crowd_member(const struct World *w, u32 tick, u32 member) {
    const u64 first = w->member_crowd[member];
    const u64 begin = first, end = first + w->member_crowds[member];
    struct Digest of_crowd_people = {0, 0};
    struct Digest of_crowd_homes = {0, 0};
    struct Digest of_crowd_deposit = {0, 0};
    struct Digest of_crowd_income = {0, 0};
    u64 *cell;
    (void)tick;
    for (u64 at = begin; at < end; at++) {
        for (u32 part = 0; part < 3072; part++)
            digest_change(&of_crowd_people, COLUMN_CROWD_PEOPLE, (u32)((at - first) * 3072 + part), 0, w->crowd_people[at * 3072 + part]);
        for (u32 part = 0; part < 6; part++)
            digest_change_u64(&of_crowd_homes, COLUMN_CROWD_HOMES, (at - first) * 6 + part, 0, w->crowd_homes[at * 6 + part]);
        digest_change_u64(&of_crowd_deposit, COLUMN_CROWD_DEPOSIT, at - first, 0, w->crowd_deposit[at]);
        digest_change_u64(&of_crowd_income, COLUMN_CROWD_INCOME, at - first, 0, w->crowd_income[at]);
    }
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CROWD_PEOPLE) * 2;
    cell[0] += of_crowd_people.low, cell[1] += of_crowd_people.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CROWD_HOMES) * 2;
    cell[0] += of_crowd_homes.low, cell[1] += of_crowd_homes.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CROWD_DEPOSIT) * 2;
    cell[0] += of_crowd_deposit.low, cell[1] += of_crowd_deposit.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CROWD_INCOME) * 2;
    cell[0] += of_crowd_income.low, cell[1] += of_crowd_income.high;
}

MEMBER_KERNEL(civilisation_recount_crowd)
