/* Phase `arrive`: a region takes in those who move to it, from the places of its disc in order and each place's movers in
 * order, into its first vacant slots. Where they come from nothing changes yet but the fate of their households, which
 * only the region that takes them in writes. */
#include "people.h"

struct Arrival {
    const struct World *w;
    const struct Region *to;
    struct Changes *changes;
    u32 household_slot, citizen_slot, arrivals, fault;
};

/* Whether a household of region `from` moves to this region. */
FN int comes_here(const struct Arrival *a, u32 from, u32 household) {
    const u32 place = a->w->mark[household] - 1u;
    return a->w->reach[(u64)from * REACH + place] == a->to->region - a->to->home.first_region + 1;
}

FN void take_in_household(struct Arrival *a, u32 household) {
    const struct World *w = a->w;
    const struct Home *h = &a->to->home;
    const u32 slot = vacant_household(w, a->household_slot, a->to->households_end);
    a->household_slot = slot;
    if (slot == a->to->households_end) {
        note_fault(&a->fault, FAULT_FULL_HOUSEHOLDS);
        return;
    }
    settle_household(w, h, a->changes, slot, w->deposit[household], w->income[household], w->generation[household]);
    set_origins(w, h, a->changes, slot, w->origin_a[household], w->origin_b[household]);
    set_size(w, h, a->changes, slot, w->size[household]);
    w->fate[household] = slot - h->first_household + FATE_MOVED;
}

FN void take_in_citizen(struct Arrival *a, u32 at, u32 household) {
    const struct World *w = a->w;
    const struct Home *h = &a->to->home;
    const u32 slot = vacant_citizen(w, a->citizen_slot, a->to->citizens_end);
    a->citizen_slot = slot;
    if (w->fate[household] < FATE_MOVED) return;
    if (slot == a->to->citizens_end) {
        note_fault(&a->fault, FAULT_FULL_CITIZENS);
        return;
    }
    settle_citizen(w, h, a->changes, slot, w->born[at], w->traits[at], w->fate[household] - FATE_MOVED + 1);
    a->arrivals++;
}

FN void take_in(struct Arrival *a, u32 from) {
    const struct World *w = a->w;
    const u32 *boarded = w->boarded + 2 * (u64)from;
    const u32 citizens = w->region_citizen[2 * (u64)from], households = w->region_household[2 * (u64)from];
    for (u32 k = 0; k < boarded[0]; k++) {
        const u32 household = (u32)w->queue[households + k];
        if (comes_here(a, from, household)) take_in_household(a, household);
    }
    for (u32 k = 0; k < boarded[1]; k++) {
        const u32 at = w->boarding[citizens + k], household = a->to->home.first_household + w->household[at] - 1;
        if (comes_here(a, from, household)) take_in_citizen(a, at, household);
    }
}

FN void civilisation_arrive_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->cluster_member[tile], tick)) return;
    const struct Region r = region_of(w, tile);
    struct Changes changes = no_changes();
    struct Arrival a = {w, &r, &changes, r.households, r.citizens, 0, 0};
    (void)lanes;
    if (lane == 0) {
        for (u32 place = 0; place < REACH; place++) {
            const u32 other = w->reach[(u64)tile * REACH + place];
            const u32 so_far = a.arrivals;
            if (other && place != OWN_PLACE) take_in(&a, r.home.first_region + other - 1);
            w->arrival_rows[((u64)(tick / WEEKS) * w->regions + tile) * REACH + place] += a.arrivals - so_far;
        }
        const u32 so_far = w->moved[2 * (u64)tile] + a.arrivals;
        CHANGE_PART(w, &r.home, &changes, MOVED, moved, region, tile, 2, 0, so_far);
        add_vital(w, tile, VITAL_ARRIVALS, a.arrivals);
        raise_fault(w->fault + r.home.member, tick, a.fault);
    }
    flush_changes(w, r.home.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_arrive)
