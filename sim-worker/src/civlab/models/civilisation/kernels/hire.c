/* Phase `hire`: in each region and skill a keyed permutation puts all seekers in an order drawn anew; those whose place
 * is a vacancy's number get that job. So exactly as many are hired as the short side has, every seeker with the same
 * chance and into every vacancy alike, without a list. */
#include "crowd_work.h"
#include "economy.h"
#include "jobs.h"

FN void civilisation_hire_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 region = w->tile_region[tile], begin = w->tile_begin[tile], end = w->tile_end[tile];
    const struct Home h = home_of(w, w->tile_member[tile]);
    if (is_crowd(w, region)) {
        if (lane == 0 && is_first_tile(w, region, tile)) crowd_hire(w, &h, region, tick);
        return;
    }
    struct Permutation order[SKILLS];
    struct Changes changes = no_changes();
    u32 open[SKILLS], hired = 0;
    for (u32 k = 0; k < SKILLS; k++) {
        const u32 seekers = w->seeker[(u64)region * SKILLS + k];
        open[k] = w->vacancy[(u64)region * SKILLS + k];
        order[k] = permutation(draw(w, &h, tick, DRAW_MATCH, region - h.first_region, k),
                               seekers > open[k] ? seekers : open[k]);
    }
#if MANY_LANES
    for (u32 at = begin + lane; at < end; at += lanes) {
        const u32 cell = w->seeking[at];
        if (cell == 0) continue;
        u32 rank = w->tile_rank[(u64)tile * SKILLS + cell - 1];
        for (u32 other = begin; other < at; other++) rank += w->seeking[other] == cell;
#else
    u32 next[SKILLS];
    (void)lane, (void)lanes;
    for (u32 k = 0; k < SKILLS; k++) next[k] = w->tile_rank[(u64)tile * SKILLS + k];
    for (u32 at = begin; at < end; at++) {
        const u32 cell = w->seeking[at];
        if (cell == 0) continue;
        const u32 rank = next[cell - 1]++;
#endif
        const u32 place = permute(&order[cell - 1], rank);
        if (place >= open[cell - 1]) continue;
        const u32 firm = firm_of_place(w, w->cluster_begin[region], w->cluster_end[region], cell - 1, place);
        shared_add32(w->joined + (u64)firm * SKILLS + cell - 1, 1);
        CHANGE(w, &h, &changes, EMPLOYER, employer, citizen, at, firm - h.first_firm + 1);
        hired++;
    }
    flush_add(w->vital + (u64)region * VITALS + VITAL_HIRES, hired);
    flush_changes(w, h.member, PHASE_LABOUR, &changes);
}

TILE_KERNEL(civilisation_hire)
