/* A crowd's week of money: one account, which earns, saves and spends as a household of so many citizens would. */
#ifndef CIVLAB_CIVILISATION_CROWD_MONEY_H
#define CIVLAB_CIVILISATION_CROWD_MONEY_H
#include "crowd.h"
#include "spending.h"

FN int is_first_block(const struct World *w, u32 region, u32 block) {
    return w->region_household[2 * (u64)region] == w->block_begin[block];
}

/* Wages less income tax, and what the government pays, head by head as to persons; the counts of the week. */
FN void crowd_pay(const struct World *w, const struct Home *h, u32 region) {
    const struct Scenario *s = h->scenario;
    const u32 number = w->region_nation[region], *head = w->crowd_tally + crowd_of(h, region) * TALLIES;
    u32 *census = w->census + (u64)region * HEADS;
    u64 *flow = w->flow + (u64)(h->first_nation + number) * FLOWS, wages = 0, taxes = 0, able = 0, employed = 0;
    for (u32 firm = w->cluster_begin[region]; firm < w->cluster_end[region]; firm++)
        for (u32 k = 0; k < SKILLS; k++) {
            const u64 cell = (u64)firm * SKILLS + k, staff = w->staff[cell];
            employed += staff, wages += staff * w->pay[cell];
            taxes += staff * times_q32(w->pay[cell], s->tax_income[number]);
        }
    for (u32 k = 0; k < SKILLS; k++) able += head[TALLY_ABLE_BASIC + k];
    const u64 wage = w->wage[region], people = head[TALLY_PEOPLE];
    const u64 minors = head[TALLY_MINORS], retired = head[TALLY_RETIRED];
    const u64 benefits = (people - minors - retired - employed) * times_q32(wage, s->benefit[number]);
    const u64 pensions = retired * times_q32(wage, s->pension[number]);
    const u64 children = minors * times_q32(wage, s->child_benefit[number]);
    census[HEAD_PEOPLE] = census[HEAD_HOUSED] = (u32)people, census[HEAD_MINORS] = (u32)minors, census[HEAD_RETIRED] = (u32)retired;
    census[HEAD_WORKERS] = (u32)able, census[HEAD_EMPLOYED] = (u32)employed, census[HEAD_SEEKERS] = (u32)(able - employed);
    w->crowd_earned[crowd_of(h, region)] = wages - taxes + benefits + pensions + children;
    add_to(flow + FLOW_WAGES_RECEIVED, wages);
    add_to(flow + FLOW_TAXES_INCOME, taxes);
    add_to(flow + FLOW_BENEFITS, benefits);
    add_to(flow + FLOW_PENSIONS, pensions);
    add_to(flow + FLOW_CHILD_BENEFITS, children);
}

/* Posts the week's income, and pays for the part of the budgets that markets could fill and the sales tax on it. */
FN void crowd_spend(const struct World *w, const struct Place *p, struct Changes *changes) {
    const struct Basket basket = basket_of(w, p);
    const u64 crowd = crowd_of(&p->home, p->region), outlay = w->crowd_outlay[crowd], before = w->crowd_deposit[crowd];
    u64 *flow = w->flow + (u64)p->nation * FLOWS, budget[GOODS], paid = 0, tax = 0;
    part_outlay(&basket, outlay, w->crowd_tally[crowd * TALLIES + TALLY_PEOPLE], budget);
    for (u32 g = 0; g < GOODS; g++) {
        const u64 net = times_q32(budget[g], w->fill[market_of(p->region, g)]);
        w->paid_households[market_of(p->region, g)] = net;
        paid += net, tax += times_q32(net, basket.tax);
    }
    const u64 held = before + w->crowd_earned[crowd] - paid - tax;
    w->crowd_earned[crowd] = w->crowd_outlay[crowd] = 0;
    add_to(flow + FLOW_TAXES_SALES, tax);
    add_to(flow + FLOW_HOUSEHOLD_SPENDING, paid);
    add_to(flow + FLOW_HELD, held);
    add_to(flow + FLOW_BELOW_ZERO, below_zero(held));
    w->region_held[p->region] = held;
    CHANGE(w, &p->home, changes, CROWD_DEPOSIT, crowd_deposit, crowd, crowd, held);
}

#endif
