/* Phase `respond`: tipping elements answer the warming and add to it; the sea rises. */
#include "climate.h"
#include "sea_level.h"
#include "tipping.h"

/* Advances element `e` of the member, and adds what it contributes to the warming. */
FN double tipped(double *state, u32 m, const struct TippingElement *e, double before, double years) {
    const double x = tipping_step(state[m], e, before, years);
    state[m] = x;
    return e->warming * tipped_share(x);
}

FN void climate_respond_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Constants *c = w->constants + w->tile_scenario[tile];
    const struct SeaLevelLaw sea = {c->sea_rate, c->sea_rapid, c->sea_equilibrium};
    const double years = c->years, rises = tick >= c->sea_from ? 1.0 : 0.0;
    const u32 end = w->tile_end[tile];
    struct TippingElement e[ELEMENTS];
    for (u32 i = 0; i < ELEMENTS; i++) {
        e[i].threshold = c->threshold[i];
        e[i].timescale = c->timescale[i];
        e[i].warming = c->tipped_warming[i];
    }
    const struct TippingElement greenland = e[0], antarctica = e[1], corals = e[2], amazon = e[3], permafrost = e[4],
                                overturning = e[5];
    VECTORISED
    for (u32 m = w->tile_begin[tile] + lane; m < end; m += lanes) {
        const double before = w->warming[m];
        const double added = tipped(w->tipping_greenland_ice, m, &greenland, before, years) +
                             tipped(w->tipping_west_antarctic_ice, m, &antarctica, before, years) +
                             tipped(w->tipping_coral_reefs, m, &corals, before, years) +
                             tipped(w->tipping_amazon, m, &amazon, before, years) +
                             tipped(w->tipping_boreal_permafrost, m, &permafrost, before, years) +
                             tipped(w->tipping_atlantic_overturning, m, &overturning, before, years);
        const double after = w->temperature_surface[m] + added;
        w->warming[m] = after;
        w->sea_level[m] = w->sea_level[m] + rises * sea_level_rise(&sea, before, after, years);
    }
}

TILE_KERNEL(climate_respond)
