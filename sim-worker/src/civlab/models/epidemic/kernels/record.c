/* Phase `record`: checks that no person was lost or made, writes the metrics of the tick, and clears the cells. */
#include "population.h"

FN void epidemic_record_member(const struct World *w, u32 tick, u32 member) {
    const struct Place p = place_of_member(w, member);
    u32 *count = w->count + member * 8, *stock = w->stock + member * 8;
    u64 *flow = w->flow + (u64)member * FLOWS;
    i64 *row = w->history + ((u64)tick * w->members + member) * METRICS;
    u64 persons = 0, infections = 0;
    for (u32 state = 0; state <= STATE_DEAD; state++) {
        persons += count[state];
        stock[state] = count[state];
        count[state] = 0;
    }
    if (persons != p.population && w->fault[member] == 0) w->fault[member] = tick + 1;
    for (u32 i = 0; i < 5; i++) {
        row[METRIC_INFECTED_COMMUNITY + i] = (i64)flow[i];
        infections += flow[i];
    }
    row[METRIC_SUSCEPTIBLE] = stock[STATE_SUSCEPTIBLE];
    row[METRIC_EXPOSED] = stock[STATE_EXPOSED];
    row[METRIC_INFECTIOUS] = (i64)stock[STATE_INFECTIOUS] + stock[STATE_SEVERE];
    row[METRIC_HOSPITAL] = stock[STATE_HOSPITAL];
    row[METRIC_RECOVERED] = stock[STATE_RECOVERED];
    row[METRIC_DEAD] = stock[STATE_DEAD];
    row[METRIC_NEW_INFECTIONS] = (i64)infections;
    row[METRIC_NEW_ADMISSIONS] = (i64)flow[FLOW_ADMISSIONS];
    row[METRIC_NEW_DEATHS] = (i64)flow[FLOW_DEATHS];
    row[METRIC_DOSES] = day_of(w, &p, tick)->doses;
    row[METRIC_WITHOUT_BED] =
        p.scenario->hospital && stock[STATE_HOSPITAL] > p.scenario->beds ? stock[STATE_HOSPITAL] - p.scenario->beds : 0;
    for (u32 i = 0; i < FLOWS; i++) flow[i] = 0;
}

MEMBER_KERNEL(epidemic_record)
