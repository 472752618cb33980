/* How a region's persons become a crowd: every citizen and household is counted and its slot emptied; firms keep their
 * staff, and nobody's money changes but its holder. */
#ifndef CIVLAB_CIVILISATION_FOLD_H
#define CIVLAB_CIVILISATION_FOLD_H
#include "crowd.h"

FN u32 cell_of(u32 born, u32 traits, u32 tick) {
    const u32 year = (u32)most(born / WEEKS, newest_year(tick) - (CROWD_YEARS - 1));
    const u32 learnt = years_old(born, tick) < ADULT ? MINOR : skill_of(traits) + 1;
    return year_cell(year) + class_cell(traits & TRAIT_WOMAN, learnt, health_of(traits));
}

/* Counts the citizens and empties their slots; adults, and couples, into `homes`. */
FN void fold_citizens(const struct World *w, const struct Region *r, struct Changes *changes, u32 tick, u64 homes[HOMES]) {
    const struct Home *h = &r->home;
    const u64 crowd = crowd_of(h, r->region);
    for (u32 at = r->citizens; at < r->citizens_end; at++) {
        if (w->household[at] == 0) continue;
        const u32 traits = w->traits[at], cell = cell_of(w->born[at], traits, tick);
        w->crowd_people[crowd * CROWD + cell]++; /* their digest follows once all are counted */
        homes[HOMES_ADULTS_THEN] += years_old(w->born[at], tick) >= ADULT;
        homes[HOMES_COUPLES] += (traits & TRAIT_WOMAN) && (traits & TRAIT_PARTNERED);
        CHANGE(w, h, changes, EMPLOYER, employer, citizen, at, 0);
        settle_citizen(w, h, changes, at, 0, 0, 0);
    }
    for (u32 cell = 0; cell < CROWD; cell++)
        note_change(changes, COLUMN_CROWD_PEOPLE, (crowd - h->first_crowd) * CROWD + cell, sizeof *w->crowd_people, 0,
                    w->crowd_people[crowd * CROWD + cell]);
}

FN void fold_region(const struct World *w, const struct Region *r, struct Changes *changes, u32 tick) {
    const struct Home *h = &r->home;
    const u64 crowd = crowd_of(h, r->region);
    u64 homes[HOMES] = {0}, deposit = 0, income = 0;
    fold_citizens(w, r, changes, tick, homes);
    for (u32 at = r->households; at < r->households_end; at++) {
        if (w->size[at] == 0) continue;
        deposit += w->deposit[at], income += w->income[at];
        homes[HOMES_HOUSEHOLDS]++, homes[HOMES_GENERATIONS] += w->generation[at];
        remove_household(w, h, changes, at);
    }
    homes[HOMES_HOUSEHOLDS_THEN] = homes[HOMES_HOUSEHOLDS], homes[HOMES_COUPLES_THEN] = homes[HOMES_COUPLES];
    for (u32 k = 0; k < HOMES; k++) set_home(w, h, changes, crowd, k, homes[k]);
    CHANGE(w, h, changes, CROWD_DEPOSIT, crowd_deposit, crowd, crowd, deposit);
    CHANGE(w, h, changes, CROWD_INCOME, crowd_income, crowd, crowd, income);
    CHANGE(w, h, changes, ZOOMED, zoomed, region, r->region, 1);
}

#endif
