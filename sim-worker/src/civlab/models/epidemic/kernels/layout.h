/* Generated from civlab/models/epidemic/layout.py: change that, then `make generate`. */

#ifndef CIVLAB_EPIDEMIC_LAYOUT_H
#define CIVLAB_EPIDEMIC_LAYOUT_H

#include "civlab.h"

#define AGES 104u
#define GROUPS 16u
#define ROW 256u
#define DAYS 128u
#define KEYS 512u
#define TALLIES 225u
#define WORKERS 104u
#define FLOWS 7u
#define STATE_VACANT 255u
#define METRICS 16u
#define DYNAMIC 5u
#define CHAINED 4u

#define STATE_SUSCEPTIBLE 0u
#define STATE_EXPOSED 1u
#define STATE_INFECTIOUS 2u
#define STATE_SEVERE 3u
#define STATE_HOSPITAL 4u
#define STATE_RECOVERED 5u
#define STATE_DEAD 6u

#define LAYER_COMMUNITY 0u
#define LAYER_HOUSEHOLD 1u
#define LAYER_SCHOOL 2u
#define LAYER_WORK 3u

#define ORIGIN_COMMUNITY 1u
#define ORIGIN_HOUSEHOLD 2u
#define ORIGIN_SCHOOL 3u
#define ORIGIN_WORK 4u
#define ORIGIN_INTRODUCED 5u

#define DRAW_HEAD 1u
#define DRAW_RELATIVE 2u
#define DRAW_DEGREE 3u
#define DRAW_STUBS 4u
#define DRAW_EMPLOYMENT 5u
#define DRAW_POOL 6u
#define DRAW_VACCINE_ORDER 7u
#define DRAW_INTRODUCTION 8u
#define DRAW_CONTACT_COMMUNITY 9u
#define DRAW_CONTACT_HOUSEHOLD 10u
#define DRAW_CONTACT_SCHOOL 11u
#define DRAW_CONTACT_WORK 12u
#define DRAW_ACCEPT_COMMUNITY 13u
#define DRAW_ACCEPT_HOUSEHOLD 14u
#define DRAW_ACCEPT_SCHOOL 15u
#define DRAW_ACCEPT_WORK 16u
#define DRAW_DETECTION 17u
#define DRAW_CLAIM 18u
#define DRAW_EXPOSED 19u
#define DRAW_COURSE 20u
#define DRAW_OUTCOME 21u

#define FLOW_COMMUNITY 0u
#define FLOW_HOUSEHOLD 1u
#define FLOW_SCHOOL 2u
#define FLOW_WORK 3u
#define FLOW_INTRODUCED 4u
#define FLOW_ADMISSIONS 5u
#define FLOW_DEATHS 6u

#define COLUMN_STATE 0u
#define COLUMN_DUE 1u
#define COLUMN_INFECTOR 2u
#define COLUMN_INFECTED_AT 3u
#define COLUMN_ORIGIN 4u

#define PHASE_PROGRESS 0u
#define PHASE_INTRODUCE 1u
#define PHASE_SETTLE 2u
#define PHASE_TALLY 3u

#define METRIC_SUSCEPTIBLE 0u
#define METRIC_EXPOSED 1u
#define METRIC_INFECTIOUS 2u
#define METRIC_HOSPITAL 3u
#define METRIC_RECOVERED 4u
#define METRIC_DEAD 5u
#define METRIC_NEW_INFECTIONS 6u
#define METRIC_INFECTED_COMMUNITY 7u
#define METRIC_INFECTED_HOUSEHOLD 8u
#define METRIC_INFECTED_SCHOOL 9u
#define METRIC_INFECTED_WORK 10u
#define METRIC_INTRODUCED 11u
#define METRIC_NEW_ADMISSIONS 12u
#define METRIC_NEW_DEATHS 13u
#define METRIC_DOSES 14u
#define METRIC_WITHOUT_BED 15u

struct Scenario {
    double mixing[16][16]; /* symmetric propensity of contact between age groups */
    u64 miss[4][256]; /* Q0.64: no transmission over k contacts of a layer */
    u64 degree[256]; /* cumulative Q0.64 of the community degree */
    u64 exposed[128]; /* cumulative Q0.64 of days exposed */
    u64 infectious[128]; /* cumulative Q0.64 of days infectious */
    u64 admission[128]; /* cumulative Q0.64 of days until admission */
    u64 stay[128]; /* cumulative Q0.64 of days in hospital */
    u64 head_age[3][104]; /* cumulative Q0.64 of a head's age: alone, of two, of more */
    u32 pyramid[104]; /* persons up to each age */
    u32 group[104]; /* age group of the community graph */
    u32 susceptibility[104]; /* Q1.31 by age */
    u32 severe[104]; /* Q1.31 by age: infections that are admitted */
    u32 fatal[104]; /* Q1.31 by age: admitted who die with a bed */
    u32 household_first[12]; /* first agent of the households of each size */
    u32 introduction_tick[64]; /* tick of each introduction */
    u32 introduction_count[64]; /* persons of each introduction */
    u32 introduction_first[64]; /* persons of all earlier introductions */
    u32 introductions; /* number of introductions */
    u32 population; /* agents */
    u32 groups; /* age groups of the community graph */
    u32 community; /* 1 if the community layer exists */
    u32 household; /* 1 if the household layer exists */
    u32 class_size; /* pupils of a class, 0 no school layer */
    u32 pupil_first; /* youngest pupils' age */
    u32 pupil_last; /* oldest pupils' age */
    u32 team_size; /* persons of a team, 0 no work layer */
    u32 worker_first; /* youngest workers' age */
    u32 worker_last; /* oldest workers' age */
    u32 employed; /* Q1.31: adults of working age in a team */
    u32 thins; /* 1 if a contact's chance depends on the person met */
    u32 hospital; /* 1 if infections can be severe */
    u32 beds; /* hospital beds */
    u32 surge; /* Q16.16: factor of the chance of death without a bed */
    u32 vaccination_from; /* tick of the first dose */
    u32 vaccination_doses; /* doses a day, 0 no vaccination */
    u32 vaccination_invited; /* persons invited */
    u32 vaccination_oldest_first; /* 1 if by descending age, 0 if at random */
    u32 vaccination_delay; /* days until protected */
    u32 vaccination_infection; /* Q1.31: remaining chance of infection */
    u32 vaccination_severe; /* Q1.31: remaining chance of a severe course */
    u32 day_first; /* first of the scenario's days */
};
CIVLAB_STATIC_ASSERT(sizeof(struct Scenario) == 21872, "layout of Scenario");

