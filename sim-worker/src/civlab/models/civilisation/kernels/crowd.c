/* Phase `crowd`: the birthdays of a crowd's week and, in a round of people, its deaths, births and changes of health, by the
 * chances by which persons meet them: of so many citizens of a class a whole number, right in the mean. */
#include "birthdays.h"

struct Round {
    const struct World *w;
    const struct Home *home;
    u64 crowd;
    u32 region, tick;
    u64 births, deaths;
    u64 able[SKILLS]; /* who could work before the round */
    u64 lost[SKILLS]; /* of them, who died or fell ill, times 52 */
    u64 ill[SKILLS];  /* of these, who fell ill */
};

/* A chance of citizens of a year of birth, `part` of whose 52 weeks have reached the age: the mean by weeks. */
FN u64 mean_chance(const u64 *chance, u32 age, u32 younger, u32 part) {
    return (u64)(((u128)chance[age] * part + (u128)chance[younger] * (WEEKS - part)) / WEEKS);
}

/* What befalls the citizens of a class: by the same order of chances as a person's, one draw for all of them. */
FN void live_class(struct Round *r, u32 year, u32 woman, u32 learnt, u32 health, u32 n, u32 *next) {
    const u32 weeks = weeks_of_year(year, r->tick), group = class_cell(woman, learnt, health);
    const struct People *p = r->home->people;
    const u32 age = (u32)least(weeks / WEEKS, AGES - 1), before = weeks < WEEKS ? 0 : weeks / WEEKS - 1;
    const u32 younger = (u32)least(before, AGES - 1), part = weeks % WEEKS + 1;
    const struct Block block = draw(r->w, r->home, r->tick, DRAW_CROWD_EVENT, r->region - r->home->first_region,
                                    year_cell(year) + group);
    const u64 one = (u64)1 << 63, drawn = first_u64(&block);
    u64 upto[4], so_far[4];
    upto[0] = mean_chance(p->death[health][woman], age, younger, part);
    upto[1] = upto[0] + (woman ? mean_chance(p->birth, age, younger, part) : 0);
    upto[2] = least(upto[1], one) + (health < HEALTH_ILL ? mean_chance(p->worsen, age, younger, part) : 0);
    upto[3] = least(upto[2], one) + (health ? p->recover : 0);
    for (u32 k = 0; k < 4; k++) so_far[k] = rounded(n, least(upto[k], one), one, drawn);
    const u32 worse = (u32)(so_far[2] - so_far[1]), better = (u32)(so_far[3] - so_far[2]);
    next[health] += n - (u32)so_far[0] - worse - better;
    if (worse) next[health + 1] += worse;
    if (better) next[health - 1] += better;
    r->deaths += so_far[0], r->births += so_far[1] - so_far[0];
    if (learnt == MINOR || health >= HEALTH_ILL) return;
    const u32 retirement = r->home->scenario->retirement * WEEKS;
    r->able[learnt - 1] += n - part_past(r->w, r->home, r->region, r->tick, year, group, n, retirement);
    const u64 ill = health + 1 == HEALTH_ILL ? worse : 0, young = WEEKS - weeks_past(weeks, retirement);
    r->lost[learnt - 1] += (so_far[0] + ill) * young, r->ill[learnt - 1] += ill * young;
}

FN void live_year(struct Round *r, struct Changes *changes, u32 year) {
    const u32 first = year_cell(year);
    for (u32 kind = 0; kind < 2 * LEARNT; kind++) {
        u32 next[HEALTHS] = {0}, *count = r->w->crowd_people + r->crowd * CROWD + first + kind * HEALTHS;
        for (u32 health = 0; health < HEALTHS; health++)
            if (count[health])
                live_class(r, year, kind / LEARNT, kind % LEARNT, health, count[health], next);
        for (u32 health = 0; health < HEALTHS; health++)
            set_counted(r->w, r->home, changes, r->crowd, first + kind * HEALTHS + health, next[health]);
    }
}

FN void bear(struct Round *r, struct Changes *changes, u64 drawn) {
    const u32 first = year_cell(newest_year(r->tick));
    const u64 boys = rounded(r->births, r->home->people->boys, Q31_ONE, drawn), of_sex[2] = {boys, r->births - boys};
    for (u32 woman = 0; woman < 2; woman++) {
        const u32 cell = first + class_cell(woman, MINOR, 0);
        set_counted(r->w, r->home, changes, r->crowd, cell, r->w->crowd_people[r->crowd * CROWD + cell] + (u32)of_sex[woman]);
    }
}

/* Adults by sex and everybody. */
struct Headcount {
    u64 adults[2], people;
};

FN struct Headcount headcount(const struct World *w, u64 crowd) {
    struct Headcount c = {{0, 0}, 0};
    for (u32 cell = 0; cell < CROWD; cell++) {
        const u32 here = w->crowd_people[crowd * CROWD + cell], kind = cell % CROWD_CLASSES / HEALTHS;
        c.people += here;
        if (kind % LEARNT != MINOR) c.adults[kind / LEARNT] += here;
    }
    return c;
}

/* Households and couples keep their number by adult, as it was when the crowd was made (the method of headship rates:
 * United Nations 1973, Manual VII), within what its people allow. */
