/* Nations as contiguous areas: from seeds far from each other, the nation that is furthest below its share of the
 * regions takes the nearest free cell next to it, until all land is taken. */
#ifndef CIVLAB_CIVILISATION_NATIONS_H
#define CIVLAB_CIVILISATION_NATIONS_H
#include "survey.h"

/* Lists all land, and returns how much there is. */
FN u32 list_land(const struct Survey *s) {
    u32 listed = 0;
    for (u32 site = 0; site < s->sites; site++)
        if (s->state[site] == SITE_LAND) s->list[listed++] = site;
    return listed;
}

FN u32 distance_between(const struct Survey *s, u32 a, u32 b) {
    return hex_distance(hex_of_cell(a, s->land->width), hex_of_cell(b, s->land->width));
}

/* The cell of land whose nearest of `count` others is furthest away; the lowest among equals. */
FN u32 furthest_land(const struct Survey *s, const u32 *others, u32 count, u32 land) {
    u32 found = s->list[0], furthest = 0;
    for (u32 i = 0; i < land; i++) {
        u32 nearest = 0xffffffffu;
        for (u32 k = 0; k < count; k++) {
            const u32 distance = distance_between(s, s->list[i], others[k]);
            if (distance < nearest) nearest = distance;
        }
        if (nearest > furthest) furthest = nearest, found = s->list[i];
    }
    return found;
}

FN u32 highest_land(const struct Survey *s, u32 land) {
    u32 found = s->list[0];
    for (u32 i = 1; i < land; i++)
        if (higher(s, s->list[i], found)) found = s->list[i];
    return found;
}

/* Gives a cell to a nation; what is within reach of it over the straits is next to the nation. */
FN void settle_nation(const struct Survey *s, u32 site, u32 nation) {
    s->nation[site] = (u8)(nation + 1);
    for (u32 place = 0; place < DISC_PLACES; place++) {
        const u32 other = site_at(s, site, place);
        if (other != NO_CELL && disc_distance(place) <= s->land->straits + 1) s->near[other] |= (u8)(1u << nation);
    }
}

/* Place in the list of the free cell next to a nation that is nearest to its seed, roughened by some cells for natural
 * borders; `land` if there is none. */
FN u32 nearest_free(const struct Survey *s, u32 nation, u32 seed, u32 land) {
    u64 least_key = U64_LARGEST;
    u32 found = land;
    for (u32 i = 0; i < land; i++) {
        const u32 site = s->list[i];
        if (!(s->near[site] >> nation & 1u)) continue;
        const u64 key = ((u64)distance_between(s, site, seed) * 2 + (s->height[site] & 3u)) << 32 | site;
        if (key < least_key) least_key = key, found = i;
    }
    return found;
}

PART void divide_land(const struct Survey *s, u32 seed[NATIONS_MOST], u32 owned[NATIONS_MOST]) {
    u32 land = list_land(s);
    const u32 nations = s->land->nations;
    const u32 top = highest_land(s, land);
    for (u32 k = 0; k < nations; k++) {
        seed[k] = k == 0 ? furthest_land(s, &top, 1, land) : furthest_land(s, seed, k, land);
        settle_nation(s, seed[k], k);
        owned[k] = 1;
    }
    for (u32 i = 0; i < land;) {
        if (s->nation[s->list[i]]) s->list[i] = s->list[--land];
        else i++;
    }
    u32 closed = 0; /* bit k: nothing free is next to nation k */
    while (land) {
        u32 next = nations;
        for (u32 k = 0; k < nations; k++) {
            if (closed >> k & 1u) continue;
            if (next == nations || (u128)owned[k] * s->land->share[next] < (u128)owned[next] * s->land->share[k]) next = k;
        }
        if (next == nations) return; /* does not happen: land is connected */
        const u32 at = nearest_free(s, next, seed[next], land);
        if (at == land) {
            closed |= 1u << next;
            continue;
        }
        settle_nation(s, s->list[at], next);
        s->list[at] = s->list[--land];
        owned[next]++;
    }
}

#endif
