/* Who lives where: zones, the rank of each region's site, citizens by Zipf's law, land by its use, fuel in the ground. */
#ifndef CIVLAB_CIVILISATION_SETTLEMENT_H
#define CIVLAB_CIVILISATION_SETTLEMENT_H
#include "survey.h"
#include "transcendental.h"

#define COAST_KM 100u /* within it people live about three times as densely as on average */

/* Height in m of the lowest and the highest cell of land become 0 and the relief. */
FN u32 metres(const struct Survey *s, u32 site, u32 lowest, u32 highest) {
    const u32 range = highest - lowest;
    return range ? (u32)((u64)(s->height[site] - lowest) * s->land->relief / range) : 0;
}

/* km from the middle of a cell to the coast. */
FN u32 kilometres_inland(const struct Survey *s, u32 site) { return (2 * s->inland[site] - 1) * s->land->pitch / 2; }

/* Sine of the latitude of a cell's row, Q16: rows are bands of equal area, as cells are. */
FN i64 sine_of_row(const struct Land *l, u32 row) {
    const i64 from_south = 2 * (i64)(l->height - 1 - row) + 1;
    return (l->sine_south + (l->sine_north - l->sine_south) * from_south / (i64)(2 * l->height)) >> 16;
}

/* Climate zone by Köppen's thresholds (Peel et al. 2007, Hydrology and Earth System Sciences 11, 1633-1644).
 *
 * Mean temperature by latitude: 14.97 - 28 P2(sine) degrees (North, Cahalan and Coakley 1981, Reviews of Geophysics 19,
 * 91-121), 6.5 degrees a km lower with height (ISO 2533). Between seasons it swings by the sine times 12 degrees on the coast
 * to 24 a thousand km inland. Dry: below 1,500 m more than 300 km inland between 15 and 40 degrees, where air sinks. In mK. */
FN u32 zone_of_site(const struct Survey *s, u32 site, u32 height) {
    const i64 sine = sine_of_row(s->land, site / s->land->width), size = sine < 0 ? -sine : sine;
    const i64 inland = (i64)least(kilometres_inland(s, site), 1000);
    const i64 mean = 14970 - (28000 * ((3 * sine * sine >> 16) - 65536) >> 17) - 6500 * (i64)height / 1000;
    const i64 swing = size * (12000 + 12 * inland) >> 16;
    if (mean + swing < 10000) return ZONE_POLAR;
    if (size > 16962 && size < 42126 && inland > 300 && height < 1500) return ZONE_ARID;
    if (mean - swing >= 18000) return ZONE_TROPICAL;
    return mean - swing > 0 ? ZONE_TEMPERATE : ZONE_CONTINENTAL;
}

/* A region's draw of -ln(-ln u): the order of sites by suitability plus this is that of drawing them one after the other,
 * each in proportion to its exponential (Yellott 1977, Journal of Mathematical Psychology 15, 109-144). */
FN double gumbel(u64 word) {
    const double u = ((double)(word >> 12) + 0.5) / 4503599627370496.0;
    return -logarithm(-logarithm(u));
}

/* Logarithm of how many live on such a site: by zone; three times on a coast (Small and Nicholls 2003, Journal of Coastal
 * Research 19, 584-599); an e-th a km of height (Cohen and Small 1998, PNAS 95, 14009-14014, about). */
FN double suitability(const struct Survey *s, u32 site, u32 zone, u32 height) {
    const double by_zone = zone == ZONE_TEMPERATE ? 0.5 : zone == ZONE_TROPICAL ? 0.0 : zone == ZONE_POLAR ? -4.0 : -1.0;
    return by_zone + (s->inland[site] == 1 || kilometres_inland(s, site) < COAST_KM ? 1.1 : 0.0) - (double)height / 1000.0;
}

/* Numbers the regions, nation after nation and then by cell, and writes what lies at each. */
PART void number_regions(const struct World *w, const struct Survey *s) {
    u32 region = 0, lowest = 0xffffffffu, highest = 0;
    for (u32 site = 0; site < s->sites; site++) {
        if (s->state[site] != SITE_LAND) continue;
        if (s->height[site] < lowest) lowest = s->height[site];
        if (s->height[site] > highest) highest = s->height[site];
    }
    for (u32 nation = 0; nation < s->land->nations; nation++)
        for (u32 site = 0; site < s->sites; site++) {
            if (s->nation[site] != nation + 1) continue;
            const u32 slot = s->first_region + region, height = metres(s, site, lowest, highest);
            const struct Block drawn = terrain_draw(s, DRAW_SETTLEMENT, site, 0);
            w->region_cell[slot] = site;
            w->region_nation[slot] = (u8)nation;
            w->region_height[slot] = height;
            w->region_zone[slot] = (u8)zone_of_site(s, site, height);
            s->number[site] = region + 1;
            const double score = suitability(s, site, w->region_zone[slot], height) + gumbel(first_u64(&drawn));
            s->key[region++] = (u64)((score + 64.0) * 4294967296.0);
        }
}

FN void fill_reach(const struct World *w, const struct Survey *s, u32 region) {
    const u32 site = w->region_cell[s->first_region + region];
    u32 *reach = w->reach + (u64)(s->first_region + region) * DISC_PLACES;
    for (u32 place = 0; place < DISC_PLACES; place++) {
        const u32 other = site_at(s, site, place);
        reach[place] = other == NO_CELL ? 0 : s->number[other];
    }
}

/* Regions [first, first + count) into the list by falling key, the lower first among equals. */
FN void rank_sites(const struct Survey *s, u32 first, u32 count) {
    for (u32 i = 0; i < count; i++) {
        u32 to = i;
        for (; to > 0 && s->key[s->list[to - 1]] < s->key[first + i]; to--) s->list[to] = s->list[to - 1];
        s->list[to] = first + i;
    }
}

