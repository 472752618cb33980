/* Where an agent lies: its tile, its member, its scenario, and its draws. */
#ifndef CIVLAB_EPIDEMIC_POPULATION_H
#define CIVLAB_EPIDEMIC_POPULATION_H
#include "fixed.h"
#include "layout.h"
#include "changes.h"
#include "permutation.h"

/* What a tile's kernel needs to know of its member, read once. */
struct Place {
    const struct Scenario *scenario;
    u32 member, first, begin, end, population, stream;
};

FN struct Place place_of_tile(const struct World *w, u32 tile) {
    struct Place p;
    p.member = w->tile_member[tile];
    p.scenario = w->scenario + w->member_scenario[p.member];
    p.first = w->member_first[p.member];
    p.begin = w->tile_begin[tile];
    p.end = w->tile_end[tile];
    p.population = w->member_population[p.member];
    p.stream = w->member_stream[p.member];
    return p;
}

FN struct Place place_of_member(const struct World *w, u32 member) {
    struct Place p;
    p.member = member;
    p.scenario = w->scenario + w->member_scenario[member];
    p.first = p.begin = w->member_first[member];
    p.population = w->member_population[member];
    p.end = p.begin + p.population;
    p.stream = w->member_stream[member];
    return p;
}

FN struct Block draw(const struct World *w, const struct Place *p, u32 tick, u32 name, u32 entity, u32 number) {
    return draw_block(w->seed, p->stream, tick, name, entity, number);
}

FN const struct Day *day_of(const struct World *w, const struct Place *p, u32 tick) {
    return w->day + p->scenario->day_first + tick;
}

/* A person's dose protects from `vaccination_delay` days after the appointment. */
FN int is_protected(const struct Scenario *s, u32 appointment, u32 tick) {
    return appointment != 0 && tick + 1 >= appointment + s->vaccination_delay;
}

FN void set_state(const struct World *w, const struct Place *p, struct Changes *changes, u32 agent, u32 state) {
    u8 *cell = w->state + p->first + agent;
    digest_change(&changes->of[COLUMN_STATE], COLUMN_STATE, agent, *cell, state);
    *cell = (u8)state;
}

FN void set_due(const struct World *w, const struct Place *p, struct Changes *changes, u32 agent, u32 due) {
    u16 *cell = w->due + p->first + agent;
    digest_change(&changes->of[COLUMN_DUE], COLUMN_DUE, agent, *cell, due);
    *cell = (u16)due;
}

/* A susceptible person is infected: exposed from now on, infectious after a drawn number of days. */
FN void infect(const struct World *w, const struct Place *p, struct Changes *changes, u32 agent, u32 tick,
               u32 infector_plus_one, u32 origin) {
    const struct Scenario *s = p->scenario;
    const struct Block block = draw(w, p, tick, DRAW_EXPOSED, agent, 0);
    const u32 at = p->first + agent;
    set_state(w, p, changes, agent, STATE_EXPOSED);
    set_due(w, p, changes, agent, tick + table_value(s->exposed, 1, DAYS, first_u64(&block)));
    digest_change(&changes->of[COLUMN_INFECTOR], COLUMN_INFECTOR, agent, w->infector[at], infector_plus_one);
    w->infector[at] = infector_plus_one;
    digest_change(&changes->of[COLUMN_INFECTED_AT], COLUMN_INFECTED_AT, agent, w->infected_at[at], tick + 1);
    w->infected_at[at] = (u16)(tick + 1);
    digest_change(&changes->of[COLUMN_ORIGIN], COLUMN_ORIGIN, agent, w->origin[at], origin);
    w->origin[at] = (u8)origin;
}

#endif
