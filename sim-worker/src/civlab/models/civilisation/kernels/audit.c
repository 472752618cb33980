/* Phase `audit`: everything that is conserved is counted in two ways, and the books are brought up to date. */
#include "audit.h"

/* What must lie between one and the highest; the residue is how far it is out. */
FN void within_bounds(const struct Verdict *v, u64 value, u64 highest, u32 place) {
    expect(v, FAULT_BOUNDS, (i128)value, (i128)least(most(value, 1), highest), place);
}

/* No amount is negative, and prices, pay and productivity lie within the ranges for which their products fit. */
FN void audit_bounds(const struct Verdict *v, const struct Home *h, const struct Totals *t) {
    const struct World *w = v->w;
    expect(v, FAULT_NEGATIVE, (i128)t->flow[FLOW_BELOW_ZERO] + t->below_zero, 0, 0);
    for (u32 r = h->first_region; r < h->first_region + w->member_regions[v->member]; r++) {
        for (u32 g = 0; g < GOODS; g++)
            within_bounds(v, w->tariff[market_of(r, g)], HIGHEST_PRICE, r - h->first_region + 1);
        within_bounds(v, w->wage[r], HIGHEST_PRICE, r - h->first_region + 1);
    }
    for (u32 n = h->first_nation; n < h->first_nation + w->member_nations[v->member]; n++) {
        within_bounds(v, w->level[n], HIGHEST_PRICE, 0);
        within_bounds(v, w->energy_price[n], HIGHEST_PRICE, 0);
        within_bounds(v, w->technology[n], HIGHEST_TECHNOLOGY, 0);
    }
    expect(v, FAULT_BOUNDS, (i128)t->flow[FLOW_BEYOND], 0, 0);
}

FN void audit_people(const struct Verdict *v, const struct Totals *t) {
    const i128 before = (i128)v->w->book_people[v->member];
    expect(v, FAULT_POPULATION, (i128)t->head[HEAD_PEOPLE], before + t->vital[VITAL_BIRTHS] - t->vital[VITAL_DEATHS], 0);
    expect(v, FAULT_POPULATION, (i128)t->vital[VITAL_ARRIVALS], (i128)t->vital[VITAL_DEPARTURES], 0);
    expect(v, FAULT_POPULATION, (i128)t->head[HEAD_HOUSED], (i128)t->head[HEAD_PEOPLE], 1);
    expect(v, FAULT_LABOUR, (i128)t->flow[FLOW_STAFF], (i128)t->head[HEAD_EMPLOYED], 0);
    expect(v, FAULT_LABOUR, (i128)t->head[HEAD_WORKERS], (i128)t->head[HEAD_EMPLOYED] + t->head[HEAD_SEEKERS], 1);
    expect(v, FAULT_INHERITANCE, (i128)t->vital[VITAL_ESTATES],
           (i128)t->vital[VITAL_INHERITED] + t->vital[VITAL_UNCLAIMED], 0);
}

/* Land by use sums to the region's area; carbon emitted is in the air or in the sinks. */
FN void audit_earth(const struct Verdict *v, const struct Home *h) {
    const struct World *w = v->w;
    const i64 *carbon = w->carbon + 3 * (u64)v->member;
    for (u32 r = h->first_region; r < h->first_region + w->member_regions[v->member]; r++) {
        u64 area = 0;
        for (u32 k = 0; k < LANDS; k++) area += w->land[(u64)r * LANDS + k];
        expect(v, FAULT_LAND, (i128)area, (i128)h->lands->area, r - h->first_region + 1);
    }
    expect(v, FAULT_CARBON, (i128)carbon[0], (i128)carbon[1] + carbon[2], 0);
}

FN void audit_markets(const struct Verdict *v, const struct Home *h, const struct Totals *t) {
    const struct World *w = v->w;
    for (u32 r = h->first_region; r < h->first_region + w->member_regions[v->member]; r++)
        for (u32 g = 0; g < GOODS; g++) {
            const u64 fill = w->fill[market_of(r, g)];
            expect(v, FAULT_RATIONING, (i128)fill, (i128)least(fill, Q32_ONE), g + 1);
        }
    for (u32 g = 0; g < GOODS; g++)
        expect(v, FAULT_RATIONING, (i128)t->wide_goods[GOODS_FLOW_SOLD][g], (i128)t->wide_goods[GOODS_FLOW_RECEIVED][g],
               g + 1);
}

