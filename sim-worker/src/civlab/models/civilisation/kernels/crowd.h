/* The people of a region held as a crowd: counts by year of birth, sex, schooling and health instead of persons, with one
 * account, and firms' staff as it is.
 *
 * A year of birth is 52 weeks of `born`, its cells a place in a ring of CROWD_YEARS. Birthdays are spread evenly over it:
 * of n citizens floor((n k + a) / 52) have had theirs after k weeks, with an `a` below 52 drawn by region, year and class. */
#ifndef CIVLAB_CIVILISATION_CROWD_H
#define CIVLAB_CIVILISATION_CROWD_H
#include "people.h"

#define MINOR 0u /* schooling of a citizen who has not left school yet; else the skill plus one */
#define LEARNT (SKILLS + 1)

FN int is_crowd(const struct World *w, u32 region) { return w->zoomed[region]; }

FN u64 crowd_of(const struct Home *h, u32 region) { return h->first_crowd + (u64)(region - h->first_region); }

/* First of the cells of those born in a year, the last of CROWD_YEARS of them being `newest`. */
FN u32 year_cell(u32 year) { return year % CROWD_YEARS * CROWD_CLASSES; }
FN u32 class_cell(u32 woman, u32 learnt, u32 health) { return (woman * LEARNT + learnt) * HEALTHS + health; }

/* The years of birth at a tick: the newest, and the age in weeks of the first citizens born in a year. */
FN u32 newest_year(u32 tick) { return (tick + EPOCH) / WEEKS; }
FN u32 weeks_of_year(u32 year, u32 tick) { return tick + EPOCH - year * WEEKS; }

/* Weeks of birth, of the 52 of a year, whose citizens are so many weeks old or older; the first ones are `weeks` old. */
FN u32 weeks_past(u32 weeks, u32 limit) { return weeks < limit ? 0 : (u32)least(weeks - limit + 1, WEEKS); }

/* Where birthdays begin in a class of a year: below 52. */
FN u32 birthday_offset(const struct World *w, const struct Home *h, u32 region, u32 year, u32 group) {
    return draw(w, h, year, DRAW_CROWD_BIRTHDAY, region - h->first_region, group).word[0] % WEEKS;
}

/* How many of a class are so many weeks old or older. */
FN u32 part_past(const struct World *w, const struct Home *h, u32 region, u32 tick, u32 year, u32 group, u32 count,
                 u32 limit) {
    const u32 past = weeks_past(weeks_of_year(year, tick), limit);
    if (past == 0 || past == WEEKS) return past ? count : 0;
    return (u32)(((u64)count * past + birthday_offset(w, h, region, year, group)) / WEEKS);
}

FN void set_counted(const struct World *w, const struct Home *h, struct Changes *changes, u64 crowd, u32 cell, u32 count) {
    CHANGE_PART(w, h, changes, CROWD_PEOPLE, crowd_people, crowd, crowd, CROWD, cell, count);
}

FN void set_home(const struct World *w, const struct Home *h, struct Changes *changes, u64 crowd, u32 home, u64 count) {
    CHANGE_PART(w, h, changes, CROWD_HOMES, crowd_homes, crowd, crowd, HOMES, home, count);
}

/* A whole number that is a * b / d in the mean: rounded up with the chance of what division leaves. */
FN u64 rounded(u64 a, u64 b, u64 d, u64 drawn) {
    if (d == 0) return 0;
    return (u64)(((u128)a * b + (u64)(((u128)drawn * d) >> 64)) / d);
}

/* Nearly normal, of mean 0 and variance 1: a sum of eight uniform draws, whose variance is 8/12. */
FN double normal_of(const struct Block *block) {
    double sum = 0.0;
    for (u32 k = 0; k < 4; k++) sum = sum + (double)(block->word[k] & 0xffffu) + (double)(block->word[k] >> 16);
    return (sum / 65535.0 - 4.0) * 1.224744871391589;
}

/* Some of the places that a region's firms hold side by side, evenly spaced from a drawn one on (systematic sampling,
 * Madow and Madow 1944, Annals of Mathematical Statistics 15): each with the same chance, and as many as asked for. */
struct Spacing {
    u64 count, all, from;
};

FN struct Spacing spacing(u64 count, u64 all, u64 drawn) {
    const struct Spacing s = {count, all, (u64)(((u128)drawn * all) >> 64)};
    return s;
}

/* How many of them lie in [begin, end). */
FN u32 spaced(const struct Spacing *s, u64 begin, u64 end) {
    if (s->all == 0) return 0;
    return (u32)((end * s->count + s->from) / s->all - (begin * s->count + s->from) / s->all);
}

FN u64 staff_of(const struct World *w, u32 region, u32 skill) {
    u64 sum = 0;
    for (u32 firm = w->cluster_begin[region]; firm < w->cluster_end[region]; firm++)
        sum += w->staff[(u64)firm * SKILLS + skill];
    return sum;
}

/* Firms lose so many of their employees of a skill. */
FN void shed(const struct World *w, const struct Home *h, struct Changes *changes, u32 region, u32 skill, u64 count,
             u64 drawn) {
    const struct Spacing chosen = spacing(count, staff_of(w, region, skill), drawn);
    u64 before = 0;
    if (count == 0) return;
    for (u32 firm = w->cluster_begin[region]; firm < w->cluster_end[region]; firm++) {
        const u32 there = w->staff[(u64)firm * SKILLS + skill], gone = spaced(&chosen, before, before + there);
        before += there;
        CHANGE_PART(w, h, changes, STAFF, staff, firm, firm, SKILLS, skill, there - gone);
    }
}

#endif
