/* What the rounds of people share: a region's slots, walks over what happens, and how citizens and households change.
 *
 * What happens is drawn by all lanes at once and marked; the few marks are walked in order by one lane of the region, so
 * that slots and households are given out in an order that nothing can change. */
#ifndef CIVLAB_CIVILISATION_PEOPLE_H
#define CIVLAB_CIVILISATION_PEOPLE_H
#include "civilisation.h"

#define FATE_ENDED 1u
#define FATE_MOVED 2u /* plus the household, counted within the member, that it went to */
#define MARK_BEREAVED 1u
#define MARK_KIN 1u /* after moves are done: a household it came from ended, merged or moved */
#define HEAD_LEFT 0xffffffffffffffffull /* of `elder`: a head is still there */
#define OWN_PLACE (REACH / 2)
#define FATES_AHEAD 1024u /* that are asked for before they are looked at */

/* Whether a tick ends with a round of the member's people. */
FN int is_round(const struct World *w, u32 member, u32 tick) {
    return (tick + 1) % w->people[w->member_scenario[member]].round == 0;
}

struct Region {
    struct Home home;
    u32 region;
    u32 citizens, citizens_end, households, households_end; /* slots */
};

FN struct Region region_of(const struct World *w, u32 region) {
    struct Region r;
    r.home = home_of(w, w->cluster_member[region]);
    r.region = region;
    r.citizens = w->region_citizen[2 * (u64)region];
    r.citizens_end = w->region_citizen[2 * (u64)region + 1];
    r.households = w->region_household[2 * (u64)region];
    r.households_end = w->region_household[2 * (u64)region + 1];
    return r;
}

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
typedef u64 EightCells;
#else
typedef u64 EightCells __attribute__((may_alias));
#endif

/* First slot from `at` on whose cell holds `value`, which is not zero; `end` if none does. Segments begin and end on
 * multiples of 64, so cells may be read by the eight. */
FN u32 next_with(const u8 *cells, u32 value, u32 at, u32 end) {
#if MANY_LANES
    while (at < end) {
        if ((at & 7u) == 0 && *(const EightCells *)(cells + at) == 0) {
            at += 8;
            continue;
        }
        if (cells[at] == value) return at;
        at++;
    }
#else
    while (at < end) {
        const u8 *run = cells + (at & ~63u);
        if (any_matches_u8(run, (u8)value)) {
            const u64 here = matches_u8(run, (u8)value) >> (at & 63u);
            if (here) return at + lowest_bit(here);
        }
        at = (at & ~63u) + 64;
    }
#endif
    return end;
}

#define FOR_EACH_EVENT(w, r, EVENT, at)                                                                       \
    for (u32 at = next_with((w)->event, EVENT, (r)->citizens, (r)->citizens_end); at < (r)->citizens_end;     \
         at = next_with((w)->event, EVENT, at + 1, (r)->citizens_end))

/* Slot of a citizen's household as it is now: after all that it has merged into in this round. */
FN u32 household_now(const struct World *w, const struct Home *h, u32 household_plus_one) {
    u32 at = h->first_household + household_plus_one - 1;
    while (w->fate[at] >= FATE_MOVED) at = h->first_household + w->fate[at] - FATE_MOVED;
    return at;
}

/* Whether none of sixteen households in a row, the first a multiple of sixteen, has a fate. */
FN int no_fates(const u32 *fate) {
    const EightCells *two = (const EightCells *)fate;
    will_read(fate + FATES_AHEAD);
    return (((two[0] | two[1]) | (two[2] | two[3])) | ((two[4] | two[5]) | (two[6] | two[7]))) == 0;
}

/* First vacant slot from `at` on; `end` if there is none. A household's slot that was left in this round still bears
 * its fate and stays vacant until the next. */
FN u32 vacant_citizen(const struct World *w, u32 at, u32 end) {
    while (at < end && w->household[at]) at++;
    return at;
}
FN u32 vacant_household(const struct World *w, u32 at, u32 end) {
    while (at < end && (w->size[at] || w->fate[at])) at++;
    return at;
}

FN void set_traits(const struct World *w, const struct Home *h, struct Changes *changes, u32 at, u32 traits) {
    CHANGE(w, h, changes, TRAITS, traits, citizen, at, (u8)traits);
}

FN void set_size(const struct World *w, const struct Home *h, struct Changes *changes, u32 household, u32 size) {
    CHANGE(w, h, changes, SIZE, size, household, household, (u8)size);
}

FN void set_deposit(const struct World *w, const struct Home *h, struct Changes *changes, u32 household, u64 deposit) {
    CHANGE(w, h, changes, DEPOSIT, deposit, household, household, deposit);
}

FN void set_origins(const struct World *w, const struct Home *h, struct Changes *changes, u32 household, u32 a, u32 b) {
    CHANGE(w, h, changes, ORIGIN_A, origin_a, household, household, a);
    CHANGE(w, h, changes, ORIGIN_B, origin_b, household, household, b);
}

/* Fills a vacant slot, without a job. */
FN void settle_citizen(const struct World *w, const struct Home *h, struct Changes *changes, u32 at, u32 born, u32 traits,
                       u32 household_plus_one) {
    CHANGE(w, h, changes, BORN, born, citizen, at, (u16)born);
    CHANGE(w, h, changes, HOUSEHOLD, household, citizen, at, household_plus_one);
    set_traits(w, h, changes, at, traits);
}

/* Empties a slot; an employer of the same region loses the employee. */
FN void remove_citizen(const struct World *w, const struct Home *h, struct Changes *changes, u32 at) {
    if (w->employer[at]) {
        const u32 firm = h->first_firm + w->employer[at] - 1, skill = skill_of(w->traits[at]);
        const u32 staff = w->staff[(u64)firm * SKILLS + skill] - 1;
        CHANGE_PART(w, h, changes, STAFF, staff, firm, firm, SKILLS, skill, staff);
        CHANGE(w, h, changes, EMPLOYER, employer, citizen, at, 0);
    }
    settle_citizen(w, h, changes, at, 0, 0, 0);
}

/* Fills or empties a household's slot but for its size. */
FN void settle_household(const struct World *w, const struct Home *h, struct Changes *changes, u32 at, u64 deposit,
                         u64 income, u32 generation) {
    set_deposit(w, h, changes, at, deposit);
    CHANGE(w, h, changes, INCOME, income, household, at, income);
    CHANGE(w, h, changes, GENERATION, generation, household, at, (u8)least(generation, 255));
}

FN void remove_household(const struct World *w, const struct Home *h, struct Changes *changes, u32 at) {
    settle_household(w, h, changes, at, 0, 0, 0);
    set_origins(w, h, changes, at, 0, 0);
    set_size(w, h, changes, at, 0);
}

/* Two households of a region become one; the citizens follow the fate of theirs. Links to origins are the caller's. */
FN void merge_households(const struct World *w, const struct Home *h, struct Changes *changes, u32 from, u32 into) {
    const u32 generation = (u32)most(w->generation[into], w->generation[from]);
    settle_household(w, h, changes, into, w->deposit[into] + w->deposit[from], w->income[into] + w->income[from], generation);
    set_size(w, h, changes, into, w->size[into] + w->size[from]);
    remove_household(w, h, changes, from);
    w->fate[from] = into - h->first_household + FATE_MOVED;
}
#define MOST_MERGED 255u

FN void add_vital(const struct World *w, u32 region, u32 vital, u64 amount) {
    if (amount) add_to(w->vital + (u64)region * VITALS + vital, amount);
}

#endif