FN void audit_goods(const struct Verdict *v, const struct Totals *t) {
    for (u32 g = 0; g < GOODS; g++) {
        const i128 before = wide_value(*book(v->w->book_goods, v->member, 2 * GOODS, g));
        expect(v, FAULT_GOODS, t->stocks[g], before + change_of_stocks(t, g), g + 1);
    }
    const i128 embodied = wide_value(*book(v->w->book_embodied, v->member, 2, 0));
    expect(v, FAULT_EMBODIED, t->embodied,
           embodied + (i128)t->primary - (i128)t->embodied_used - (i128)t->embodied_lost, 0);
    const i128 there = wide_value(*book(v->w->book_energy, v->member, 6, 0));
    const i128 gained = wide_value(*book(v->w->book_energy, v->member, 6, 1)) + (i128)t->gained;
    const i128 gone = wide_value(*book(v->w->book_energy, v->member, 6, 2)) + dissipated(t);
    expect(v, FAULT_ENERGY, t->reserve + t->stocks[GOOD_FUEL] + t->stocks[GOOD_ENERGY] + gone, there + gained, 0);
    if (dissipated(t) < 0) expect(v, FAULT_ENERGY, dissipated(t), 0, 0);
}

/* Fuel burnt since the start: what left the stores and did not perish, was not built or used for carriage. */
FN i128 burnt_since(const struct World *w, u32 member, const struct Totals *t) {
    const u32 fuel = GOOD_FUEL;
    return wide_value(*book(w->book_burnt, member, 2, 0)) + wide_value(*book(w->book_goods, member, 2 * GOODS, fuel)) +
           (i128)t->wide_goods[GOODS_FLOW_MADE][fuel] - (i128)t->wide_goods[GOODS_FLOW_PERISHED][fuel] -
           (i128)t->wide_goods[GOODS_FLOW_BUILT][fuel] - (i128)t->wide_goods[GOODS_FLOW_CARRIED][fuel] - t->stocks[fuel];
}

/* Fuel whose carbon is still to be counted: what was used as an input or consumed, which the next year counts. */
FN i128 carbon_due(const struct World *w, u32 member, const struct Totals *t) {
    return wide_value(*book(w->carbon_due, member, 2, 0)) + (i128)t->wide_goods[GOODS_FLOW_USED][GOOD_FUEL] +
           (i128)t->wide_goods[GOODS_FLOW_CONSUMED][GOOD_FUEL];
}

/* All fuel burnt has been counted as carbon, or is due to be. */
FN void audit_fuel(const struct Verdict *v, const struct Home *h, const struct Totals *t) {
    const struct World *w = v->w;
    const i128 counted = burnt_since(w, v->member, t) - carbon_due(w, v->member, t);
    expect(v, FAULT_CARBON, counted * (i128)h->lands->carbon_factor,
           (i128)w->carbon_own[v->member] * CARBON_UNIT + w->carbon_rest[v->member], 1);
}

/* Payments between sectors, each sector's account, then all money against all debts: the narrower names come first. */
FN void audit_money(const struct Verdict *v, const struct Totals *t) {
    const u64 *f = t->flow;
    const i128 deposits = (i128)f[FLOW_HELD] + f[FLOW_CASH] + t->treasuries + t->pools;
    expect(v, FAULT_TRADE, t->abroad, 0, 0);
    expect(v, FAULT_CREDIT, (i128)f[FLOW_LOANS], t->lent, 0);
    expect(v, FAULT_RATIONING, (i128)f[FLOW_REVENUE],
           (i128)f[FLOW_HOUSEHOLD_SPENDING] + f[FLOW_PURCHASES] + f[FLOW_SPENT], 0);
    expect(v, FAULT_FIRM_SHEET, (i128)f[FLOW_CASH],
           (i128)f[FLOW_CASH_BEFORE] + f[FLOW_LENT] + f[FLOW_REVENUE] - f[FLOW_WAGES] - f[FLOW_CONTRIBUTIONS] -
               f[FLOW_SPENT] - f[FLOW_INTEREST] - f[FLOW_TAXES_PROFIT] - f[FLOW_REPAID] - f[FLOW_PAID_OUT],
           0);
    expect(v, FAULT_HOUSEHOLD_SHEET, (i128)f[FLOW_HOUSEHOLD_INCOME],
           (i128)f[FLOW_WAGES] - f[FLOW_TAXES_INCOME] + f[FLOW_BENEFITS] + f[FLOW_PENSIONS] + f[FLOW_CHILD_BENEFITS] +
               f[FLOW_DIVIDENDS],
           1);
    expect(v, FAULT_HOUSEHOLD_SHEET, (i128)f[FLOW_HELD],
           (i128)f[FLOW_HOLDINGS] + f[FLOW_HOUSEHOLD_INCOME] - f[FLOW_HOUSEHOLD_SPENDING] - f[FLOW_TAXES_SALES], 0);
    expect(v, FAULT_BANK_SHEET, t->equity + t->pools,
           (i128)f[FLOW_BANKS_BEFORE] + f[FLOW_INTEREST] + f[FLOW_INTEREST_PUBLIC] + f[FLOW_RESCUES] + f[FLOW_PAID_OUT] -
               f[FLOW_WRITE_OFFS] - f[FLOW_DIVIDENDS],
           0);
    expect(v, FAULT_GOVERNMENT_SHEET, t->treasuries - t->debts,
           (i128)f[FLOW_TREASURY_BEFORE] - f[FLOW_DEBT_BEFORE] + f[FLOW_TAXES_INCOME] + f[FLOW_TAXES_SALES] +
               f[FLOW_TAXES_PROFIT] + f[FLOW_CONTRIBUTIONS] - f[FLOW_BENEFITS] - f[FLOW_PENSIONS] -
               f[FLOW_CHILD_BENEFITS] - f[FLOW_PURCHASES] - f[FLOW_INTEREST_PUBLIC] - f[FLOW_RESCUES],
           0);
    expect(v, FAULT_MONEY, deposits + t->equity, (i128)v->w->base_money[v->member] + f[FLOW_LOANS] + t->debts, 0);
}

