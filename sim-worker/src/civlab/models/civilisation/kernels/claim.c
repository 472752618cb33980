/* Phase `claim`: every household that came from one that ended claims a share of the estate; all whose links must change
 * are marked. */
#include "crowd.h"

FN void claim_from(const struct World *w, const struct Home *h, u32 heir, u32 origin) {
    const u32 ended = h->first_household + origin - 1;
    if (origin == 0 || w->fate[ended] == 0) return;
    w->mark[h->first_household + heir] = MARK_KIN;
    if (w->fate[ended] != FATE_ENDED) return;
    shared_add32(w->heirs + ended, 1);
    shared_max(w->first_heir + ended, ~(u64)heir);
}

FN void civilisation_claim_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->block_member[tile], tick) || is_crowd(w, w->block_region[tile])) return;
    const struct Home h = home_of(w, w->block_member[tile]);
    for (u32 at = w->block_begin[tile] + lane; at < w->block_end[tile]; at += lanes) {
        if (w->size[at] == 0) continue;
        claim_from(w, &h, at - h.first_household, w->origin_a[at]);
        claim_from(w, &h, at - h.first_household, w->origin_b[at]);
    }
}

TILE_KERNEL(civilisation_claim)
