/* How a crowd becomes persons again: as many citizens by year of birth, sex, skill and health as it counts, in as many
 * households and couples as it has, with all of its money and just the jobs that firms have filled.
 *
 * Who lives with whom is made up by rule. The eldest adults head households; couples and singles are spread evenly over the
 * heads of each sex, eldest with eldest. Whoever is left, the youngest adults and the minors, lives with a woman 18 to 42
 * years older if there is one, and the homes of such women take one each in turn. */
#ifndef CIVLAB_CIVILISATION_UNFOLD_H
#define CIVLAB_CIVILISATION_UNFOLD_H
#include "birthdays.h"
#include "jobs.h"
#include "transcendental.h"

#define YOUNGEST_MOTHER 18u
#define OLDEST_MOTHER 42u

struct Unfolding {
    const struct World *w;
    const struct Region *r;
    struct Changes *changes;
    u64 crowd;
    u32 tick, next;                /* citizen's slot */
    u32 women, men, minors;        /* adults by sex, and the rest */
    u32 households, couples;
    u32 mothers, fathers;          /* women and men who head a household */
    u32 single_men, young_heads;   /* minors who head one, where there are too few adults */
    u32 cursor;
    u32 mothers_from[CROWD_YEARS + 1]; /* heads among women who are older than those of a year, eldest first */
};

FN u32 counted(const struct Unfolding *u, u32 year, u32 woman, u32 learnt, u32 health) {
    return u->w->crowd_people[u->crowd * CROWD + year_cell(year) + class_cell(woman, learnt, health)];
}

FN u32 eldest_year(const struct Unfolding *u) { return newest_year(u->tick) - (CROWD_YEARS - 1); }

/* Week of birth of the k-th of n citizens of a class, so that as many are of an age as the crowd counted; adults and minors of
 * one year part where adults begin. */
FN u32 birthday(const struct Unfolding *u, u32 year, u32 woman, u32 learnt, u32 health, u32 k, u32 n) {
    const u32 weeks = weeks_of_year(year, u->tick), grown = weeks_past(weeks, ADULT * WEEKS);
    const u32 offset = birthday_offset(u->w, &u->r->home, u->r->region, year, class_cell(woman, learnt, health));
    const u32 begin = learnt == MINOR && grown < WEEKS ? grown : 0;
    const u32 end = learnt == MINOR ? (u32)least(weeks + 1, WEEKS) : grown ? grown : WEEKS;
    const u64 place = (u64)(k + 1) * (end - begin) - offset * (end - begin) / WEEKS;
    return year * WEEKS + begin + (u32)((place + n - 1) / n) - 1;
}

FN void count_crowd(struct Unfolding *u) {
    const u64 *homes = u->w->crowd_homes + u->crowd * HOMES;
    for (u32 cell = 0; cell < CROWD; cell++) {
        const u32 here = u->w->crowd_people[u->crowd * CROWD + cell], kind = cell % CROWD_CLASSES / HEALTHS;
        if (kind % LEARNT == MINOR) u->minors += here;
        else if (kind >= LEARNT) u->women += here;
        else u->men += here;
    }
    u->households = (u32)homes[HOMES_HOUSEHOLDS], u->couples = (u32)homes[HOMES_COUPLES];
}

/* How many adults of each sex head a household. */
FN void appoint_heads(struct Unfolding *u) {
    const u32 adults = u->women + u->men, heads = u->households + u->couples;
    const u32 others = (u32)minus(adults, heads);
    u32 daughters = adults ? (u32)((u64)others * u->women / adults) : 0, sons;
    daughters = (u32)least(daughters, u->women - u->couples), sons = others - daughters;
    if (sons > u->men - u->couples) daughters += sons - (u->men - u->couples), sons = u->men - u->couples;
    u->mothers = u->women - daughters, u->fathers = u->men - sons;
    u->single_men = u->fathers - u->couples;
    u->young_heads = u->households - u->mothers - u->single_men;
}

/* Couples among heads of a sex: whether the k-th of `heads` has a partner, how many before it have, which one is the q-th. */
FN u32 partnered_before(const struct Unfolding *u, u32 k, u32 heads) { return (u32)((u64)k * u->couples / heads); }
FN u32 partnered_one(const struct Unfolding *u, u32 q, u32 heads) {
    return (u32)(((u64)(q + 1) * heads + u->couples - 1) / u->couples) - 1;
}

FN void settle_person(struct Unfolding *u, u32 born, u32 traits, u32 home) {
    const struct Home *h = &u->r->home;
    settle_citizen(u->w, h, u->changes, u->next, born, traits, u->r->households + home - h->first_household + 1);
    u->w->size[u->r->households + home]++; /* its digest follows */
    u->next++;
}

