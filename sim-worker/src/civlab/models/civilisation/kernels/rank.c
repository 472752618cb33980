/* Phase `rank`: numbers a region's seekers and vacancies by skill, the ranks in which they are matched. */
#include "crowd.h"
#include "economy.h"

FN void rank_seekers(const struct World *w, u32 region) {
    const u32 *tiles = w->region_tile + 2 * (u64)region;
    for (u32 k = 0; k < SKILLS; k++) {
        u32 count = 0;
        for (u32 tile = tiles[0]; tile < tiles[1]; tile++) {
            u32 *here = w->tile_seekers + (u64)tile * SKILLS + k;
            w->tile_rank[(u64)tile * SKILLS + k] = count;
            count += *here;
            *here = 0;
        }
        w->seeker[(u64)region * SKILLS + k] = count;
    }
}

FN void rank_vacancies(const struct World *w, const struct Place *p, struct Changes *changes) {
    u32 open[SKILLS] = {0};
    for (u32 firm = p->begin; firm < p->end; firm++)
        for (u32 k = 0; k < SKILLS; k++) {
            const u64 cell = (u64)firm * SKILLS + k;
            const u32 there = w->staff[cell] - w->left[cell];
            CHANGE_PART(w, &p->home, changes, STAFF, staff, firm, firm, SKILLS, k, there);
            w->left[cell] = 0;
            w->place[cell] = open[k];
            open[k] += w->want[cell] > there ? w->want[cell] - there : 0;
        }
    for (u32 k = 0; k < SKILLS; k++) w->vacancy[(u64)p->region * SKILLS + k] = open[k];
}

FN void civilisation_rank_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    struct Changes changes = no_changes();
    (void)tick, (void)lanes;
    if (lane == 0) {
        if (!is_crowd(w, tile)) rank_seekers(w, tile);
        rank_vacancies(w, &p, &changes);
        for (u32 k = 0; k < HEADS; k++) w->census[(u64)tile * HEADS + k] = 0;
    }
    flush_changes(w, p.home.member, PHASE_LABOUR, &changes);
}

TILE_KERNEL(civilisation_rank)
