/* Banks add to a total of 128 bits and compound a rate; the member counts its turns; metrics are written. */
#include "layout.h"
#include "changes.h"

FN void ledger_sum_member(const struct World *w, u32 tick, u32 member) {
    struct Changes changes = no_changes();
    i64 *row = w->history + ((u64)tick * w->members + member) * METRICS;
    u128 sum = 0;
    double mean = 0;
    for (u32 bank = 0; bank < w->bank_count[member]; bank++) {
        const u64 at = w->bank_first[member] + bank;
        u64 *total = w->total + at * 2;
        const u128 after = (((u128)total[1] << 64) | total[0]) + (~(u64)0 - bank);
        digest_change_u64(&changes.of[COLUMN_TOTAL], COLUMN_TOTAL, bank * 2, total[0], (u64)after);
        digest_change_u64(&changes.of[COLUMN_TOTAL], COLUMN_TOTAL, bank * 2 + 1, total[1], (u64)(after >> 64));
        total[0] = (u64)after, total[1] = (u64)(after >> 64);
        const double rate = w->rate[at] * 1.0625;
        digest_change_u64(&changes.of[COLUMN_RATE], COLUMN_RATE, bank, bits_of(w->rate[at]), bits_of(rate));
        w->rate[at] = rate;
        sum += after, mean += rate;
        w->bank_history[(u64)(tick / 2) * w->banks + at] += (i64)bank + 1;
    }
    digest_change(&changes.of[COLUMN_TURN], COLUMN_TURN, 0, w->turn[member], tick + 1);
    w->turn[member] = (u16)(tick + 1);
    add_changes(w, member, PHASE_SUM, &changes);
    row[METRIC_MEAN_RATE] = (i64)bits_of(mean / w->bank_count[member]);
    row[METRIC_TOTAL] = (i64)(u64)sum, row[METRIC_TOTAL + 1] = (i64)(u64)(sum >> 64);
    row[METRIC_TURNS] = tick + 1;
}

MEMBER_KERNEL(ledger_sum)
