/* Phase `call`: each nation's energy call is cleared at one price, that of the largest volume (auction.h). */
#include "auction.h"
#include "economy.h"

FN void clear_nation(const struct World *w, u32 nation) {
    u64 *demand = w->ladder_demand + (u64)nation * LADDER, *supply = w->ladder_supply + (u64)nation * LADDER;
    u64 *result = w->call + (u64)nation * CALLS, wanted = 0;
    const struct Clearing c = auction_clear(demand, supply, LADDER);
    const u32 wanted_step = (u32)least(c.step, LADDER / 2);
    for (u32 step = wanted_step; step < LADDER; step++) wanted += demand[step];
    result[CALL_PRICE] = ladder_price(w->energy_price[nation], c.step);
    result[CALL_BID_STEP] = c.bid_step, result[CALL_BID_LEFT] = c.bid_left;
    result[CALL_ASK_STEP] = c.ask_step, result[CALL_ASK_LEFT] = c.ask_left;
    result[CALL_VOLUME] = (u64)c.volume, result[CALL_WANTED] = wanted;
    result[CALL_WANTED_STEP] = wanted_step;
    result[CALL_MONEY] = 0;
    for (u32 step = 0; step < LADDER; step++) demand[step] = supply[step] = 0;
}

FN void civilisation_call_member(const struct World *w, u32 tick, u32 member) {
    const u32 first = w->member_nation[member];
    (void)tick;
    for (u32 nation = first; nation < first + w->member_nations[member]; nation++) clear_nation(w, nation);
}

MEMBER_KERNEL(civilisation_call)
