/* Phase `inherit`: each claim takes an equal part of the estate, the first heir what does not divide; links to households
 * that ended are cleared, links to those that merged or moved follow them. */
#include "crowd.h"

struct Inheritance {
    const struct World *w;
    const struct Home *home;
    u32 heir;
    u64 money;
};

/* What a link becomes; adds what it brings. `again`: the same link was already followed. */
FN u32 follow_link(struct Inheritance *i, u32 origin, u32 again) {
    const struct World *w = i->w;
    const u32 first = i->home->first_household, before = first + origin - 1;
    if (origin == 0 || w->fate[before] == 0) return origin;
    if (w->fate[before] == FATE_ENDED) {
        i->money += w->deposit[before] / w->heirs[before];
        if (w->first_heir[before] == ~(u64)i->heir && !again) i->money += w->deposit[before] % w->heirs[before];
        return 0;
    }
    const u32 now = household_now(w, i->home, origin) - first;
    return now == i->heir ? 0 : now + 1;
}

FN void civilisation_inherit_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->block_member[tile], tick) || is_crowd(w, w->block_region[tile])) return;
    const u32 region = w->block_region[tile];
    const struct Home h = home_of(w, w->block_member[tile]);
    struct Changes changes = no_changes();
    u64 inherited = 0;
    (void)lane, (void)lanes;
    const u8 *marked = w->mark;
    SCAN_EQUAL(u8, marked, MARK_KIN, at, w->block_begin[tile], w->block_end[tile]) {
        const u32 a = w->origin_a[at], b = w->origin_b[at];
        struct Inheritance i = {w, &h, at - h.first_household, 0};
        const u32 a_now = follow_link(&i, a, 0), b_now = follow_link(&i, b, a == b);
        set_origins(w, &h, &changes, at, a_now, b_now);
        if (i.money) set_deposit(w, &h, &changes, at, w->deposit[at] + i.money);
        inherited += i.money;
        w->mark[at] = 0;
    }
    flush_add(w->vital + (u64)region * VITALS + VITAL_INHERITED, inherited);
    flush_changes(w, h.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_inherit)