FN void keep_house(const struct World *w, const struct Home *h, struct Changes *changes, u64 crowd, const struct Headcount *c) {
    const u64 *homes = w->crowd_homes + crowd * HOMES, adults = c->adults[0] + c->adults[1];
    const u64 then = homes[HOMES_ADULTS_THEN], before = homes[HOMES_HOUSEHOLDS];
    u64 couples = then ? (2 * adults * homes[HOMES_COUPLES_THEN] + then) / (2 * then) : homes[HOMES_COUPLES];
    u64 households = then ? (2 * adults * homes[HOMES_HOUSEHOLDS_THEN] + then) / (2 * then) : before;
    couples = least(couples, least(c->adults[0], c->adults[1]));
    households = least(households, adults ? adults - couples : c->people);
    households = most(households, most(couples, (c->people + MOST_MERGED - 1) / MOST_MERGED));
    const u64 generations = times_over(homes[HOMES_GENERATIONS], households, before);
    set_home(w, h, changes, crowd, HOMES_COUPLES, couples);
    set_home(w, h, changes, crowd, HOMES_GENERATIONS, generations);
    set_home(w, h, changes, crowd, HOMES_HOUSEHOLDS, households);
}

/* What a crowd leaves in which nobody is left. */
FN void leave_estate(const struct World *w, const struct Home *h, struct Changes *changes, u32 region, u64 crowd) {
    add_vital(w, region, VITAL_ESTATES, w->crowd_deposit[crowd]);
    add_vital(w, region, VITAL_UNCLAIMED, w->crowd_deposit[crowd]);
    CHANGE(w, h, changes, CROWD_DEPOSIT, crowd_deposit, crowd, crowd, 0);
    CHANGE(w, h, changes, CROWD_INCOME, crowd_income, crowd, crowd, 0);
}

FN void live_round(const struct World *w, const struct Home *h, struct Changes *changes, u32 region, u32 tick) {
    struct Round r = {w, h, crowd_of(h, region), region, tick, 0, 0, {0}, {0}, {0}};
    const struct Block block = draw(w, h, tick, DRAW_CROWD_EVENT, region - h->first_region, CROWD);
    for (u32 back = 0; back < CROWD_YEARS; back++) live_year(&r, changes, newest_year(tick) - back);
    bear(&r, changes, first_u64(&block));
    for (u32 k = 0; k < SKILLS; k++) {
        const struct Block jobs = draw(w, h, tick, DRAW_CROWD_EVENT, region - h->first_region, CROWD + 1 + k);
        const u64 employed = staff_of(w, region, k);
        const u64 gone = least(rounded(r.lost[k], employed, WEEKS * r.able[k], first_u64(&jobs)), employed);
        shed(w, h, changes, region, k, gone, second_u64(&jobs));
        add_vital(w, region, VITAL_SEPARATIONS, times_over(gone, r.ill[k], r.lost[k])); /* a death ends no job */
    }
    const struct Headcount count = headcount(w, r.crowd);
    keep_house(w, h, changes, r.crowd, &count);
    if (count.people == 0) leave_estate(w, h, changes, region, r.crowd);
    add_vital(w, region, VITAL_BIRTHS, r.births);
    add_vital(w, region, VITAL_DEATHS, r.deaths);
}

/* What the crowd's citizens are this week. */
FN void count_heads(const struct World *w, const struct Home *h, u32 region, u32 tick) {
    const u64 crowd = crowd_of(h, region);
    const u32 retirement = h->scenario->retirement * WEEKS;
    u32 head[TALLIES] = {0};
    for (u32 back = 0; back < CROWD_YEARS; back++) {
        const u32 year = newest_year(tick) - back, *count = w->crowd_people + crowd * CROWD + year_cell(year);
        for (u32 c = 0; c < CROWD_CLASSES; c++) {
            const u32 learnt = c / HEALTHS % LEARNT, health = c % HEALTHS, n = count[c];
            if (n == 0) continue;
            const u32 old = learnt == MINOR ? 0 : part_past(w, h, region, tick, year, c, n, retirement);
            head[TALLY_PEOPLE] += n, head[TALLY_RETIRED] += old;
            if (learnt == MINOR) head[TALLY_MINORS] += n;
            else if (health < HEALTH_ILL) {
                head[TALLY_ABLE_BASIC + learnt - 1] += n - old;
                head[TALLY_RETIRING_BASIC + learnt - 1] += old - part_past(w, h, region, tick - 1, year, c, n, retirement);
            }
        }
    }
    for (u32 k = 0; k < TALLIES; k++) w->crowd_tally[crowd * TALLIES + k] = head[k];
}

FN int is_switch(const struct World *w, u32 region, u32 tick) {
    for (u32 at = w->region_switch[2 * (u64)region]; at < w->region_switch[2 * (u64)region + 1]; at++)
        if (w->switch_week[at] == tick) return 1;
    return 0;
}

FN void civilisation_crowd_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_crowd(w, tile)) return;
    const struct Home h = home_of(w, w->cluster_member[tile]);
    struct Changes changes = no_changes();
    (void)lanes;
    if (lane == 0) {
        if (!is_switch(w, tile, tick)) celebrate(w, &h, &changes, tile, tick); /* persons had their own this week */
        if (is_round(w, h.member, tick)) live_round(w, &h, &changes, tile, tick);
        count_heads(w, &h, tile, tick);
    }
    flush_changes(w, h.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_crowd)
