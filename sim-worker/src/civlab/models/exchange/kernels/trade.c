/* Phase `trade`: a keyed permutation puts the agents in an order drawn anew; places 2 k and 2 k + 1 are pair k.
 *
 * Of an odd number the last place is left alone. A tile takes the pairs at its own places, which are other agents
 * than its own; since everyone is in one pair at most, nobody else writes what a pair writes. */
#include "economy.h"

/* The draws of pairs from, from + 1, …: two pairs share a block, 64 bits each. Where a batch has more than one pair,
 * it begins at an even one. */
FN void draw_trades(const struct World *w, u32 stream, u32 tick, u32 from, u64 draw[BATCH + 1]) {
    for (u32 i = 0; i < BATCH; i += 2) {
        const struct Block block = draw_block(w->seed, stream, tick, DRAW_TRADE, (from + i) / 2, 0);
        draw[i] = from & 1u ? second_u64(&block) : first_u64(&block);
        if (BATCH > 1) draw[i + 1] = second_u64(&block);
    }
}

FN void exchange_trade_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    const struct Scenario *s = p.scenario;
    const u32 stream = w->member_stream[p.member];
    const struct Permutation order = permutation(draw_block(w->seed, stream, tick, DRAW_ORDER, 0, 0), s->population);
    const u32 begin = (p.begin - p.first) / 2, end = (p.end - p.first) / 2;
    u64 *money = w->money + p.first;
    struct Changes changes = no_changes();
    u64 trades = 0, moved = 0;
    for (u32 from = begin + lane * BATCH; from < end; from += lanes * BATCH) {
        const u32 count = end - from < BATCH ? end - from : BATCH;
        u32 agent[2 * BATCH];
        u64 draw[BATCH + 1], before[2 * BATCH], after[2 * BATCH];
        for (u32 i = 0; i < 2 * BATCH; i++) agent[i] = i < 2 * count ? 2 * from + i : 0;
        unpermute_all(&order, agent, 2 * count);
        for (u32 i = 0; i < 2 * count; i++) will_write(money + agent[i]);
        draw_trades(w, stream, tick, from, draw);
        for (u32 i = 0; i < 2 * BATCH; i++) before[i] = after[i] = i < 2 * count ? money[agent[i]] : 0;
        for (u32 i = 0; i < count; i++) {
            const u64 had = before[2 * i], both = had + before[2 * i + 1];
            const u64 has = after_trade(s, had, both - had, draw[i]);
            after[2 * i] = has, after[2 * i + 1] = both - has;
            trades += has != had;
            moved += has > had ? has - had : had - has;
        }
        for (u32 i = 0; i < 2 * count; i++) money[agent[i]] = after[i];
        digest_changes_u64(&changes.of[COLUMN_MONEY], COLUMN_MONEY, agent, before, after, 2 * BATCH);
    }
    flush_changes(w, p.member, PHASE_TRADE, &changes);
    flush_add(w->flow + (u64)p.member * FLOWS + FLOW_TRADES, trades);
    flush_add(w->flow + (u64)p.member * FLOWS + FLOW_MOVED, moved);
}

TILE_KERNEL(exchange_trade)
