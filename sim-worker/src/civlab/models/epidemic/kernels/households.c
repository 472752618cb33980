/* Generation 1: households lie side by side, by size; everyone gets a desired age that suits the household.
 *
 * The desired age only orders: generation 2 gives the persons, in that order, the ages of the pyramid, so the
 * pyramid is met exactly and the households stay plausible (adults first, partners of like age, a parent's
 * age between 20 and 40 years above the child's). */
#include "population.h"

#define ADULT_QUARTERS (18u * 4u)

FN u32 head_quarters(const struct Scenario *s, const struct Block *block, u32 size) {
    const u64 *ages = s->head_age[size >= 3 ? 2 : size - 1];
    return table_value(ages, 0, AGES, first_u64(block)) * 4 + (block->word[2] & 3u);
}

FN u32 desired_quarters(const struct World *w, const struct Place *p, u32 agent, u32 position, u32 size) {
    const struct Block head = draw(w, p, 0, DRAW_HEAD, agent - position, 0);
    const u32 of_head = head_quarters(p->scenario, &head, size);
    if (position == 0) return of_head;
    const struct Block own = draw(w, p, 0, DRAW_RELATIVE, agent, 0);
    const u32 lone_parent = head.word[3] % 100 < 15;
    if (position == 1 && !lone_parent) {
        const u32 partner = of_head + own.word[0] % 21 + own.word[1] % 21 - 20;
        return partner < ADULT_QUARTERS ? ADULT_QUARTERS : partner;
    }
    const u32 parents_age_at_birth = 80 + own.word[0] % 41 + own.word[1] % 41;
    const u32 infant = own.word[2] % 12;
    return of_head > parents_age_at_birth + infant ? of_head - parents_age_at_birth : infant;
}

FN void epidemic_households_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    const u32 *first = p.scenario->household_first;
    (void)tick;
    for (u32 at = p.begin + lane; at < p.end; at += lanes) {
        const u32 agent = at - p.first;
        u32 size = 1;
        while (agent >= first[size + 1]) size++;
        const u32 position = (agent - first[size]) % size;
        u32 key = desired_quarters(w, &p, agent, position, size);
        if (key >= KEYS) key = KEYS - 1;
        w->household_position[at] = (u8)position;
        w->household_size[at] = (u8)size;
        w->age_key[at] = (u16)key;
        shared_add32(w->key_rank + (u64)tile * KEYS + key, 1);
    }
}

TILE_KERNEL(epidemic_households)
