/* Where a citizen, a household and a firm lie, and how state is changed so that its digest stays true. */
#ifndef CIVLAB_CIVILISATION_H
#define CIVLAB_CIVILISATION_H
#include "layout.h"
#include "changes.h"
#include "fixed.h"
#include "permutation.h"
#include "share.h"
#include "wide.h"

#define BASE_PRICE 10000u /* every price at the start, in money a lot */
#define Q32_ONE 0x100000000ull

/* What a kernel needs to know of the member, read once. `first_…` are the member's first slots. */
struct Home {
    const struct Scenario *scenario;
    const struct People *people;
    const struct Land *lands;
    u32 member, stream;
    u32 first_citizen, first_household, first_firm, first_region, first_nation, first_bank, first_crowd, first_member;
};

FN struct Home home_of(const struct World *w, u32 member) {
    struct Home h;
    const u32 number = w->member_scenario[member];
    h.scenario = w->scenario + number;
    h.people = w->people + number;
    h.lands = w->lands + number;
    h.member = member;
    h.stream = w->member_stream[member];
    h.first_citizen = w->member_citizen[member];
    h.first_household = w->member_household[member];
    h.first_firm = w->member_firm[member];
    h.first_region = w->member_region[member];
    h.first_nation = w->member_nation[member];
    h.first_bank = w->member_bank[member];
    h.first_crowd = w->member_crowd[member];
    h.first_member = member;
    return h;
}

FN struct Block draw(const struct World *w, const struct Home *h, u32 tick, u32 name, u32 entity, u32 number) {
    return draw_block(w->seed, h->stream, tick, name, entity, number);
}

/* Slot of the nation of a region's slot. */
FN u32 nation_of_region(const struct World *w, const struct Home *h, u32 region) {
    return h->first_nation + w->region_nation[region];
}

/* traits */
#define TRAIT_WOMAN 1u
#define TRAIT_PARTNERED 32u
#define TRAIT_CHILD 64u /* lives in the household of parents; who does not is a head of the household */
FN u32 skill_of(u32 traits) { return traits >> 1 & 3u; }
FN u32 health_of(u32 traits) { return traits >> 3 & 3u; } /* 0 well … 2 ill; the ill neither work nor seek work */
FN u32 traits_of(u32 woman, u32 skill, u32 health, u32 partnered) {
    return woman | skill << 1 | health << 3 | (partnered ? TRAIT_PARTNERED : 0);
}
#define HEALTH_ILL 2u

FN u32 weeks_old(u32 born, u32 tick) { return tick + EPOCH - born; }
FN u32 years_old(u32 born, u32 tick) { return weeks_old(born, tick) / WEEKS; }

/* Sets an element of a dynamic column of `per` KIND, whose member's first slot is h->first_KIND, and notes the change
 * of the digest. CHANGE for one element an entity, CHANGE_PART for element `part` of `width`; both for any integer. */
#define CHANGE(w, h, changes, COLUMN, column, kind, at, value)                                                      \
    do {                                                                                                            \
        const u64 before_ = (u64)(w)->column[at], after_ = (u64)(value);                                            \
        if (before_ != after_) {                                                                                    \
            note_change(changes, COLUMN_##COLUMN, (u64)(at) - (h)->first_##kind, sizeof *(w)->column, before_,      \
                        after_);                                                                                    \
            (w)->column[at] = value;                                                                                \
        }                                                                                                           \
    } while (0)
#define CHANGE_PART(w, h, changes, COLUMN, column, kind, at, width, part, value)                                    \
    do {                                                                                                            \
        const u64 cell_ = (u64)(at) * (width) + (part);                                                             \
        const u64 before_ = (u64)(w)->column[cell_], after_ = (u64)(value);                                         \
        if (before_ != after_) {                                                                                    \
            note_change(changes, COLUMN_##COLUMN, cell_ - (u64)(h)->first_##kind * (width), sizeof *(w)->column,    \
                        before_, after_);                                                                           \
            (w)->column[cell_] = value;                                                                             \
        }                                                                                                           \
    } while (0)

/* Adds to a 64-bit cell; may be called in branches. */
#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
FN void add_to(u64 *cell, u64 value) { atomicAdd(cell, value); }
/* The same for a cell that no other tile of the launch adds to. */
FN void add_alone(u64 *cell, u64 value) { atomicAdd(cell, value); }
#else
FN void add_to(u64 *cell, u64 value) { __atomic_fetch_add(cell, value, __ATOMIC_RELAXED); }
FN void add_alone(u64 *cell, u64 value) { *cell += value; }
#endif

/* floor(a * b / d) for a quotient that fits; zero for d = 0. */
/* kg of carbon are g a GJ times mJ over this. */
#define CARBON_UNIT 1000000000000000ull

FN u64 times_over(u64 a, u64 b, u64 d) { return d ? (u64)((u128)a * b / d) : 0; }
/* floor(a * b / 2^32) */
FN u64 times_q32(u64 a, u64 b) { return (u64)(((u128)a * b) >> 32); }
FN u64 least(u64 a, u64 b) { return a < b ? a : b; }
FN u64 most(u64 a, u64 b) { return a > b ? a : b; }
FN u64 minus(u64 a, u64 b) { return a > b ? a - b : 0; }
/* 1 for an amount that fell below zero: it would be beyond half of its range. */
FN u64 below_zero(u64 amount) { return amount >> 63; }
FN i64 within(i64 x, i64 low, i64 high) { return x < low ? low : x > high ? high : x; }

#endif
