/* Borders are moved until every nation has its number of regions, as far as that leaves each in one piece.
 *
 * Nations that grow at once may shut each other in. Then the nation that is shortest of regions takes one from a
 * neighbour on the shortest way to a nation that has too many; so each step brings the shortage closer to it. */
#ifndef CIVLAB_CIVILISATION_BORDERS_H
#define CIVLAB_CIVILISATION_BORDERS_H
#include "nations.h"

#define UNREACHABLE 0xffu

struct Borders {
    u32 owned[NATIONS_MOST], quota[NATIONS_MOST], seed[NATIONS_MOST];
    u8 way[NATIONS_MOST];     /* steps to a nation with too many regions */
    u8 next_to[NATIONS_MOST]; /* bit k: nation k has regions next to it */
    u8 refused[NATIONS_MOST]; /* bit k: nation k can give it none as borders are now */
    u32 stamp;
};

/* Regions of each nation: one, and the rest by its share. */
FN void count_quota(const struct Survey *s, struct Borders *b) {
    u64 share[NATIONS_MOST], rest[NATIONS_MOST];
    apportion(s->regions - s->land->nations, s->land->share, s->land->nations, share, rest);
    for (u32 k = 0; k < s->land->nations; k++) b->quota[k] = 1 + (u32)share[k];
}

FN int is_next_to(const struct Survey *s, u32 site, u32 nation) {
    for (u32 place = 0; place < DISC_PLACES; place++) {
        if (disc_distance(place) > s->land->straits + 1) continue;
        const u32 other = site_at(s, site, place);
        if (other != NO_CELL && s->nation[other] == nation + 1) return 1;
    }
    return 0;
}

/* How many cells of a nation are reached from `site` without passing `without`; marks them with the stamp. */
FN u32 reached(const struct Survey *s, u32 site, u32 without, u32 stamp) {
    u32 begin = 0, end = 0;
    s->number[site] = s->number[without] = stamp;
    s->list[end++] = site;
    for (; begin < end; begin++)
        for (u32 place = 0; place < DISC_PLACES; place++) {
            if (disc_distance(place) > s->land->straits + 1) continue;
            const u32 other = site_at(s, s->list[begin], place);
            if (other == NO_CELL || s->nation[other] != s->nation[site] || s->number[other] == stamp) continue;
            s->number[other] = stamp;
            s->list[end++] = other;
        }
    return end;
}

/* Whether a nation stays in one piece without one of its cells. */
FN int can_give(const struct Survey *s, struct Borders *b, u32 site) {
    const u32 nation = s->nation[site] - 1u;
    for (u32 place = 0; place < DISC_PLACES; place++) {
        if (place == DISC_CENTRE || disc_distance(place) > s->land->straits + 1) continue;
        const u32 other = site_at(s, site, place);
        if (other != NO_CELL && s->nation[other] == nation + 1)
            return reached(s, other, site, ++b->stamp) == b->owned[nation] - 1;
    }
    return 0;
}

/* The cell that one nation gives another: the nearest to the taker's seed that can be given; NO_CELL if none can. */
FN u32 cell_to_give(const struct Survey *s, struct Borders *b, u32 giver, u32 taker) {
    u64 tried = 0; /* keys up to it have been refused */
    for (;;) {
        u64 least_key = U64_LARGEST;
        for (u32 i = 0; i < s->regions; i++) {
            const u32 site = (u32)s->rest[i];
            if (s->nation[site] != giver + 1 || !(s->near[site] >> taker & 1u)) continue;
            const u64 key = ((u64)distance_between(s, site, b->seed[taker]) + 1) << 32 | site;
            if (key > tried && key < least_key && is_next_to(s, site, taker)) least_key = key;
        }
        if (least_key == U64_LARGEST) return NO_CELL;
        if (can_give(s, b, (u32)least_key)) return (u32)least_key;
        tried = least_key;
    }
}

/* Who is next to whom, and each nation's way to one with too many regions. */
FN void find_ways(const struct Survey *s, struct Borders *b) {
    const u32 nations = s->land->nations;
    for (u32 k = 0; k < nations; k++) {
        b->next_to[k] = 0;
        b->way[k] = b->owned[k] > b->quota[k] ? 0 : UNREACHABLE;
    }
    for (u32 i = 0; i < s->regions; i++) {
        const u32 site = (u32)s->rest[i], owner = s->nation[site] - 1u;
        for (u32 k = 0; k < nations; k++) b->next_to[k] |= (u8)((s->near[site] >> k & 1u) << owner);
    }
    for (u32 round = 0; round < nations; round++)
        for (u32 k = 0; k < nations; k++)
            for (u32 other = 0; other < nations; other++)
                if ((b->next_to[k] & ~b->refused[k]) >> other & 1u && b->way[other] + 1u < b->way[k])
                    b->way[k] = (u8)(b->way[other] + 1u);
}

/* The nation that is shortest of regions and has a way to more; `nations` if there is none. */
FN u32 shortest_nation(const struct Borders *b, u32 nations) {
    u32 found = nations, shortage = 0;
    for (u32 k = 0; k < nations; k++)
        if (b->way[k] != UNREACHABLE && b->quota[k] > b->owned[k] && b->quota[k] - b->owned[k] > shortage)
            found = k, shortage = b->quota[k] - b->owned[k];
    return found;
}

PART void move_borders(const struct Survey *s, struct Borders *b) {
    const u32 nations = s->land->nations, land = list_land(s);
    for (u32 i = 0; i < land; i++) s->rest[i] = s->list[i];
    for (u32 i = 0; i < s->sites; i++) s->number[i] = 0;
    for (u32 k = 0; k < nations; k++) b->refused[k] = (u8)(1u << k);
    b->stamp = 0;
    for (u32 step = 0; step < 8 * s->regions; step++) {
        find_ways(s, b);
        const u32 taker = shortest_nation(b, nations);
        if (taker == nations) break;
        u32 giver = taker;
        for (u32 k = nations; k-- > 0;)
            if ((b->next_to[taker] & ~b->refused[taker]) >> k & 1u && b->way[k] < b->way[giver]) giver = k;
        const u32 site = cell_to_give(s, b, giver, taker);
        if (site == NO_CELL) {
            b->refused[taker] |= (u8)(1u << giver);
            continue;
        }
        settle_nation(s, site, taker);
        b->owned[giver]--, b->owned[taker]++;
        for (u32 k = 0; k < nations; k++) b->refused[k] = (u8)(1u << k);
    }
    for (u32 i = 0; i < s->sites; i++) s->number[i] = 0;
}

#endif
