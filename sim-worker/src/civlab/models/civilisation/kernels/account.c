/* Phase `account`: each firm closes its week: stores perish, capital wears out and is renewed, interest and taxes are
 * paid, loans paid back, dividends paid out, and a firm that owes more than it is worth fails (Poledna et al. 2023,
 * section 3.1.6: its debt is cut to a share of its assets and the bank bears the loss) and gets no credit for some time. */
#include "economy.h"

struct Week {
    u64 lent, interest, repaid, dividends, taxes, written_off, failures, cash, loans, revenue, spent, staff, embodied;
    u64 below, beyond; /* amounts below zero; how far posted prices are beyond the highest */
    i128 stocks[GOODS];
};

FN void perish(const struct World *w, const struct Place *p, u32 firm, u32 industry, struct Changes *changes) {
    const u64 there = w->inventory[firm], gone = times_q32(there, p->scenario->perish[industry]);
    const u64 energy = times_over(w->embodied[firm], gone, there);
    if (gone == 0) return;
    CHANGE(w, &p->home, changes, INVENTORY, inventory, firm, firm, there - gone);
    CHANGE(w, &p->home, changes, EMBODIED, embodied, firm, firm, w->embodied[firm] - energy);
    add_to(goods_flow(w, p->region, GOODS_FLOW_PERISHED, industry), gone);
    add_to(w->flow_energy + (u64)p->region * ENERGY_FLOWS + ENERGY_FLOW_EMBODIED_LOST, energy);
}

/* Interest of the week; what cannot be paid is added to the loan, which pays it. */
FN u64 pay_interest(const struct World *w, const struct Place *p, u64 *cash, u64 *loan, u64 *lent, u32 firm) {
    const i64 rate = within(w->policy_rate[p->nation] + p->scenario->spread, 0, (i64)Q32_ONE / 52);
    const u64 interest = times_q32(*loan, (u64)rate);
    if (*cash < interest) {
        const u64 more = interest - *cash;
        *loan += more, *cash += more, *lent += more;
    }
    *cash -= interest;
    add_to(w->earnings + p->home.first_bank + w->bank[firm], interest);
    return interest;
}

/* What the firm is worth beyond its loan; the loan of one that owes more than all it has is cut. */
FN u64 write_off(const struct World *w, const struct Place *p, u32 firm, u64 cash, u64 loan) {
    const u32 industry = w->industry[firm];
    const u64 assets = times_over(w->capital[firm], w->level[p->nation], BASE_PRICE) +
                       cost_of(w->inventory[firm], p->scenario->lot[industry], w->price[firm]);
    if (loan <= assets + cash) return 0;
    return loan - times_q32(assets, p->scenario->recovery);
}

FN void account_firm(const struct World *w, const struct Place *p, u32 firm, struct Week *week,
                     struct Changes *changes) {
    const struct Scenario *s = p->scenario;
    const u32 industry = w->industry[firm], bank = p->home.first_bank + w->bank[firm];
    const u64 worn = times_q32(w->capital[firm], s->depreciation[industry]);
    const u64 wages = w->bill[firm] + times_q32(w->bill[firm], s->contributions[p->number]);
    u64 cash = w->cash[firm], loan = w->loan[firm], lent = 0, inputs = w->spent[firm];
    for (u32 g = 0; g < GOODS; g++) inputs -= w->invest[(u64)firm * GOODS + g];
    perish(w, p, firm, industry, changes);
    const u64 interest = pay_interest(w, p, &cash, &loan, &lent, firm);
    const u64 costs = wages + inputs + times_over(worn, w->level[p->nation], BASE_PRICE) + interest;
    const u64 profit = minus(w->revenue[firm], costs);
    const u64 tax = least(times_q32(profit, s->tax_profit[p->number]), cash);
    cash -= tax;
    const u64 repaid = least(times_q32(loan, s->repayment), cash);
    cash -= repaid, loan -= repaid;
    const u64 need = times_q32(wages + inputs, s->buffer);
    const u64 dividend = times_q32(minus(cash, need), s->payout);
    cash -= dividend;
    const u64 lost = write_off(w, p, firm, cash, loan);
    loan -= lost;
    if (lost) add_to(w->losses + bank, lost);
    if (lost || w->barred[firm])
        CHANGE(w, &p->home, changes, BARRED, barred, firm, firm, lost ? (u32)s->exclusion : w->barred[firm] - 1);
    if (lent) add_to(w->lending + 2 * (u64)bank, lent);
    if (repaid) add_to(w->lending + 2 * (u64)bank + 1, repaid);
    week->lent += lent, week->interest += interest, week->repaid += repaid, week->dividends += dividend, week->taxes += tax;
    week->written_off += lost, week->failures += lost > 0, week->cash += cash, week->loans += loan;
    CHANGE(w, &p->home, changes, CASH, cash, firm, firm, cash);
    CHANGE(w, &p->home, changes, LOAN, loan, firm, firm, loan);
    CHANGE(w, &p->home, changes, CAPITAL, capital, firm, firm, w->capital[firm] - worn + w->built[firm]);
}

