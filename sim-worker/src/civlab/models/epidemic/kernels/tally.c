/* Phase `tally`: counts every agent by state, from the state itself and not from the flows. */
#include "population.h"

FN void epidemic_tally_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    u32 *cell = w->count + p.member * 8;
    u32 found = 0;
    (void)tick;
    for (u32 state = STATE_EXPOSED; state <= STATE_DEAD; state++) {
        const u32 count = count_equal(w->state, p.begin, p.end, (u8)state, lane, lanes);
        flush_add32(cell + state, count);
    }
    found = count_equal(w->state, p.begin, p.end, STATE_SUSCEPTIBLE, lane, lanes);
    flush_add32(cell + STATE_SUSCEPTIBLE, found);
}

TILE_KERNEL(epidemic_tally)
