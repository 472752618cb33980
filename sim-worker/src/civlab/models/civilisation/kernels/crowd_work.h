/* A crowd's week of work: as many leave, apply and begin as persons would in the mean. The region's first tile does it. */
#ifndef CIVLAB_CIVILISATION_CROWD_WORK_H
#define CIVLAB_CIVILISATION_CROWD_WORK_H
#include "crowd.h"

#define WEEK_LEAVING 1u /* numbers of a region's draws of DRAW_CROWD_WORK; 0 is a firm's */
#define WEEK_HIRING (1u + SKILLS)
#define WEEK_SEEKING (1u + 2 * SKILLS)
#define FEW 16u /* who are asked one by one */

FN int is_first_tile(const struct World *w, u32 region, u32 tile) { return w->region_tile[2 * (u64)region] == tile; }

/* Jobs that end by notice or by themselves; adds up what is left of them. */
FN void crowd_notices(const struct World *w, const struct Home *h, u32 region, u32 tick, u64 left[SKILLS], u64 stay[SKILLS]) {
    for (u32 firm = w->cluster_begin[region]; firm < w->cluster_end[region]; firm++) {
        const struct Block block = draw(w, h, tick, DRAW_CROWD_WORK, firm - h->first_firm, 0);
        for (u32 k = 0; k < SKILLS; k++) {
            const u64 cell = (u64)firm * SKILLS + k, staff = w->staff[cell];
            const u64 gone = least((staff * w->lapse[cell] + block.word[k]) >> 32, staff);
            w->left[cell] = (u32)gone;
            left[k] += gone, stay[k] += staff - gone;
        }
    }
}

/* Of those who stay some retire: the part of those who may work whose birthday it is, and all who would be too many. */
FN u64 crowd_retirements(const struct World *w, const struct Home *h, u32 region, u32 tick, u32 k, u64 stay) {
    const u32 *head = w->crowd_tally + crowd_of(h, region) * TALLIES;
    const u64 able = head[TALLY_ABLE_BASIC + k], retiring = head[TALLY_RETIRING_BASIC + k];
    const struct Block block = draw(w, h, tick, DRAW_CROWD_WORK, region - h->first_region, WEEK_LEAVING + k);
    const u64 gone = most(least(rounded(retiring, stay, able + retiring, first_u64(&block)), stay), minus(stay, able));
    const struct Spacing chosen = spacing(gone, stay, second_u64(&block));
    u64 before = 0;
    for (u32 firm = w->cluster_begin[region]; firm < w->cluster_end[region]; firm++) {
        const u64 cell = (u64)firm * SKILLS + k, there = w->staff[cell] - w->left[cell];
        w->left[cell] += spaced(&chosen, before, before + there);
        before += there;
    }
    return gone;
}

/* How many of `idle` apply, each with the chance that the scenario gives: one by one where they are few, else by the normal
 * law that the binomial one comes near to. Their number must vary as that of persons does, since what is short in a market
 * depends on it. */
FN u64 crowd_seekers(const struct World *w, const struct Home *h, u32 region, u32 tick, u32 k, u64 idle) {
    const u64 search = h->scenario->search;
    const u32 number = WEEK_SEEKING + k * FEW;
    struct Block block = draw(w, h, tick, DRAW_CROWD_WORK, region - h->first_region, number);
    if (idle <= FEW) {
        u64 count = 0;
        for (u32 i = 0; i < idle; i++) {
            if (i && i % 4 == 0) block = draw(w, h, tick, DRAW_CROWD_WORK, region - h->first_region, number + i / 4);
            count += block.word[i % 4] < search;
        }
        return count;
    }
    const double chance = (double)search / 4294967296.0, mean = (double)idle * chance;
    const double count = mean + normal_of(&block) * square_root(mean * (1.0 - chance)) + 0.5;
    return count > 0.0 ? least((u64)count, idle) : 0;
}

FN void crowd_part(const struct World *w, const struct Home *h, u32 region, u32 tick) {
    const u32 *head = w->crowd_tally + crowd_of(h, region) * TALLIES;
    u64 left[SKILLS] = {0}, stay[SKILLS] = {0}, separations = 0;
    crowd_notices(w, h, region, tick, left, stay);
    for (u32 k = 0; k < SKILLS; k++) {
        const u64 retired = crowd_retirements(w, h, region, tick, k, stay[k]);
        const u64 idle = minus(head[TALLY_ABLE_BASIC + k], left[k] + stay[k] - retired);
        w->seeker[(u64)region * SKILLS + k] = (u32)crowd_seekers(w, h, region, tick, k, idle);
        separations += left[k] + retired;
    }
    add_to(w->vital + (u64)region * VITALS + VITAL_SEPARATIONS, separations);
}

/* Every vacancy is filled with the same chance. */
FN void crowd_hire(const struct World *w, const struct Home *h, u32 region, u32 tick) {
    const u32 begin = w->cluster_begin[region], end = w->cluster_end[region];
    u64 hired = 0;
    for (u32 k = 0; k < SKILLS; k++) {
        const u64 open = w->vacancy[(u64)region * SKILLS + k], hires = least(open, w->seeker[(u64)region * SKILLS + k]);
        const struct Block block = draw(w, h, tick, DRAW_CROWD_WORK, region - h->first_region, WEEK_HIRING + k);
        const struct Spacing chosen = spacing(hires, open, first_u64(&block));
        for (u32 firm = begin; firm < end; firm++) {
            const u64 upto = firm + 1 < end ? w->place[(u64)(firm + 1) * SKILLS + k] : open;
            w->joined[(u64)firm * SKILLS + k] = spaced(&chosen, w->place[(u64)firm * SKILLS + k], upto);
        }
        hired += hires;
    }
    add_to(w->vital + (u64)region * VITALS + VITAL_HIRES, hired);
}

#endif