/* 2^32 rank^-exponent, at least 1. */
FN u64 rank_weight(double exponent, u32 rank) {
    const double weight = exponential(-exponent * logarithm((double)rank)) * 4294967296.0;
    return most((u64)(weight + 0.5), 1);
}

/* Spreads `citizens` over a nation's regions by the rank-size law; those whom it gives less than the least number get just
 * that, and the law holds among the others. */
FN void spread_citizens(const struct World *w, const struct Survey *s, u32 first, u32 count, u64 citizens, u64 minimum) {
    u64 sum = 0;
    u32 above = count;
    rank_sites(s, first, count);
    for (u32 rank = 0; rank < count; rank++) {
        s->key[first + rank] = rank_weight(s->land->exponent, rank + 1); /* the scores are no longer needed */
        sum += s->key[first + rank];
    }
    while (above > 1) {
        const u64 left = citizens - minimum * (count - above);
        if ((u128)left * s->key[first + above - 1] >= (u128)minimum * sum) break;
        sum -= s->key[first + --above];
    }
    apportion(citizens - minimum * (count - above), s->key + first, above, s->share, s->rest);
    for (u32 rank = 0; rank < count; rank++)
        w->region_settled[s->first_region + s->list[rank]] = (u32)(rank < above ? s->share[rank] : minimum);
}

/* Citizens of each nation: its share, but at least what its regions need. */
FN void part_citizens(const struct Survey *s, const u32 *regions, u64 minimum, u64 *citizens) {
    u64 share[NATIONS_MOST], rest[NATIONS_MOST], beyond[NATIONS_MOST];
    const u32 nations = s->land->nations;
    u64 needed = 0;
    apportion(s->land->citizens, s->land->share, nations, share, rest);
    for (u32 k = 0; k < nations; k++) {
        beyond[k] = minus(share[k], minimum * regions[k]);
        needed += minimum * regions[k];
    }
    apportion(s->land->citizens - needed, beyond, nations, share, rest);
    for (u32 k = 0; k < nations; k++) citizens[k] = share[k] + minimum * regions[k];
}

PART void settle_citizens(const struct World *w, const struct Survey *s) {
    u32 regions[NATIONS_MOST] = {0}, first = 0;
    u64 citizens[NATIONS_MOST], *settled = s->key;
    const u64 minimum = least(s->land->minimum, s->land->citizens / s->regions);
    for (u32 region = 0; region < s->regions; region++) regions[w->region_nation[s->first_region + region]]++;
    part_citizens(s, regions, minimum, citizens);
    for (u32 k = 0; k < s->land->nations; k++) {
        spread_citizens(w, s, first, regions[k], citizens[k], minimum);
        first += regions[k];
    }
    for (u32 region = 0; region < s->regions; region++) settled[region] = w->region_settled[s->first_region + region];
    apportion((u64)1 << 63, settled, s->regions, s->share, s->rest);
    for (u32 region = 0; region < s->regions; region++) w->region_share[s->first_region + region] = s->share[region];
}

/* Land by its use, in whole km^2; settled land is shared out among regions by their citizens. */
FN void use_land(const struct World *w, const struct Survey *s) {
    const u32 area = s->land->area, mined = q31_times(s->land->mined, area);
    const u64 built = (u64)(((u128)s->land->settled * area * s->regions) >> 31);
    apportion(built, s->key, s->regions, s->share, s->rest);
    for (u32 region = 0; region < s->regions; region++) {
        const u32 slot = s->first_region + region, settled = (u32)least(s->share[region], area / 2);
        const u32 farmed = q31_times(s->land->farmed[w->region_zone[slot]], area - settled - mined);
        u32 *land = w->land + (u64)slot * LANDS;
        land[LAND_SETTLED] = settled, land[LAND_MINED] = mined, land[LAND_FARMED] = farmed;
        land[LAND_WILD] = area - settled - mined - farmed;
        w->region_farmed[slot] = farmed;
    }
}

/* A normal deviate by the polar method (Marsaglia and Bray 1964), which needs no angles. */
FN double normal_deviate(const struct Survey *s, u32 entity) {
    for (u32 number = 0;; number++) {
        const struct Block drawn = terrain_draw(s, DRAW_RESERVE, entity, number);
        const double u = ((double)drawn.word[0] - 2147483647.5) / 2147483648.0;
        const double v = ((double)drawn.word[1] - 2147483647.5) / 2147483648.0;
        const double square = u * u + v * v;
        if (square < 1.0 && square > 0.0) return u * square_root(-2.0 * logarithm(square) / square);
    }
}

/* Fuel in the ground, mJ: so many years of the use of those who live there, log-normal with the stated mean. */
FN void bury_fuel(const struct World *w, const struct Survey *s, u32 region) {
    const struct Land *l = s->land;
    const u32 slot = s->first_region + region;
    const double spread = l->fuel_spread, deviate = normal_deviate(s, w->region_cell[slot]);
    const u64 factor = (u64)(exponential(spread * deviate - 0.5 * spread * spread) * 65536.0 + 0.5);
    const u128 yearly = (u128)w->region_settled[slot] * WEEKS * l->fuel_use;
    const u64 years = (u64)(((u128)l->fuel_years * factor) >> 16); /* Q32.32 */
    const u128 fuel = (yearly >> 16) * years >> 16;
    w->reserve[2 * (u64)slot] = (u64)fuel;
    w->reserve[2 * (u64)slot + 1] = (u64)(fuel >> 64);
}

#endif