struct Day {
    u32 factor[4]; /* Q1.31: remaining chance on each layer */
    u32 detection; /* Q1.31: cases that isolate */
    u32 isolation; /* Q1.31: remaining chance outside the household of an isolated case */
    u32 isolation_delay; /* days from infection to isolation */
    u32 doses; /* vaccination appointments */
};
CIVLAB_STATIC_ASSERT(sizeof(struct Day) == 32, "layout of Day");

struct World {
    u8 *state; /* per agent, no unit: 0 susceptible … 6 dead, 255 vacant slot */
    u16 *due; /* per agent, tick: tick of the next transition, 0 none */
    u32 *infector; /* per agent, no unit: infecting agent + 1, 0 none */
    u16 *infected_at; /* per agent, tick: tick of infection + 1, 0 never */
    u8 *origin; /* per agent, no unit: layer of infection + 1, 5 introduced, 0 never */
    u8 *age; /* per agent, year: age in completed years */
    u8 *household_position; /* per agent, no unit: place within the household, the head is 0 */
    u8 *household_size; /* per agent, persons: persons in the household */
    u32 *place_first; /* per agent, no unit: first slot of the agent's class or team */
    u8 *place_size; /* per agent, persons: persons in the class or team, 0 none */
    u16 *vaccination; /* per agent, tick: tick of the appointment + 1, 0 none */
    u32 *row_start; /* per agent, no unit: first community contact of the agent */
    u8 *degree; /* per agent, contacts: community contacts of the agent */
    u32 *neighbour; /* per edge, no unit: agent at the other end of a community contact */
    u32 *place_member; /* per place, no unit: agent in a slot of a class or team */
    u64 *claim; /* per agent, no unit: least hash of a contact that infects, with layer and infector */
    u8 *claimed; /* per agent, no unit: 1 where an agent has a claim */
    u16 *age_key; /* per agent, quarter: desired age while households are made */
    u32 *stub_owner; /* per edge, no unit: agent of a stub while the graph is made */
    u32 *key_rank; /* 512 per tile, no unit: rank of a tile's first agent of each desired age */
    u32 *tally_rank; /* 225 per tile, no unit: counts, then ranks, by group, pool and age */
    u32 *tally_total; /* 225 per member, no unit: totals by group, pool and age */
    u32 *group_start; /* 17 per member, stubs: first stub of each age group */
    u32 *block_start; /* 272 per member, stubs: first place of each block (a, b) */
    u32 *pool_start; /* 106 per member, persons: first slot of each pool */
    u32 *tile_member; /* per tile, no unit: member of the tile */
    u32 *tile_begin; /* per tile, no unit: first slot of the tile, counted over all members */
    u32 *tile_end; /* per tile, no unit: slot after the tile's last agent */
    u32 *member_first; /* per member, no unit: first slot of the member */
    u32 *member_population; /* per member, persons: agents of the member */
    u32 *member_stream; /* per member, no unit: random stream of the member */
    u32 *member_scenario; /* per member, no unit: compiled scenario of the member */
    u64 *member_edge; /* per member, no unit: first contact of the member */
    u64 *member_place; /* per member, no unit: first place slot of the member */
    struct Scenario *scenario; /* per scenario, no unit: compiled scenarios */
    struct Day *day; /* per day, no unit: what each day changes */
    u32 *stock; /* 8 per member, persons: agents by state at the end of the last tick */
    u32 *count; /* 8 per member, persons: agents by state, being counted */
    u64 *flow; /* 7 per member, persons: events of the tick */
    i64 *history; /* 16 per member and tick, no unit: metrics */
    u64 *column_digest; /* 10 per member, no unit: running digest of each dynamic column */
    u64 *column_recount; /* 10 per member, no unit: digest of each dynamic column counted in full */
    u64 *phase_digest; /* 8 per member, no unit: change of the state by each chained phase */
    u32 *head; /* 8 per member, no unit: head of the chain, BLAKE3 */
    u32 *fault; /* per member, no unit: first tick + 1 at which persons were not conserved, 0 none */
    u64 seed; /* key of all draws */
    u32 members; /* members held at once */
    u32 tiles; /* tiles held at once */
};
CIVLAB_STATIC_ASSERT(sizeof(struct World) == 376, "layout of World");

#endif
