/* Generation 4: every stub gets its owner, every pupil and worker a slot of a class or team, every person
 * invited an appointment. One lane walks a tile in order, counting on from the ranks of its first agents. */
#include "population.h"

FN void take_slot(const struct World *w, const struct Place *p, u32 agent, u32 pool, u32 rank) {
    const struct Scenario *s = p->scenario;
    const u32 *pool_start = w->pool_start + (u64)p->member * (AGES + 2);
    const u32 size = pool_start[pool + 1] - pool_start[pool];
    const u32 places = pool == WORKERS ? s->team_size : s->class_size;
    const struct Permutation order = permutation(draw(w, p, 0, DRAW_POOL, pool, 0), size);
    const u32 slot = permute(&order, rank);
    const u32 begin = slot / places * places;
    w->place_member[w->member_place[p->member] + pool_start[pool] + slot] = agent;
    w->place_first[p->first + agent] = pool_start[pool] + begin;
    w->place_size[p->first + agent] = (u8)(size - begin < places ? size - begin : places);
}

/* Tick + 1 of the appointment of a person with this rank among those of the same age, 0 for none. */
FN u32 appointment(const struct World *w, const struct Place *p, u32 agent, u32 age, u32 rank) {
    const struct Scenario *s = p->scenario;
    const u32 *of_age = w->tally_total + (u64)p->member * TALLIES + GROUPS + WORKERS + 1;
    u32 turn = 0;
    if (s->vaccination_doses == 0) return 0;
    if (s->vaccination_oldest_first) {
        const struct Permutation order = permutation(draw(w, p, 0, DRAW_VACCINE_ORDER, age, 0), of_age[age]);
        for (u32 older = age + 1; older < AGES; older++) turn += of_age[older];
        turn += permute(&order, rank);
    } else {
        const struct Permutation order = permutation(draw(w, p, 0, DRAW_VACCINE_ORDER, AGES, 0), p->population);
        turn = permute(&order, agent);
    }
    if (turn >= s->vaccination_invited) return 0;
    const u32 tick = s->vaccination_from + turn / s->vaccination_doses;
    return tick < 60000 ? tick + 1 : 0;
}

FN void epidemic_places_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    const struct Scenario *s = p.scenario;
    const u32 *group_start = w->group_start + (u64)p.member * (GROUPS + 1);
    u32 *rank = w->tally_rank + (u64)tile * TALLIES;
    (void)tick, (void)lanes;
    if (lane != 0) return;
    for (u32 at = p.begin; at < p.end; at++) {
        const u32 agent = at - p.first, age = w->age[at], degree = w->degree[at], group = s->group[age];
        const u32 row = group_start[group] + rank[group];
        u32 *owner = w->stub_owner + w->member_edge[p.member] + row;
        rank[group] += degree;
        w->row_start[at] = row;
        for (u32 k = 0; k < degree; k++) owner[k] = agent;
        if (w->place_size[at]) {
            const u32 pool = s->class_size && age >= s->pupil_first && age <= s->pupil_last ? age : WORKERS;
            take_slot(w, &p, agent, pool, rank[GROUPS + pool]++);
        }
        w->vaccination[at] = (u16)appointment(w, &p, agent, age, rank[GROUPS + WORKERS + 1 + age]++);
    }
}

TILE_KERNEL(epidemic_places)