/* Home of the k-th head of a sex. */
FN u32 home_of_head(const struct Unfolding *u, u32 woman, u32 k, u32 *partnered) {
    const u32 heads = woman ? u->mothers : u->fathers, before = partnered_before(u, k, heads);
    *partnered = partnered_before(u, k + 1, heads) > before;
    if (woman) return k;
    return *partnered ? partnered_one(u, before, u->mothers) : u->mothers + k - before;
}

FN void settle_heads(struct Unfolding *u, u32 woman) {
    const u32 heads = woman ? u->mothers : u->fathers, first = eldest_year(u);
    u32 seen = 0;
    for (u32 back = 0; back < CROWD_YEARS; back++) {
        if (woman) u->mothers_from[back] = seen;
        for (u32 learnt = 1; learnt < LEARNT; learnt++)
            for (u32 health = 0; health < HEALTHS; health++) {
                const u32 n = counted(u, first + back, woman, learnt, health);
                for (u32 k = 0; k < n && seen < heads; k++, seen++) {
                    u32 partnered;
                    const u32 home = home_of_head(u, woman, seen, &partnered);
                    settle_person(u, birthday(u, first + back, woman, learnt, health, k, n),
                                  traits_of(woman, learnt - 1, health, partnered), home);
                }
            }
    }
    if (woman) u->mothers_from[CROWD_YEARS] = seen;
}

/* Home of a citizen of a year of birth who heads none. */
FN u32 home_of_child(struct Unfolding *u, u32 back) {
    u32 low = u->mothers_from[back > OLDEST_MOTHER ? back - OLDEST_MOTHER : 0];
    u32 high = back < YOUNGEST_MOTHER ? low : u->mothers_from[back - YOUNGEST_MOTHER + 1];
    for (u32 attempt = 0; attempt < 2; attempt++) {
        const u32 homes = high - low, begin = homes ? u->cursor++ % homes : 0;
        for (u32 k = 0; k < homes; k++) {
            const u32 home = low + (begin + k) % homes;
            if (u->w->size[u->r->households + home] < MOST_MERGED) return home;
        }
        low = 0, high = u->households;
    }
    return 0;
}

/* Those who head no household: of a sex the adults after the first `heads`, and all minors. */
FN void settle_children(struct Unfolding *u, u32 woman, u32 *seen, u32 back) {
    const u32 heads = woman ? u->mothers : u->fathers, year = eldest_year(u) + back;
    for (u32 learnt = 0; learnt < LEARNT; learnt++)
        for (u32 health = 0; health < HEALTHS; health++) {
            const u32 n = counted(u, year, woman, learnt, health);
            for (u32 k = 0; k < n; k++) {
                const u32 skill = learnt == MINOR ? 0 : learnt - 1, born = birthday(u, year, woman, learnt, health, k, n);
                if (learnt != MINOR && *seen < heads) (*seen)++;
                else if (learnt == MINOR && u->young_heads)
                    settle_person(u, born, traits_of(woman, skill, health, 0), u->households - u->young_heads--);
                else
                    settle_person(u, born, traits_of(woman, skill, health, 0) | TRAIT_CHILD, home_of_child(u, back));
            }
        }
}

/* A log-normal factor, Q16, of a household. */
FN u64 fortune(const struct Unfolding *u, u32 household) {
    const struct Home *h = &u->r->home;
    const struct Block block = draw(u->w, h, u->tick, DRAW_FORTUNE, household - h->first_household, 0);
    return (u64)(exponential(normal_of(&block) * (double)h->people->spread / 4294967296.0) * 65536.0) + 1;
}

/* The crowd's money by largest remainders: deposits by citizens times a drawn factor, income by citizens. */
FN void part_money(struct Unfolding *u) {
    const struct World *w = u->w;
    const struct Home *h = &u->r->home;
    const u32 first = u->r->households, end = first + u->households;
    u64 *weight = w->elder + first, *share = w->queue + first, *rest = w->first_heir + first;
    for (u32 at = first; at < end; at++) w->elder[at] = w->size[at] * fortune(u, at);
    apportion(w->crowd_deposit[u->crowd], weight, u->households, share, rest);
    for (u32 at = first; at < end; at++) {
        set_deposit(w, h, u->changes, at, w->queue[at]);
        w->elder[at] = w->size[at];
    }
    apportion(w->crowd_income[u->crowd], weight, u->households, share, rest);
    for (u32 at = first; at < end; at++) {
        CHANGE(w, h, u->changes, INCOME, income, household, at, w->queue[at]);
        w->elder[at] = w->queue[at] = w->first_heir[at] = 0;
    }
}

