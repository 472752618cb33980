/* Phase `settle`: every claimed person is infected by the claim that won, and the claims are cleared. */
#include "population.h"

FN void epidemic_settle_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    struct Changes changes = no_changes();
    const u8 *claimed = w->claimed;
    u64 infections[4] = {0, 0, 0, 0};
    (void)lane, (void)lanes;
    SCAN_EQUAL(u8, claimed, 1, at, p.begin, p.end) {
        const u64 claim = w->claim[at];
        const u32 layer = (u32)(claim >> 32) & 3u;
        w->claimed[at] = 0;
        w->claim[at] = CLAIM_NONE;
        infect(w, &p, &changes, at - p.first, tick, (u32)claim + 1, ORIGIN_COMMUNITY + layer);
        infections[layer]++;
    }
    flush_changes(w, p.member, PHASE_SETTLE, &changes);
    for (u32 layer = 0; layer < 4; layer++) flush_add(w->flow + (u64)p.member * FLOWS + layer, infections[layer]);
}

TILE_KERNEL(epidemic_settle)
