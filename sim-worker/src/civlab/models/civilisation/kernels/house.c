/* Phase `house`: adds up the sizes of households, which must come to the citizens that were paid one by one; a crowd has
 * none, and is counted where it is paid. */
#include "crowd.h"

FN void civilisation_house_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    u32 sum = 0;
    (void)tick;
    if (is_crowd(w, w->block_region[tile])) return;
    for (u32 at = w->block_begin[tile] + lane; at < w->block_end[tile]; at += lanes) sum += w->size[at];
    flush_add32(w->census + (u64)w->block_region[tile] * HEADS + HEAD_HOUSED, sum);
}

TILE_KERNEL(civilisation_house)