/* Sizes' digests, and generations, whose sum stays. */
FN void note_homes(struct Unfolding *u) {
    const struct Home *h = &u->r->home;
    const u64 sum = u->w->crowd_homes[u->crowd * HOMES + HOMES_GENERATIONS];
    for (u32 k = 0; k < u->households; k++) {
        const u32 at = u->r->households + k, generation = (u32)(sum / u->households + (k < sum % u->households));
        note_change(u->changes, COLUMN_SIZE, at - h->first_household, sizeof *u->w->size, 0, u->w->size[at]);
        CHANGE(u->w, h, u->changes, GENERATION, generation, household, at, (u8)generation);
    }
}

/* Whether a citizen may have had a job in the week before. */
FN int could_work(const struct Unfolding *u, u32 at) {
    const u32 weeks = weeks_old(u->w->born[at], u->tick);
    return weeks >= ADULT * WEEKS && weeks <= u->r->home.scenario->retirement * WEEKS &&
           health_of(u->w->traits[at]) < HEALTH_ILL;
}

/* The jobs of a skill go to those who can have them in an order drawn anew. */
FN void hand_out_jobs(struct Unfolding *u, u32 skill) {
    const struct World *w = u->w;
    const struct Home *h = &u->r->home;
    const u32 begin = w->cluster_begin[u->r->region], end = w->cluster_end[u->r->region];
    const u64 jobs = staff_of(w, u->r->region, skill);
    const struct Block block = draw(w, h, u->tick, DRAW_CROWD_MATCH, u->r->region - h->first_region, skill);
    u32 able = 0, rank = 0, before = 0;
    for (u32 at = u->r->citizens; at < u->next; at++) able += could_work(u, at) && skill_of(w->traits[at]) == skill;
    shed(w, h, u->changes, u->r->region, skill, minus(jobs, able), first_u64(&block));
    for (u32 firm = begin; firm < end; firm++) {
        w->place[(u64)firm * SKILLS + skill] = before;
        before += w->staff[(u64)firm * SKILLS + skill];
    }
    const struct Permutation order = permutation(block, able);
    for (u32 at = u->r->citizens; at < u->next; at++) {
        if (!could_work(u, at) || skill_of(w->traits[at]) != skill) continue;
        const u32 place = permute(&order, rank++);
        if (place >= before) continue;
        const u32 firm = firm_of_place(w, begin, end, skill, place);
        CHANGE(w, h, u->changes, EMPLOYER, employer, citizen, at, firm - h->first_firm + 1);
    }
}

FN void empty_crowd(struct Unfolding *u) {
    const struct World *w = u->w;
    const struct Home *h = &u->r->home;
    for (u32 cell = 0; cell < CROWD; cell++) set_counted(w, h, u->changes, u->crowd, cell, 0);
    for (u32 k = 0; k < HOMES; k++) set_home(w, h, u->changes, u->crowd, k, 0);
    CHANGE(w, h, u->changes, CROWD_DEPOSIT, crowd_deposit, crowd, u->crowd, 0);
    CHANGE(w, h, u->changes, CROWD_INCOME, crowd_income, crowd, u->crowd, 0);
    CHANGE(w, h, u->changes, ZOOMED, zoomed, region, u->r->region, 0);
}

FN void unfold_region(const struct World *w, const struct Region *r, struct Changes *changes, u32 tick) {
    struct Unfolding u = {w, r, changes, crowd_of(&r->home, r->region), tick, r->citizens, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}};
    u32 daughters = 0, sons = 0;
    celebrate(w, &r->home, changes, r->region, tick);
    count_crowd(&u);
    if (u.women + u.men + u.minors > r->citizens_end - r->citizens || u.households > r->households_end - r->households) {
        const int citizens = u.women + u.men + u.minors > r->citizens_end - r->citizens;
        raise_fault(w->fault + r->home.member, tick, citizens ? FAULT_FULL_CITIZENS : FAULT_FULL_HOUSEHOLDS);
        return;
    }
    appoint_heads(&u);
    settle_heads(&u, TRAIT_WOMAN);
    settle_heads(&u, 0);
    for (u32 back = 0; back < CROWD_YEARS; back++) {
        settle_children(&u, TRAIT_WOMAN, &daughters, back);
        settle_children(&u, 0, &sons, back);
    }
    part_money(&u);
    note_homes(&u);
    for (u32 skill = 0; skill < SKILLS; skill++) hand_out_jobs(&u, skill);
    empty_crowd(&u);
}

#endif
