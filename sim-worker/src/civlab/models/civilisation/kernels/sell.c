/* Phase `sell`: the sellers of a market share the money by price and size, hand over the goods and carry them.
 *
 * Money for carriage stays with the sellers, who use up energy of their own by the distance; goods and what energy is
 * embodied in them go to the buyers by what those paid. */
#include "market.h"

struct Sale {
    u64 money[REACH], carried[REACH]; /* paid for goods, and for their carriage, by place of the seller's disc */
    u64 goods, freight, units, embodied;
};

FN struct Sale sale_of(const struct World *w, const struct Market *m) {
    struct Sale sale;
    sale.goods = sale.freight = sale.units = sale.embodied = 0;
    for (u32 j = 0; j < REACH; j++) {
        const u32 buyer = region_at(w, &m->place, j);
        const u64 paid = buyer == NOWHERE ? 0 : w->filled[buyer_cell(m, buyer, j)];
        sale.money[j] = times_over(paid, Q32_ONE, carriage(m, j));
        if (sale.money[j] == 0) sale.money[j] = paid; /* too little to part */
        sale.carried[j] = paid - sale.money[j];
        sale.goods += sale.money[j], sale.freight += sale.carried[j];
    }
    return sale;
}

/* Weights of the market's firms: what they offer, times the logit of their posted price. */
FN void weigh_sellers(const struct World *w, const struct Market *m) {
    const u64 mean = w->offer_price[m->number];
    u64 cheapest = U64_LARGEST;
    for (u32 firm = m->begin; firm < m->end; firm++) cheapest = least(cheapest, w->price[firm]);
    for (u32 firm = m->begin; firm < m->end; firm++) {
        const u64 logit = logit_weight(w->price[firm], cheapest, mean, m->place.scenario->choice);
        w->split_weight[firm] = w->offered[firm] ? most(times_q32(w->offered[firm], logit), 1) : 0;
    }
}

/* Money by firm into `revenue`: by weight up to what each offers, the rest by what is still on offer. */
FN void split_money(const struct World *w, const struct Market *m, u64 money) {
    const u32 begin = m->begin, count = m->end - m->begin;
    u64 left = money;
    for (u32 round = 0; round < 2 && left; round++) {
        if (round)
            for (u32 firm = begin; firm < m->end; firm++) w->split_weight[firm] = w->offered[firm] - w->revenue[firm];
        apportion(left, w->split_weight + begin, count, w->split_share + begin, w->split_rest + begin);
        for (u32 firm = begin; firm < m->end; firm++) {
            const u64 part = least(w->split_share[firm], w->offered[firm] - w->revenue[firm]);
            w->revenue[firm] += part, left -= part;
        }
    }
}

/* A firm's weight for the demand that it sees: its part of the market, but in the rare week of a surprise, in which customers
 * come to it or leave it. So shares of a market wander, whatever their size (Gibrat 1931). */
#define LEAST_LEFT (Q32_ONE / 16)
#define MOST_COME (5 * Q32_ONE)
FN u64 custom(const struct World *w, const struct Market *m, u32 tick, u32 firm) {
    const struct Home *h = &m->place.home;
    const u64 weight = w->split_weight[firm];
    if (weight == 0 || h->scenario->surprises == 0) return weight;
    const u32 number = firm - h->first_firm;
    const struct Block block = draw(w, h, tick, DRAW_SURPRISE, number, 0);
    if (block.word[0] >= h->scenario->surprises) return weight;
    const struct Block chance = draw(w, h, tick, DRAW_SURPRISE, number, 1);
    const i64 factor = within((i64)Q32_ONE + q32_times(h->scenario->surprise, bell(&chance)), (i64)LEAST_LEFT, (i64)MOST_COME);
    return most(times_q32(weight, (u64)factor), 1);
}

/* Orders of the first round, met or not, by weight: what each firm's demand was. A firm that had nothing to sell learns
 * nothing about it; none expects less than what one employee makes, as its place would go to a founder of that size. */
FN void note_demand(const struct World *w, const struct Market *m, u32 tick, const struct Sale *sale, struct Changes *changes) {
    const struct Scenario *s = m->place.scenario;
    const u64 paid = sale->goods + sale->freight;
    const u64 sought = paid ? times_over(w->sought[m->number], sale->goods, paid) : w->sought[m->number];
    const u64 least_sales = s->surprises ? productivity_now(w, &m->place, m->good) : 1;
    u64 all = 0;
    for (u32 firm = m->begin; firm < m->end; firm++) all += w->split_share[firm] = custom(w, m, tick, firm);
    for (u32 firm = m->begin; firm < m->end; firm++) {
        if (w->split_share[firm] == 0) continue;
        const u64 sales = w->sales[firm];
        const u128 units = (u128)times_over(sought, w->split_share[firm], all) * m->lot / w->price[firm];
        const u64 asked = units < 4 * (u128)sales ? (u64)units : 4 * sales; /* no firm hopes for more */
        const u64 next = asked >= sales ? sales + times_q32(asked - sales, s->learning)
                                        : sales - times_q32(sales - asked, s->learning);
        CHANGE(w, &m->place.home, changes, SALES, sales, firm, firm, most(next, least_sales));
    }
}

