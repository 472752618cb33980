/* Phase `extract`: fuel firms make fuel from the reserve of their region, one after the other, since they share it. */
#include "making.h"

FN u64 extract(const struct World *w, const struct Place *p, struct Changes *changes) {
    struct Wide *cell = (struct Wide *)w->reserve + p->region;
    const u64 lot = p->scenario->lot[GOOD_FUEL], per_lot = p->scenario->extraction[GOOD_FUEL];
    u128 reserve = (u128)wide_value(*cell);
    u64 taken = 0;
    for (u32 firm = first_of_industry(w, p->region, GOOD_FUEL); firm < first_of_industry(w, p->region, GOOD_FUEL + 1);
         firm++) {
        const u64 left = reserve > U64_LARGEST ? U64_LARGEST : (u64)reserve;
        u64 output = output_possible(w, p, firm, GOOD_FUEL);
        if (per_lot && times_over(output, per_lot, lot) > left) output = times_over(left, lot, per_lot);
        const u64 found = times_over(output, per_lot, lot);
        reserve -= found, taken += found;
        make(w, p, firm, GOOD_FUEL, output, changes);
    }
    const struct Wide after = wide_of((i128)reserve);
    CHANGE_PART(w, &p->home, changes, RESERVE, reserve, region, p->region, 2, 0, after.low);
    CHANGE_PART(w, &p->home, changes, RESERVE, reserve, region, p->region, 2, 1, (u64)after.high);
    return taken;
}

FN void civilisation_extract_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    struct Changes changes = no_changes();
    (void)tick, (void)lanes;
    if (lane == 0) w->flow_energy[(u64)tile * ENERGY_FLOWS + ENERGY_FLOW_EXTRACTED] = extract(w, &p, &changes);
    flush_changes(w, p.home.member, PHASE_WORK, &changes);
}

TILE_KERNEL(civilisation_extract)