/* Adds up what the firm holds at the end of the tick. */
FN void count_firm(const struct World *w, u32 firm, struct Week *week) {
    week->revenue += w->revenue[firm], week->spent += w->spent[firm];
    week->stocks[w->industry[firm]] += w->inventory[firm];
    week->embodied += w->embodied[firm];
    week->beyond += minus(w->price[firm], HIGHEST_PRICE);
    week->below += below_zero(w->cash[firm]) + below_zero(w->loan[firm]) + below_zero(w->capital[firm]) +
                   below_zero(w->inventory[firm]) + below_zero(w->embodied[firm]);
    for (u32 k = 0; k < SKILLS; k++) week->staff += w->staff[(u64)firm * SKILLS + k];
    for (u32 g = 0; g < GOODS; g++) {
        week->below += below_zero(w->stock[(u64)firm * GOODS + g]) + below_zero(w->stock_embodied[(u64)firm * GOODS + g]);
        week->stocks[g] += w->stock[(u64)firm * GOODS + g];
        week->embodied += w->stock_embodied[(u64)firm * GOODS + g];
    }
}

/* Empties the firm's cells of the tick. */
FN void clear_firm(const struct World *w, u32 firm) {
    w->bill[firm] = w->spent[firm] = w->revenue[firm] = w->built[firm] = w->target[firm] = 0;
    w->sold[firm] = w->demanded[firm] = w->offered[firm] = 0;
    for (u32 g = 0; g < GOODS; g++) w->order[(u64)firm * GOODS + g] = w->invest[(u64)firm * GOODS + g] = 0;
}

FN void civilisation_account_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    u64 *flow = w->flow + (u64)p.nation * FLOWS, output = 0, real = 0;
    struct Week week = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0}};
    struct Changes changes = no_changes();
    (void)tick;
    for (u32 firm = p.begin + lane; firm < p.end; firm += lanes) {
        account_firm(w, &p, firm, &week, &changes);
        count_firm(w, firm, &week);
        clear_firm(w, firm);
    }
    for (u32 g = lane; g < GOODS; g += lanes) {
        const u64 made = *goods_flow(w, tile, GOODS_FLOW_MADE, g), lot = p.scenario->lot[g];
        output += cost_of(made, lot, w->tariff[market_of(tile, g)]);
        real += cost_of(made, lot, BASE_PRICE);
    }
    flush_add(flow + FLOW_OUTPUT, output);
    flush_add(flow + FLOW_OUTPUT_REAL, real);
    flush_add(flow + FLOW_LENT, week.lent);
    flush_add(flow + FLOW_REVENUE, week.revenue);
    flush_add(flow + FLOW_SPENT, week.spent);
    flush_add(flow + FLOW_STAFF, week.staff);
    for (u32 g = 0; g < GOODS; g++)
        wide_flush((struct WideSum *)(w->count_goods + ((u64)p.home.member * GOODS + g) * 4), week.stocks[g]);
    wide_flush((struct WideSum *)(w->count_embodied + (u64)p.home.member * 4), (i128)week.embodied);
    flush_add(flow + FLOW_INTEREST, week.interest);
    flush_add(flow + FLOW_REPAID, week.repaid);
    flush_add(flow + FLOW_PAID_OUT, week.dividends);
    flush_add(flow + FLOW_TAXES_PROFIT, week.taxes);
    flush_add(flow + FLOW_WRITE_OFFS, week.written_off);
    flush_add(flow + FLOW_FAILURES, week.failures);
    flush_add(flow + FLOW_CASH, week.cash);
    flush_add(flow + FLOW_LOANS, week.loans);
    flush_add(flow + FLOW_BELOW_ZERO, week.below);
    flush_add(flow + FLOW_BEYOND, week.beyond);
    flush_changes(w, p.home.member, PHASE_FINANCE, &changes);
}

TILE_KERNEL(civilisation_account)
