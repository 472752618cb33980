/* Phase `transmit`: each infectious person meets the persons in its rows, layer by layer.
 *
 * A row of n contacts with the same chance p is not walked: one 64-bit draw against the table of (1-p)^k says
 * at once that nobody is infected (the usual case) or which contact is the first. Everything that lowers the
 * chance (interventions, age, vaccination, isolation) is a second, separately keyed draw at each hit, so the
 * hits under a measure are a subset of those without it. Hits on susceptible persons become claims; the
 * least keyed hash wins, in whatever order they arrive. */
#include "population.h"

#define SPAN (ROW - 1u)

/* Infectious persons whose day is worked out together: a batch on a CPU, one a thread on a GPU. */
struct Cases {
    const struct World *world;
    const struct Place *place;
    const struct Day *day;
    u32 tick, count;
    u32 agent[BATCH];
    u32 isolation[BATCH]; /* Q1.31: what is left of the contacts outside the household */
    u32 length[BATCH];    /* contacts in the row at hand */
    u64 first[BATCH], second[BATCH];
};

/* Contacts that transmit, waiting to be looked up together, so that their loads overlap. */
struct Hits {
    u32 count;
    u32 of[BATCH], position[BATCH], target[BATCH];
};

/* The person at position j of an agent's row in a layer. */
FN u32 person_at(const struct World *w, const struct Place *p, u32 agent, u32 layer, u32 j) {
    const u32 at = p->first + agent;
    if (layer == LAYER_COMMUNITY) return w->neighbour[w->member_edge[p->member] + w->row_start[at] + j];
    if (layer == LAYER_HOUSEHOLD) {
        const u32 position = w->household_position[at];
        return agent - position + j + (j >= position);
    }
    return w->place_member[w->member_place[p->member] + w->place_first[at] + j];
}

/* Keyed hash of a contact in a tick, 30 bits: the infector with the least one is the infector. */
FN u64 contact_hash(const struct World *w, const struct Place *p, u32 tick, u32 layer, u32 agent, u32 target) {
    u64 x = w->seed ^ (((u64)agent << 32) | target);
    x ^= x >> 30;
    x *= 0xBF58476D1CE4E5B9ull;
    x ^= (((u64)p->stream << 32) | tick) + ((u64)(DRAW_CLAIM + layer) << 56);
    x ^= x >> 27;
    x *= 0x94D049BB133111EBull;
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93ull;
    return x >> 34;
}

/* Q1.31: what is left of the chance that a contact transmits, by layer, isolation, age and vaccination. */
FN u32 chance_left(const struct Cases *c, u32 layer, u32 isolation, u32 target_at) {
    const struct World *w = c->world;
    const struct Scenario *s = c->place->scenario;
    u32 chance = c->day->factor[layer];
    if (layer != LAYER_HOUSEHOLD) chance = q31_times(chance, isolation);
    if (s->thins) {
        chance = q31_times(chance, s->susceptibility[w->age[target_at]]);
        if (is_protected(s, w->vaccination[target_at], c->tick)) chance = q31_times(chance, s->vaccination_infection);
    }
    return chance;
}

/* Looks the waiting hits up, draws what the chance left demands, and claims those who are susceptible. */
PART void resolve(const struct Cases *c, struct Hits *hits, u32 layer) {
    const struct World *w = c->world;
    const struct Place *p = c->place;
    u32 count = 0;
    for (u32 i = 0; i < hits->count; i++)
        hits->target[i] = person_at(w, p, c->agent[hits->of[i]], layer, hits->position[i]);
    for (u32 i = 0; i < hits->count; i++) {
        const u32 of = hits->of[i], position = hits->position[i], target = hits->target[i];
        hits->of[count] = of, hits->position[count] = position, hits->target[count] = target;
        count += w->state[p->first + target] == STATE_SUSCEPTIBLE;
    }
    for (u32 i = 0; i < count; i++) will_write(w->claim + p->first + hits->target[i]);
    for (u32 i = 0; i < count; i++) {
        const u32 agent = c->agent[hits->of[i]], target = hits->target[i], at = p->first + target;
        const u32 chance = chance_left(c, layer, c->isolation[hits->of[i]], at);
        if (chance < Q31_ONE) {
            const struct Block block = draw(w, p, c->tick, DRAW_ACCEPT_COMMUNITY + layer, agent, hits->position[i]);
            if (!q31_happens(block.word[0], chance)) continue;
        }
        shared_min(w->claim + at,
                   (contact_hash(w, p, c->tick, layer, agent, target) << 34) | ((u64)layer << 32) | agent);
        shared_mark(w->claimed + at);
    }
    hits->count = 0;
}

