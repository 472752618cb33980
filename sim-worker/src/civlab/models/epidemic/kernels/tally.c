/* Phase `tally`: counts every agent by state, from the state itself and not from the flows. */
#include "population.h"

FN void epidemic_tally_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    u32 *cell = w->count + p.member * 8;
    u32 counts[8];
    (void)tick;
    count_values(w->state, p.begin, p.end, lane, lanes, counts);
    for (u32 state = STATE_SUSCEPTIBLE; state <= STATE_DEAD; state++) flush_add32(cell + state, counts[state]);
}

TILE_KERNEL(epidemic_tally)
