/* Phase `audit`: adds up what all agents hold, and looks for one who holds more than there is, as debt would. */
#include "economy.h"

FN void exchange_audit_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    const u64 all = p.scenario->mean * p.scenario->population;
    u64 *sum = w->audit + (u64)p.member * AUDITS;
    u64 money = 0, penniless = 0, beyond = 0, greatest = 0;
    u128 squares = 0;
    (void)tick;
    for (u32 at = p.begin + lane; at < p.end; at += lanes) {
        const u64 holds = w->money[at];
        money += holds;
        squares += (u128)holds * holds;
        penniless += holds == 0;
        beyond += holds > all;
        greatest = holds > greatest ? holds : greatest;
    }
    flush_add(sum + AUDIT_MONEY, money);
    flush_add(sum + AUDIT_PENNILESS, penniless);
    flush_add(sum + AUDIT_BEYOND, beyond);
    wide_flush((struct WideSum *)(w->square + (u64)p.member * 4), (i128)squares);
    shared_max(w->greatest + p.member, greatest);
}

TILE_KERNEL(exchange_audit)
