/* Phase `record`: checks that no money was lost or made and that nobody is in debt, writes the metrics of the tick,
 * and clears the cells. */
#include "economy.h"

FN void exchange_record_member(const struct World *w, u32 tick, u32 member) {
    const struct Scenario *s = w->scenario + w->member_scenario[member];
    u64 *sum = w->audit + (u64)member * AUDITS, *flow = w->flow + (u64)member * FLOWS;
    struct WideSum *square = (struct WideSum *)(w->square + (u64)member * 4);
    i64 *row = w->history + ((u64)tick * w->members + member) * METRICS;
    i128 squares = 0;
    u32 broken = 0;
    if (sum[AUDIT_MONEY] != s->mean * s->population) note_fault(&broken, FAULT_MONEY_NOT_CONSERVED);
    if (sum[AUDIT_BEYOND]) note_fault(&broken, FAULT_DEBT);
    (void)wide_sum_overflows(square, &squares); /* a total below 2^56 has squares below 2^112 */
    raise_fault(w->fault + member, tick, broken);
    row[METRIC_MONEY] = (i64)sum[AUDIT_MONEY];
    row[METRIC_PENNILESS] = (i64)sum[AUDIT_PENNILESS];
    row[METRIC_RICHEST] = (i64)w->greatest[member];
    row[METRIC_SQUARES] = (i64)wide_of(squares).low;
    row[METRIC_SQUARES + 1] = wide_of(squares).high;
    row[METRIC_TRADES] = (i64)flow[FLOW_TRADES];
    row[METRIC_MOVED] = (i64)flow[FLOW_MOVED];
    for (u32 i = 0; i < AUDITS; i++) sum[i] = 0;
    for (u32 i = 0; i < FLOWS; i++) flow[i] = 0;
    wide_sum_clear(square);
    w->greatest[member] = 0;
}

MEMBER_KERNEL(exchange_record)
