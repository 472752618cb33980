/* Generation: banks and governments, the money that closes all balances, and the books of what there is. */
#include "audit.h"

FN void constitute_nation(const struct World *w, const struct Home *h, u32 n) {
    const struct Scenario *s = h->scenario;
    const u32 number = n - h->first_nation;
    const u64 wages = w->flow[(u64)n * FLOWS + FLOW_WAGES_RECEIVED];
    u64 output = 0;
    for (u32 f = h->first_firm; f < h->first_firm + w->member_firms[h->member]; f++) {
        const u32 bank = h->first_bank + w->bank[f];
        if (w->bank_nation[bank] == number)
            output += cost_of(w->sales[f], s->lot[w->industry[f]], BASE_PRICE);
    }
    w->output[n] = output;
    w->pool[n] = w->flow[(u64)n * FLOWS + FLOW_DIVIDENDS];
    w->purchases[n] = times_q32(wages, s->public_size[number]);
    w->treasury[n] = 4 * w->purchases[n];
    w->debt[n] = times_q32(output * WEEKS, s->debt_target[number]);
}

/* Loans, stores and embodied energy of all firms, counted for the books. */
FN void count_firms(const struct World *w, const struct Home *h, struct Totals *t) {
    for (u32 f = h->first_firm; f < h->first_firm + w->member_firms[h->member]; f++) {
        w->lent[h->first_bank + w->bank[f]] += w->loan[f];
        t->flow[FLOW_CASH] += w->cash[f], t->flow[FLOW_LOANS] += w->loan[f];
        t->stocks[w->industry[f]] += w->inventory[f];
        t->embodied += w->embodied[f];
        for (u32 g = 0; g < GOODS; g++) {
            t->stocks[g] += w->stock[(u64)f * GOODS + g];
            t->embodied += w->stock_embodied[(u64)f * GOODS + g];
        }
    }
}

FN void open_books(const struct World *w, const struct Home *h, const struct Totals *t, u64 held) {
    const u32 m = h->member;
    const i128 deposits = (i128)held + t->flow[FLOW_CASH] + t->treasuries + t->pools;
    w->base_money[m] = (i64)(deposits + t->equity - t->flow[FLOW_LOANS] - t->debts);
    for (u32 g = 0; g < GOODS; g++) *book(w->book_goods, m, 2 * GOODS, g) = wide_of(t->stocks[g]);
    *book(w->book_energy, m, 6, 0) = wide_of(t->reserve + t->stocks[GOOD_FUEL] + t->stocks[GOOD_ENERGY]);
    *book(w->book_embodied, m, 2, 0) = wide_of(t->embodied);
    w->book_people[m] = t->head[HEAD_PEOPLE];
}

FN void civilisation_constitute_member(const struct World *w, u32 tick, u32 member) {
    const struct Home h = home_of(w, member);
    struct Totals t = {0};
    u64 held = 0;
    (void)tick;
    count_firms(w, &h, &t);
    for (u32 b = h.first_bank; b < h.first_bank + w->member_banks[member]; b++)
        w->equity[b] = (i64)(3 * times_q32(w->lent[b], h.scenario->capital_ratio));
    for (u32 n = h.first_nation; n < h.first_nation + w->member_nations[member]; n++) {
        constitute_nation(w, &h, n);
        held += w->flow[(u64)n * FLOWS + FLOW_HELD];
    }
    const u64 cash = t.flow[FLOW_CASH], loans = t.flow[FLOW_LOANS];
    total_regions(w, &h, &t);
    total_nations(w, &h, &t);
    t.flow[FLOW_CASH] = cash, t.flow[FLOW_LOANS] = loans;
    open_books(w, &h, &t, held);
    clear_flows(w, &h);
}

MEMBER_KERNEL(civilisation_constitute)