FN void keep_books(const struct World *w, const struct Home *h, const struct Totals *t, struct Changes *changes) {
    const u32 m = h->member;
    const i128 gained = wide_value(*book(w->book_energy, m, 6, 1)) + (i128)t->gained;
    const i128 gone = wide_value(*book(w->book_energy, m, 6, 2)) + dissipated(t);
    const struct Wide burnt = wide_of(burnt_since(w, m, t)), due = wide_of(carbon_due(w, m, t));
    CHANGE_PART(w, h, changes, BOOK_BURNT, book_burnt, member, m, 2, 0, burnt.low);
    CHANGE_PART(w, h, changes, BOOK_BURNT, book_burnt, member, m, 2, 1, (u64)burnt.high);
    CHANGE_PART(w, h, changes, CARBON_DUE, carbon_due, member, m, 2, 0, due.low);
    CHANGE_PART(w, h, changes, CARBON_DUE, carbon_due, member, m, 2, 1, (u64)due.high);
    for (u32 g = 0; g < GOODS; g++) {
        CHANGE_PART(w, h, changes, BOOK_GOODS, book_goods, member, m, 2 * GOODS, 2 * g, wide_of(t->stocks[g]).low);
        CHANGE_PART(w, h, changes, BOOK_GOODS, book_goods, member, m, 2 * GOODS, 2 * g + 1,
                    (u64)wide_of(t->stocks[g]).high);
    }
    CHANGE_PART(w, h, changes, BOOK_ENERGY, book_energy, member, m, 6, 2, wide_of(gained).low);
    CHANGE_PART(w, h, changes, BOOK_ENERGY, book_energy, member, m, 6, 3, (u64)wide_of(gained).high);
    CHANGE_PART(w, h, changes, BOOK_ENERGY, book_energy, member, m, 6, 4, wide_of(gone).low);
    CHANGE_PART(w, h, changes, BOOK_ENERGY, book_energy, member, m, 6, 5, (u64)wide_of(gone).high);
    CHANGE_PART(w, h, changes, BOOK_EMBODIED, book_embodied, member, m, 2, 0, wide_of(t->embodied).low);
    CHANGE_PART(w, h, changes, BOOK_EMBODIED, book_embodied, member, m, 2, 1, (u64)wide_of(t->embodied).high);
    CHANGE(w, h, changes, BOOK_PEOPLE, book_people, member, m, t->head[HEAD_PEOPLE]);
}

FN void civilisation_audit_member(const struct World *w, u32 tick, u32 member) {
    const struct Home h = home_of(w, member);
    const struct Verdict v = {w, member, tick};
    struct Totals t = {0};
    struct Changes changes = no_changes();
    total_regions(w, &h, &t);
    total_nations(w, &h, &t);
    expect(&v, FAULT_OVERFLOW, total_stocks(w, &h, &t), 0, 0);
    expect(&v, FAULT_OVERFLOW, t.largest > HIGHEST_FLOW, 0, 0);
    audit_bounds(&v, &h, &t);
    audit_people(&v, &t);
    audit_earth(&v, &h);
    audit_markets(&v, &h, &t);
    audit_goods(&v, &t);
    audit_fuel(&v, &h, &t);
    audit_money(&v, &t);
    keep_books(w, &h, &t, &changes);
    add_changes(w, member, PHASE_RECORD, &changes);
}

MEMBER_KERNEL(civilisation_audit)
