/* A crowd's birthdays: citizens leave school when they come of age, and a new year of birth takes the place of the oldest. */
#ifndef CIVLAB_CIVILISATION_BIRTHDAYS_H
#define CIVLAB_CIVILISATION_BIRTHDAYS_H
#include "crowd.h"

/* The oldest citizens become one year of birth with the next, whose place in the ring is then free for the newborn. */
FN void join_oldest(const struct World *w, const struct Home *h, struct Changes *changes, u64 crowd, u32 newest) {
    const u32 from = year_cell(newest), into = year_cell(newest + 1);
    for (u32 c = 0; c < CROWD_CLASSES; c++) {
        const u32 oldest = w->crowd_people[crowd * CROWD + from + c];
        set_counted(w, h, changes, crowd, into + c, w->crowd_people[crowd * CROWD + into + c] + oldest);
        set_counted(w, h, changes, crowd, from + c, 0);
    }
}

/* So many citizens of a class leave school with what they have learnt. */
FN void school(const struct World *w, const struct Home *h, struct Changes *changes, u64 crowd, u32 first, u32 woman,
               u32 health, u32 count, u64 drawn) {
    u32 before = 0;
    const u32 minors = first + class_cell(woman, MINOR, health);
    for (u32 k = 0; k < SKILLS; k++) {
        const u64 upto = k < SKILLS - 1 ? h->people->skill[k] : Q31_ONE;
        const u32 here = (u32)least(rounded(count, upto, Q31_ONE, drawn), count);
        const u32 cell = first + class_cell(woman, k + 1, health);
        set_counted(w, h, changes, crowd, cell, w->crowd_people[crowd * CROWD + cell] + here - before);
        before = here;
    }
    set_counted(w, h, changes, crowd, minors, w->crowd_people[crowd * CROWD + minors] - count);
}

/* What a tick's birthdays change. Of those who come of age in the course of a year the part of one week, so that after the
 * last one all have. */
FN void celebrate(const struct World *w, const struct Home *h, struct Changes *changes, u32 region, u32 tick) {
    const u64 crowd = crowd_of(h, region);
    const u32 newest = newest_year(tick);
    if ((tick + EPOCH) % WEEKS == 0) join_oldest(w, h, changes, crowd, newest);
    const u32 year = newest - ADULT, first = year_cell(year), left = WEEKS + 1 - weeks_past(weeks_of_year(year, tick), ADULT * WEEKS);
    for (u32 woman = 0; woman < 2; woman++)
        for (u32 health = 0; health < HEALTHS; health++) {
            const u32 minors = w->crowd_people[crowd * CROWD + first + class_cell(woman, MINOR, health)];
            if (minors == 0) continue;
            const struct Block block = draw(w, h, tick, DRAW_CROWD_SCHOOL, region - h->first_region, woman * HEALTHS + health);
            const u32 grown = (u32)least(rounded(minors, 1, left, first_u64(&block)), minors);
            school(w, h, changes, crowd, first, woman, health, grown, second_u64(&block));
        }
}

#endif