/* Walks the row of case `of` from hit to hit; its first two draws are ready. */
FN void meet(const struct Cases *c, struct Hits *hits, u32 layer, u32 of) {
    const u64 *miss = c->place->scenario->miss[layer];
    const u32 length = c->length[of];
    u64 x = c->first[of], next = c->second[of];
    u32 number = 1, from = 0;
    for (;;) {
        const u32 span = length - from < SPAN ? length - from : SPAN;
        if (x < miss[span]) {
            from += span;
        } else {
            u32 j = 0;
            while (x < miss[j + 1]) j++;
            hits->of[hits->count] = of, hits->position[hits->count] = from + j;
            if (++hits->count == BATCH) resolve(c, hits, layer);
            from += j + 1;
        }
        if (from >= length) return;
        if (number & 1u) {
            x = next;
        } else {
            const struct Block block =
                draw(c->world, c->place, c->tick, DRAW_CONTACT_COMMUNITY + layer, c->agent[of], number / 2);
            x = first_u64(&block);
            next = second_u64(&block);
        }
        number++;
    }
}

/* All cases meet their rows of one layer; most rows end with their first draw. */
PART void meet_layer(struct Cases *c, u32 layer) {
    const u64 *miss = c->place->scenario->miss[layer];
    struct Hits hits;
    hits.count = 0;
    for (u32 i = 0; i < BATCH; i++) {
        const struct Block block = draw(c->world, c->place, c->tick, DRAW_CONTACT_COMMUNITY + layer, c->agent[i], 0);
        c->first[i] = first_u64(&block);
        c->second[i] = second_u64(&block);
    }
    for (u32 i = 0; i < c->count; i++)
        if (c->length[i] > 0 && (c->length[i] > SPAN || c->first[i] >= miss[c->length[i]])) meet(c, &hits, layer, i);
    resolve(c, &hits, layer);
}

/* Q1.31: what is left of a case's contacts outside its household. */
FN u32 isolation_of(const struct Cases *c, u32 agent) {
    const struct Day *day = c->day;
    if (day->detection == 0) return Q31_ONE;
    const u32 infected_at = c->world->infected_at[c->place->first + agent];
    if (c->tick + 1 < infected_at + day->isolation_delay) return Q31_ONE;
    const struct Block block = draw(c->world, c->place, infected_at, DRAW_DETECTION, agent, 0);
    return q31_happens(block.word[0], day->detection) ? day->isolation : Q31_ONE;
}

/* Works out the day of all cases in hand, layer by layer, and empties the batch. */
FN void spend_day(struct Cases *c) {
    const struct World *w = c->world;
    const struct Scenario *s = c->place->scenario;
    const u32 first = c->place->first, count = c->count;
    const u32 pupils = w->pool_start[(u64)c->place->member * (AGES + 2) + WORKERS];
    if (count == 0) return;
    for (u32 i = 0; i < count; i++) c->isolation[i] = isolation_of(c, c->agent[i]);
    for (u32 i = count; i < BATCH; i++) c->agent[i] = 0;
    if (s->community) {
        for (u32 i = 0; i < count; i++) c->length[i] = w->degree[first + c->agent[i]];
        meet_layer(c, LAYER_COMMUNITY);
    }
    if (s->household) {
        for (u32 i = 0; i < count; i++) c->length[i] = w->household_size[first + c->agent[i]] - 1u;
        meet_layer(c, LAYER_HOUSEHOLD);
    }
    if (s->class_size) {
        for (u32 i = 0; i < count; i++) {
            const u32 at = first + c->agent[i];
            c->length[i] = w->place_first[at] < pupils ? w->place_size[at] : 0;
        }
        meet_layer(c, LAYER_SCHOOL);
    }
    if (s->team_size) {
        for (u32 i = 0; i < count; i++) {
            const u32 at = first + c->agent[i];
            c->length[i] = w->place_first[at] >= pupils ? w->place_size[at] : 0;
        }
        meet_layer(c, LAYER_WORK);
    }
    c->count = 0;
}

FN void epidemic_transmit_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    const struct Day *day = day_of(w, &p, tick);
    const u8 *state = w->state;
    (void)lane, (void)lanes;
    if (w->stock[p.member * 8 + STATE_EXPOSED] + w->stock[p.member * 8 + STATE_INFECTIOUS] +
            w->stock[p.member * 8 + STATE_SEVERE] == 0)
        return; /* as the day began nobody carried the disease, so nobody is infectious now */
    struct Cases cases;
    cases.world = w, cases.place = &p, cases.day = day, cases.tick = tick, cases.count = 0;
    SCAN_EQUAL(u8, state, STATE_INFECTIOUS, at, p.begin, p.end) {
        cases.agent[cases.count++] = at - p.first;
        if (cases.count == BATCH) spend_day(&cases);
    }
    if (p.scenario->hospital) {
        SCAN_EQUAL(u8, state, STATE_SEVERE, at, p.begin, p.end) {
            cases.agent[cases.count++] = at - p.first;
            if (cases.count == BATCH) spend_day(&cases);
        }
    }
    spend_day(&cases);
}

TILE_KERNEL(epidemic_transmit)
