/* Generated from civlab/models/exchange/layout.py: change that, then `make generate`. */

#ifndef CIVLAB_EXCHANGE_LAYOUT_H
#define CIVLAB_EXCHANGE_LAYOUT_H

#include "civlab.h"

#define FLOWS 2u
#define AUDITS 3u
#define METRICS 7u
#define DYNAMIC 1u
#define CHAINED 2u

#define LAW_FIXED_AMOUNT 0u
#define LAW_SHARE_OF_PAIR 1u
#define LAW_SHARE_OF_MEAN 2u
#define LAW_POOLED 3u

#define DRAW_ORDER 1u
#define DRAW_TRADE 2u

#define FAULT_MONEY_NOT_CONSERVED 1u
#define FAULT_DEBT 2u

#define FLOW_TRADES 0u
#define FLOW_MOVED 1u

#define AUDIT_MONEY 0u
#define AUDIT_PENNILESS 1u
#define AUDIT_BEYOND 2u

#define COLUMN_MONEY 0u

#define PHASE_TRADE 0u
#define PHASE_AUDIT 1u

#define METRIC_MONEY 0u
#define METRIC_PENNILESS 1u
#define METRIC_RICHEST 2u
#define METRIC_SQUARES 3u
#define METRIC_TRADES 5u
#define METRIC_MOVED 6u

struct Scenario {
    u64 mean; /* money of each agent at the start */
    u64 amount; /* money paid under the law of a fixed amount */
    u64 saving; /* Q0.64: share that is kept out of the pool */
    u32 law; /* how a pair trades */
    u32 population; /* agents */
};
CIVLAB_STATIC_ASSERT(sizeof(struct Scenario) == 32, "layout of Scenario");

struct World {
    u64 *money; /* per agent, money: what the agent holds */
    u32 *tile_member; /* per tile, no unit: member of the tile */
    u32 *tile_begin; /* per tile, no unit: first slot of the tile, counted over all members */
    u32 *tile_end; /* per tile, no unit: slot after the tile's last agent */
    u32 *member_first; /* per member, no unit: first slot of the member */
    u32 *member_population; /* per member, agents: agents of the member */
    u32 *member_stream; /* per member, no unit: random stream of the member */
    u32 *member_scenario; /* per member, no unit: compiled scenario of the member */
    struct Scenario *scenario; /* per scenario, no unit: compiled scenarios */
    u64 *flow; /* 2 per member, no unit: pairs that traded and money that moved */
    u64 *audit; /* 3 per member, no unit: sums over agents at the tick's end */
    u64 *greatest; /* per member, money: greatest holding at the tick's end */
    u64 *square; /* 4 per member, money^2: sum of squares by 32-bit limbs */
    i64 *history; /* 7 per member and tick, no unit: metrics */
    u64 *column_digest; /* 2 per member, no unit: running digest of each dynamic column */
    u64 *column_recount; /* 2 per member, no unit: digest of each dynamic column counted in full */
    u64 *phase_digest; /* 4 per member, no unit: change of the state by each chained phase */
    u32 *head; /* 8 per member, no unit: head of the chain, BLAKE3 */
    u64 *fault; /* per member, no unit: first tick at which an invariant broke, and which; 0 none */
    u64 seed; /* key of all draws */
    u32 members; /* members held at once */
    u32 tiles; /* tiles held at once */
};
CIVLAB_STATIC_ASSERT(sizeof(struct World) == 168, "layout of World");

#endif
