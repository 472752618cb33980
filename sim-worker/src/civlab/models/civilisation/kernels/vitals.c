/* Phase `vitals`: draws what befalls each citizen in a round, at most one event: u is laid on the chances side by side,
 * death first, so that each has just its chance. Health and schooling change at once; the rest is marked.
 *
 * Two neighbours share a block of random numbers. Singles look for a partner once a year, all of a region in one round and
 * the regions in turn, since a crowd finds more pairs than a few. */
#include "crowd.h"

/* Whether what is left of u falls on this chance. */
FN int falls_on(u64 *left, u64 chance) {
    if (*left < chance) return 1;
    *left -= chance;
    return 0;
}

FN int is_season(const struct People *p, u32 tick, u32 region) {
    return (tick / p->round + region) % (WEEKS / p->round) == 0;
}

FN u32 what_befalls(const struct People *p, u32 *traits, u32 age, u32 season, u64 left) {
    const u32 woman = *traits & TRAIT_WOMAN, health = health_of(*traits), partnered = *traits & TRAIT_PARTNERED;
    if (falls_on(&left, p->death[health][woman][age])) return EVENT_DEATH;
    if (woman && falls_on(&left, p->birth[age])) return EVENT_BIRTH;
    if (health < HEALTH_ILL && falls_on(&left, p->worsen[age])) {
        *traits += 8;
        return 0;
    }
    if (health > 0 && falls_on(&left, p->recover)) {
        *traits -= 8;
        return 0;
    }
    if (*traits & TRAIT_CHILD) return age >= ADULT && falls_on(&left, p->leave) ? EVENT_LEAVING : 0;
    if (season && !partnered && falls_on(&left, p->seek[age])) return EVENT_SEEKING;
    return (woman || !partnered) && falls_on(&left, p->move[age]) ? EVENT_THINKING : 0;
}

/* What is learnt at school, in the last round before a citizen may work. */
FN u32 schooled(const struct World *w, const struct Home *h, u32 tick, u32 at, u32 traits) {
    const struct Block block = draw(w, h, tick, DRAW_SCHOOL, at - h->first_citizen, 0);
    const u32 *skill = h->people->skill;
    return (traits & ~6u) | (u32)(!q31_happens(block.word[0], skill[0]) + !q31_happens(block.word[0], skill[1])) << 1;
}

/* Draws for a batch of pairs of neighbours from slot `at` on, apart from all else so that compilers make vectors of it. */
FN void draw_pairs(const struct World *w, const struct Home *h, u32 tick, u32 at, u64 drawn[2 * BATCH]) {
    for (u32 i = 0; i < BATCH; i++) {
        const struct Block block = draw(w, h, tick, DRAW_EVENT, (at - h->first_citizen) / 2 + i, 0);
        drawn[2 * i] = first_u64(&block);
        drawn[2 * i + 1] = second_u64(&block);
    }
}

struct Round {
    const struct World *w;
    const struct Home *home;
    u32 tick, season, retired;
    u32 may_work, work;
};

FN void live(struct Round *r, struct Changes *changes, u32 at, u64 drawn) {
    const struct World *w = r->w;
    const u32 before = w->traits[at], weeks = weeks_old(w->born[at], r->tick), adult = ADULT * WEEKS;
    const u32 age = (u32)least(weeks / WEEKS, AGES - 1);
    u32 traits = before, event = 0;
    if (drawn >> 1 < r->home->people->befall[r->season][age]) /* nothing befalls most, so most are done here */
        event = what_befalls(r->home->people, &traits, age, r->season, drawn >> 1);
    w->event[at] = (u8)event;
    if (weeks + r->home->people->round >= adult && weeks < adult) traits = schooled(w, r->home, r->tick, at, traits);
    if (traits != before) set_traits(w, r->home, changes, at, traits);
    const u32 able = weeks >= adult && weeks < r->retired && health_of(traits) < HEALTH_ILL;
    r->may_work += able;
    r->work += able && w->employer[at];
}

FN void civilisation_vitals_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->tile_member[tile], tick) || is_crowd(w, w->tile_region[tile])) return;
    const u32 region = w->tile_region[tile], end = w->tile_end[tile], step = 2 * BATCH;
    const struct Home h = home_of(w, w->tile_member[tile]);
    const u32 season = (u32)is_season(h.people, tick, region - h.first_region);
    struct Round r = {w, &h, tick, season, h.scenario->retirement * WEEKS, 0, 0};
    struct Changes changes = no_changes();
    for (u32 first = w->tile_begin[tile] + step * lane; first < end; first += step * lanes) {
        u64 drawn[2 * BATCH];
        u32 alive = 0;
        for (u32 i = 0; i < step; i++) alive |= w->household[first + i];
        if (alive == 0) continue;
        draw_pairs(w, &h, tick, first, drawn);
        for (u32 i = 0; i < step; i++)
            if (w->household[first + i]) live(&r, &changes, first + i, drawn[i]);
    }
    flush_add32(w->workforce + 2 * (u64)region, r.may_work);
    flush_add32(w->workforce + 2 * (u64)region + 1, r.work);
    flush_changes(w, h.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_vitals)