/* Goods leave the stores. */
FN void hand_over(const struct World *w, const struct Market *m, struct Sale *sale, struct Changes *changes) {
    for (u32 firm = m->begin; firm < m->end; firm++) {
        const u64 units = units_for(w->revenue[firm], m->lot, w->price[firm]);
        const u64 energy = times_over(w->embodied[firm], units, w->inventory[firm]);
        w->sold[firm] = units;
        sale->units += units, sale->embodied += energy;
        CHANGE(w, &m->place.home, changes, EMBODIED, embodied, firm, firm, w->embodied[firm] - energy);
        CHANGE(w, &m->place.home, changes, INVENTORY, inventory, firm, firm, w->inventory[firm] - units);
    }
}

/* The sellers' own energy carries the goods, as far as they have more than a week's work needs; what was embodied in it travels with them. */
FN void carry(const struct World *w, const struct Market *m, const u64 *units, struct Sale *sale,
              struct Changes *changes) {
    const struct Scenario *s = m->place.scenario;
    const u32 count = m->end - m->begin;
    u64 need = 0;
    for (u32 j = 0; j < REACH; j++)
        if (units[j]) need += times_over(units[j], s->freight_energy[m->good], m->lot) * disc_distance(j);
    for (u32 firm = m->begin; firm < m->end; firm++) {
        const u64 part = times_over(need, w->sold[firm], sale->units), usual = w->haul[firm];
        CHANGE(w, &m->place.home, changes, HAUL, haul, firm, firm, usual - usual / 4 + part / 4);
        w->split_weight[firm] = minus(w->stock[(u64)firm * GOODS + GOOD_ENERGY],
                                      times_over(w->sales[firm], s->technology[m->good][GOOD_ENERGY], m->lot));
    }
    if (need == 0) return;
    ration(need, w->split_weight + m->begin, count, w->split_share + m->begin, w->split_rest + m->begin);
    for (u32 firm = m->begin; firm < m->end; firm++) {
        const u64 cell = (u64)firm * GOODS + GOOD_ENERGY, used = w->split_share[firm];
        const u64 energy = times_over(w->stock_embodied[cell], used, w->stock[cell]);
        if (used == 0) continue;
        CHANGE_PART(w, &m->place.home, changes, STOCK, stock, firm, firm, GOODS, GOOD_ENERGY, w->stock[cell] - used);
        CHANGE_PART(w, &m->place.home, changes, STOCK_EMBODIED, stock_embodied, firm, firm, GOODS, GOOD_ENERGY,
                    w->stock_embodied[cell] - energy);
        sale->embodied += energy;
        add_to(goods_flow(w, m->place.region, GOODS_FLOW_CARRIED, GOOD_ENERGY), used);
    }
}

FN void collect(const struct World *w, const struct Market *m, const struct Sale *sale, struct Changes *changes) {
    const u32 begin = m->begin, count = m->end - m->begin;
    for (u32 firm = begin; firm < m->end; firm++) w->split_weight[firm] = w->revenue[firm];
    apportion(sale->freight, w->split_weight + begin, count, w->split_share + begin, w->split_rest + begin);
    for (u32 firm = begin; firm < m->end; firm++) {
        w->revenue[firm] += w->split_share[firm];
        CHANGE(w, &m->place.home, changes, CASH, cash, firm, firm, w->cash[firm] + w->revenue[firm]);
    }
}

FN void sell_market(const struct World *w, const struct Market *m, u32 tick, struct Changes *changes) {
    struct Sale sale = sale_of(w, m);
    u64 units[REACH], energy[REACH];
    weigh_sellers(w, m);
    note_demand(w, m, tick, &sale, changes);
    split_money(w, m, sale.goods);
    hand_over(w, m, &sale, changes);
    for (u32 j = 0; j < REACH; j++) units[j] = energy[j] = 0;
    if (sale.units) split_reach(sale.units, sale.money, units);
    collect(w, m, &sale, changes);
    carry(w, m, units, &sale, changes);
    if (sale.embodied) split_reach(sale.embodied, sale.money, energy);
    *goods_flow(w, m->place.region, GOODS_FLOW_SOLD, m->good) = sale.units;
    for (u32 j = 0; j < REACH; j++) {
        const u32 buyer = region_at(w, &m->place, j);
        if (buyer == NOWHERE) continue;
        w->shipped[buyer_cell(m, buyer, j)] = units[j];
        w->shipped_embodied[buyer_cell(m, buyer, j)] = energy[j];
    }
}

FN void civilisation_sell_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Market m = market_at(w, tile);
    struct Changes changes = no_changes();
    (void)lanes;
    if (lane == 0 && m.good != GOOD_ENERGY) sell_market(w, &m, tick, &changes);
    flush_changes(w, m.place.home.member, PHASE_MARKET, &changes);
}

TILE_KERNEL(civilisation_sell)
