/* The working columns of a member's map while it is drawn, and the order in which cells grow together.
 *
 * One lane draws a member's map: it is grown cell by cell, each step asking for the best of all cells next to those taken. */
#ifndef CIVLAB_CIVILISATION_SURVEY_H
#define CIVLAB_CIVILISATION_SURVEY_H
#include "terrain.h"

#define SITE_SEA 0u
#define SITE_NEAR 1u /* sea, and on the list of what may be taken next */
#define SITE_LAND 2u

struct Survey {
    const struct Land *land;
    struct Terrain terrain;
    u32 sites, regions, first_region;
    u32 *height;   /* of the terrain */
    u8 *state;     /* SITE_... */
    u8 *near;      /* bit k: next to nation k */
    u8 *nation;    /* of land: nation plus one, 0 none yet */
    u32 *inland;   /* cells to the nearest sea: 1 on the coast */
    u32 *number;   /* region plus one */
    u32 *list;     /* cells in hand */
    u64 *key, *share, *rest;
};

FN struct Survey survey_of(const struct World *w, const struct Home *home) {
    const u64 first = w->member_site[home->member];
    struct Survey s;
    s.land = home->lands;
    s.terrain = terrain_of(w, home);
    s.sites = s.land->width * s.land->height, s.regions = s.land->regions, s.first_region = home->first_region;
    s.height = w->site_height + first;
    s.state = w->site_state + first, s.near = w->site_near + first, s.nation = w->site_nation + first;
    s.inland = w->site_inland + first, s.number = w->site_number + first, s.list = w->site_list + first;
    s.key = w->site_key + first, s.share = w->site_share + first, s.rest = w->site_rest + first;
    return s;
}

FN struct Block terrain_draw(const struct Survey *s, u32 name, u32 entity, u32 number) {
    return draw_block(s->terrain.seed, s->terrain.stream, 0, name, entity, number);
}

FN u32 site_at(const struct Survey *s, u32 site, u32 place) {
    return disc_cell(site, place, s->land->width, s->land->height);
}

/* Whether `a` comes before `b`: higher, or as high and of a lower number. */
FN int higher(const struct Survey *s, u32 a, u32 b) {
    return s->height[a] > s->height[b] || (s->height[a] == s->height[b] && a < b);
}

/* Takes a cell as land, and lists those from which it is at most `straits` cells of sea away. */
FN u32 take_site(const struct Survey *s, u32 site, u32 listed) {
    s->state[site] = SITE_LAND;
    for (u32 place = 0; place < DISC_PLACES; place++) {
        const u32 other = site_at(s, site, place);
        if (other == NO_CELL || disc_distance(place) > s->land->straits + 1 || s->state[other] != SITE_SEA) continue;
        s->state[other] = SITE_NEAR;
        s->list[listed++] = other;
    }
    return listed;
}

/* Land: the highest cell, then again and again the highest of those near it. */
PART void raise_land(const struct Survey *s) {
    u32 site = 0, listed = 0;
    for (u32 i = 0; i < s->sites; i++) {
        s->height[i] = terrain_height(&s->terrain, i);
        if (higher(s, i, site)) site = i;
    }
    listed = take_site(s, site, listed);
    for (u32 taken = 1; taken < s->regions; taken++) {
        u32 best = 0;
        for (u32 i = 1; i < listed; i++)
            if (higher(s, s->list[i], s->list[best])) best = i;
        site = s->list[best];
        s->list[best] = s->list[--listed];
        listed = take_site(s, site, listed);
    }
}

/* Cells from each cell of land to the sea, which begins beyond the map too: one ring after the other. */
PART void measure_inland(const struct Survey *s) {
    u32 begin = 0, end = 0;
    for (u32 site = 0; site < s->sites; site++) {
        int coast = 0;
        s->inland[site] = 0;
        if (s->state[site] != SITE_LAND) continue;
        for (u32 place = 0; place < DISC_PLACES; place++) {
            if (disc_distance(place) != 1) continue;
            const u32 other = site_at(s, site, place);
            coast |= other == NO_CELL || s->state[other] != SITE_LAND;
        }
        if (coast) s->inland[site] = 1, s->list[end++] = site;
    }
    for (; begin < end; begin++) {
        const u32 site = s->list[begin];
        for (u32 place = 0; place < DISC_PLACES; place++) {
            if (disc_distance(place) != 1) continue;
            const u32 other = site_at(s, site, place);
            if (other == NO_CELL || s->state[other] != SITE_LAND || s->inland[other]) continue;
            s->inland[other] = s->inland[site] + 1;
            s->list[end++] = other;
        }
    }
}

#endif
