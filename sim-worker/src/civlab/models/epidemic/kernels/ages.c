/* Generation 2: the rank by desired age (ties by index) picks the age from the pyramid; then the degree and
 * the pool, counted by tile. One lane walks a tile in order: the rank is a stable, total sort by counting. */
#include "population.h"

/* Pool of a person: pupils by year of age, all workers together, or none (AGES + 1). */
FN u32 pool_of(const struct World *w, const struct Place *p, u32 agent, u32 age) {
    const struct Scenario *s = p->scenario;
    if (s->class_size && age >= s->pupil_first && age <= s->pupil_last) return age;
    if (s->team_size && age >= s->worker_first && age <= s->worker_last) {
        const struct Block block = draw(w, p, 0, DRAW_EMPLOYMENT, agent, 0);
        if (q31_happens(block.word[0], s->employed)) return WORKERS;
    }
    return WORKERS + 1;
}

FN void epidemic_ages_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    const struct Scenario *s = p.scenario;
    u32 *rank = w->key_rank + (u64)tile * KEYS, *tally = w->tally_rank + (u64)tile * TALLIES;
    (void)tick, (void)lanes;
    if (lane != 0) return;
    for (u32 at = p.begin; at < p.end; at++) {
        const u32 agent = at - p.first;
        const u32 age = quantile_of_rank(s->pyramid, AGES, rank[w->age_key[at]]++);
        u32 degree = 0;
        if (s->community) {
            const struct Block block = draw(w, &p, 0, DRAW_DEGREE, agent, 0);
            degree = table_value(s->degree, 0, ROW, first_u64(&block));
        }
        const u32 pool = pool_of(w, &p, agent, age);
        w->age[at] = (u8)age;
        w->degree[at] = (u8)degree;
        w->place_size[at] = (u8)(pool <= WORKERS); /* 1 until the size is known: belongs to a pool */
        tally[s->group[age]] += degree;
        if (pool <= WORKERS) tally[GROUPS + pool]++;
        tally[GROUPS + WORKERS + 1 + age]++;
    }
}

TILE_KERNEL(epidemic_ages)
