/* Phase `climate`: once a year the carbon of the fuel that was burnt is posted, the climate goes on by the year that has
 * passed, and every region's productivity and land follow the warming. */
#include "climate_step.h"

/* Takes the carbon of the burnt fuel out of what is due, and returns it in kg; what is less than one stays for later. */
FN i64 carbon_of_fuel(const struct World *w, const struct Land *l, u32 tick, u32 member, struct Changes *changes) {
    struct Digest *of = changes->of;
    u64 *due = w->carbon_due + 2 * (u64)member, *rest = w->carbon_rest + member;
    const u128 fuel = ((u128)due[1] << 64) | due[0];
    const u128 amount = fuel * l->carbon_factor + *rest;
    const u128 kilograms = amount / CARBON_UNIT;
    const u64 left = (u64)(amount % CARBON_UNIT);
    if (fuel >> 80 || kilograms >> 62) {
        raise_fault(w->fault + member, tick, FAULT_OVERFLOW);
        return 0;
    }
    digest_change_u64(of + COLUMN_CARBON_REST, COLUMN_CARBON_REST, 0, *rest, left);
    *rest = left;
    for (u32 limb = 0; limb < 2; limb++) {
        digest_change_u64(of + COLUMN_CARBON_DUE, COLUMN_CARBON_DUE, limb, due[limb], 0);
        due[limb] = 0;
    }
    const i64 own = w->carbon_own[member], after = own + (i64)kilograms;
    digest_change_u64(of + COLUMN_CARBON_OWN, COLUMN_CARBON_OWN, 0, (u64)own, (u64)after);
    w->carbon_own[member] = after;
    return (i64)kilograms;
}

/* Share of output that the damage function leaves, over what it left at the start. */
FN double left_by_law(const struct Land *l, double start, double warming) {
    const struct DamageLaw law = {l->damage_quadratic, l->damage_steep};
    const double before = at_least(1.0 - damage_share(&law, start), 1e-9);
    return at_most((1.0 - damage_share(&law, warming)) / before, 1.0);
}

/* Share of a good's output that warming leaves in the end: harvests lose to heat, on crops and on those who work, and gain
 * by land; of the rest the damage function takes its part, or heat at work if that takes more: the function counts all. */
FN double left_of_good(const struct Land *l, u32 zone, u32 good, double since, double law, double farmed) {
    const double work = at_least(1.0 - l->heat_loss[zone] * l->exposure[good] * since, 0.0);
    const double crops = at_least(1.0 - l->crop_loss[zone] * since, 0.0);
    return good == GOOD_FOOD ? at_most(crops * work * farmed, 1.0) : at_most(law, work);
}

/* Wild land is farmed anew where harvests are lost. */
FN void clear_land(const struct World *w, const struct Home *home, u32 region, struct Changes *changes) {
    const u32 *land = w->land + (u64)region * LANDS;
    const u32 lost = Q31_ONE - w->yield[(u64)region * GOODS + GOOD_FOOD];
    const u32 cleared = (u32)(((u64)land[LAND_WILD] * q31_times(home->lands->clearing, lost)) >> 31);
    CHANGE_PART(w, home, changes, LAND, land, region, region, LANDS, LAND_FARMED, land[LAND_FARMED] + cleared);
    CHANGE_PART(w, home, changes, LAND, land, region, region, LANDS, LAND_WILD, land[LAND_WILD] - cleared);
}

FN void answer(const struct World *w, const struct Home *home, u32 region, double since, double law,
               struct Changes *changes) {
    const struct Land *l = home->lands;
    const u32 zone = w->region_zone[region], at_first = w->region_farmed[region];
    clear_land(w, home, region, changes);
    const double farmed = at_first ? (double)w->land[(u64)region * LANDS + LAND_FARMED] / (double)at_first : 1.0;
    for (u32 good = 0; good < GOODS; good++) {
        const i64 now = w->yield[(u64)region * GOODS + good];
        const i64 goal = (i64)(left_of_good(l, zone, good, since, law, farmed) * 2147483648.0 + 0.5);
        CHANGE_PART(w, home, changes, YIELD, yield, region, region, GOODS, good, (u32)(now + (goal - now) / (i64)l->lag));
    }
}

FN void civilisation_climate_member(const struct World *w, u32 tick, u32 member) {
    if (tick == 0 || tick % WEEKS != 0) return;
    const struct Home home = home_of(w, member);
    const struct Land *l = home.lands;
    const u32 row = l->start - FIRST_YEAR + tick / WEEKS - 1;
    struct Changes changes = no_changes();
    struct Climate c = climate_of(w, member);
    const i64 own = carbon_of_fuel(w, l, tick, member, &changes);
    climate_year(l, parameters_of(w, member), response_of(w, member), w->year + l->year_first + row, row,
                 1.0 - l->own_share, l->emits ? own : 0, &c);
    climate_store(w, member, &c, &changes);
    const double start = response_of(w, member)[AT_START];
    const double law = left_by_law(l, start, c.warming), since = at_least(c.warming - start, 0.0);
    for (u32 region = home.first_region; region < home.first_region + w->member_regions[member]; region++) {
        CHANGE(w, &home, &changes, WARMTH, warmth, region, region, warmth_of(l, w->region_zone[region], c.warming));
        if (l->suffers) answer(w, &home, region, since, law, &changes);
    }
    add_changes(w, member, PHASE_CLIMATE, &changes);
}

MEMBER_KERNEL(civilisation_climate)
