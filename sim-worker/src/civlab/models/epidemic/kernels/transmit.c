/* Phase `transmit`: each infectious person meets the persons in its rows, layer by layer.
 *
 * A row of n contacts with the same chance p is not walked: one 64-bit draw against the table of (1-p)^k says
 * at once that nobody is infected (the usual case) or which contact is the first. Everything that lowers the
 * chance (interventions, age, vaccination, isolation) is a second, separately keyed draw at each hit, so the
 * hits under a measure are a subset of those without it. Hits on susceptible persons become claims; the
 * least keyed hash wins, in whatever order they arrive. */
#include "population.h"

#define SPAN (ROW - 1u)

/* One infectious person's day. */
struct Case {
    const struct World *world;
    const struct Place *place;
    const struct Day *day;
    u32 agent, tick, isolation;
};

/* The person at position j of the row of a layer. */
FN u32 person_at(const struct Case *c, u32 layer, u32 j) {
    const struct World *w = c->world;
    const u32 at = c->place->first + c->agent;
    if (layer == LAYER_COMMUNITY)
        return w->neighbour[w->member_edge[c->place->member] + w->row_start[at] + j];
    if (layer == LAYER_HOUSEHOLD) {
        const u32 position = w->household_position[at];
        return c->agent - position + j + (j >= position);
    }
    return w->place_member[w->member_place[c->place->member] + w->place_first[at] + j];
}

/* Keyed hash of a contact in a tick, 30 bits: the infector with the least one is the infector. */
FN u64 contact_hash(const struct Case *c, u32 layer, u32 target) {
    u64 x = c->world->seed ^ (((u64)c->agent << 32) | target);
    x ^= x >> 30;
    x *= 0xBF58476D1CE4E5B9ull;
    x ^= (((u64)c->place->stream << 32) | c->tick) + ((u64)(DRAW_CLAIM + layer) << 56);
    x ^= x >> 27;
    x *= 0x94D049BB133111EBull;
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93ull;
    return x >> 34;
}

FN void hit(const struct Case *c, u32 layer, u32 j) {
    const struct World *w = c->world;
    const struct Place *p = c->place;
    const u32 target = person_at(c, layer, j);
    const u32 at = p->first + target;
    if (w->state[at] != STATE_SUSCEPTIBLE) return;
    u32 chance = c->day->factor[layer];
    if (layer != LAYER_HOUSEHOLD) chance = q31_times(chance, c->isolation);
    if (p->scenario->thins) {
        chance = q31_times(chance, p->scenario->susceptibility[w->age[at]]);
        if (is_protected(p->scenario, w->vaccination[at], c->tick))
            chance = q31_times(chance, p->scenario->vaccination_infection);
    }
    if (chance < Q31_ONE) {
        const struct Block block = draw(w, p, c->tick, DRAW_ACCEPT_COMMUNITY + layer, c->agent, j);
        if (!q31_happens(block.word[0], chance)) return;
    }
    shared_min(w->claim + at, (contact_hash(c, layer, target) << 34) | ((u64)layer << 32) | c->agent);
    shared_or(w->claimed + at / 32, 1u << (at % 32));
}

FN void meet(const struct Case *c, u32 layer, u32 length) {
    const u64 *miss = c->place->scenario->miss[layer];
    struct Block block;
    u32 number = 0, from = 0;
    while (from < length) {
        if ((number & 1u) == 0)
            block = draw(c->world, c->place, c->tick, DRAW_CONTACT_COMMUNITY + layer, c->agent, number / 2);
        const u64 x = number & 1u ? second_u64(&block) : first_u64(&block);
        const u32 span = length - from < SPAN ? length - from : SPAN;
        number++;
        if (x < miss[span]) {
            from += span;
            continue;
        }
        u32 j = 0;
        while (x < miss[j + 1]) j++;
        hit(c, layer, from + j);
        from += j + 1;
    }
}

/* Q1.31: what is left of a case's contacts outside its household. */
FN u32 isolation_of(const struct Case *c) {
    const struct Day *day = c->day;
    if (day->detection == 0) return Q31_ONE;
    const u32 infected_at = c->world->infected_at[c->place->first + c->agent];
    if (c->tick + 1 < infected_at + day->isolation_delay) return Q31_ONE;
    const struct Block block = draw(c->world, c->place, infected_at, DRAW_DETECTION, c->agent, 0);
    return q31_happens(block.word[0], day->detection) ? day->isolation : Q31_ONE;
}

FN void spend_day(const struct World *w, const struct Place *p, const struct Day *day, u32 agent, u32 tick) {
    const struct Scenario *s = p->scenario;
    const u32 at = p->first + agent;
    struct Case c = {w, p, day, agent, tick, Q31_ONE};
    c.isolation = isolation_of(&c);
    if (s->community) meet(&c, LAYER_COMMUNITY, w->degree[at]);
    if (s->household) meet(&c, LAYER_HOUSEHOLD, w->household_size[at] - 1u);
    const u32 place_size = w->place_size[at];
    if (place_size == 0) return;
    const u32 pupils = w->pool_start[(u64)p->member * (AGES + 2) + WORKERS];
    if (w->place_first[at] < pupils) meet(&c, LAYER_SCHOOL, place_size);
    else meet(&c, LAYER_WORK, place_size);
}

FN void epidemic_transmit_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    const struct Day *day = day_of(w, &p, tick);
    const u8 *state = w->state;
    (void)lane, (void)lanes;
    if (w->stock[p.member * 8 + STATE_EXPOSED] + w->stock[p.member * 8 + STATE_INFECTIOUS] +
            w->stock[p.member * 8 + STATE_SEVERE] == 0)
        return; /* as the day began nobody carried the disease, so nobody is infectious now */
    SCAN_EQUAL(u8, state, STATE_INFECTIOUS, at, p.begin, p.end) spend_day(w, &p, day, at - p.first, tick);
    if (p.scenario->hospital)
        SCAN_EQUAL(u8, state, STATE_SEVERE, at, p.begin, p.end) spend_day(w, &p, day, at - p.first, tick);
}

TILE_KERNEL(epidemic_transmit)
