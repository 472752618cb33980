/* Phase `receive`: goods that were bought reach households and the government, who consume them, and firms, who put
 * them into store or build them into their capital; each gets a part by what was paid. */
#include "market.h"

struct Arrival {
    u64 units, embodied;
    u64 final_units, final_embodied, firms_units, firms_embodied;
};

FN struct Arrival arrival_of(const struct World *w, const struct Market *m) {
    const u64 *shipped = w->shipped + m->number * REACH, *energy = w->shipped_embodied + m->number * REACH;
    u64 weight[2] = {w->paid_households[m->number] + w->paid_public[m->number], w->paid_firms[m->number]};
    u64 share[2], rest[2];
    struct Arrival a = {0, 0, 0, 0, 0, 0};
    for (u32 j = 0; j < REACH; j++) {
        if (region_at(w, &m->place, j) == NOWHERE) continue;
        a.units += shipped[j], a.embodied += energy[j];
    }
    if (weight[0] + weight[1] == 0) return a;
    apportion(a.units, weight, 2, share, rest);
    a.final_units = share[0], a.firms_units = share[1];
    apportion(a.embodied, weight, 2, share, rest);
    a.final_embodied = share[0], a.firms_embodied = share[1];
    return a;
}

/* A firm's part: for its stores and for its capital, by what it paid for each. Returns the embodied energy that went
 * into capital, and what was built. */
FN u64 take_in(const struct World *w, const struct Market *m, u32 firm, u64 units, u64 energy, u64 *built,
               struct Changes *changes) {
    const u64 cell = (u64)firm * GOODS + m->good, order = w->order[cell], all = order + w->invest[cell];
    const u64 into = times_over(units, w->invest[cell], all), spent = times_over(energy, into, units);
    CHANGE_PART(w, &m->place.home, changes, STOCK, stock, firm, firm, GOODS, m->good, w->stock[cell] + units - into);
    CHANGE_PART(w, &m->place.home, changes, STOCK_EMBODIED, stock_embodied, firm, firm, GOODS, m->good,
                w->stock_embodied[cell] + energy - spent);
    if (into) add_to(w->built + firm, cost_of(into, m->lot, BASE_PRICE));
    *built += into;
    return spent;
}

FN u64 receive_firms(const struct World *w, const struct Market *m, const struct Arrival *a, u64 *built,
                     struct Changes *changes) {
    const u32 first = m->place.begin, count = m->place.end - first;
    const u64 at = (u64)first * GOODS + (u64)m->good * count;
    u64 used = 0;
    if (a->firms_units == 0) return 0;
    apportion(a->firms_units, w->bought + at, count, w->delivered + at, w->rest + at);
    apportion(a->firms_embodied, w->bought + at, count, w->delivered_embodied + at, w->rest + at);
    for (u32 k = 0; k < count; k++)
        if (w->bought[at + k])
            used += take_in(w, m, first + k, w->delivered[at + k], w->delivered_embodied[at + k], built, changes);
    return used;
}

FN void receive_market(const struct World *w, const struct Market *m, struct Changes *changes) {
    const struct Arrival a = arrival_of(w, m);
    const u64 paid = w->paid_households[m->number] + w->paid_public[m->number] + w->paid_firms[m->number];
    u64 built = 0, used = a.final_embodied;
    used += receive_firms(w, m, &a, &built, changes);
    if (a.firms_units == 0) used += a.firms_embodied;
    *goods_flow(w, m->place.region, GOODS_FLOW_RECEIVED, m->good) = a.units;
    *goods_flow(w, m->place.region, GOODS_FLOW_CONSUMED, m->good) = a.final_units;
    *goods_flow(w, m->place.region, GOODS_FLOW_BUILT, m->good) = built;
    add_to(w->flow_energy + (u64)m->place.region * ENERGY_FLOWS + ENERGY_FLOW_EMBODIED_USED, used);
    if (a.units)
        CHANGE_PART(w, &m->place.home, changes, TARIFF, tariff, region, m->place.region, GOODS, m->good,
                    most(times_over(paid, m->lot, a.units), 1));
}

FN void civilisation_receive_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Market m = market_at(w, tile);
    struct Changes changes = no_changes();
    (void)tick, (void)lanes;
    if (lane == 0 && m.good != GOOD_ENERGY) receive_market(w, &m, &changes);
    flush_changes(w, m.place.home.member, PHASE_MARKET, &changes);
}

TILE_KERNEL(civilisation_receive)
