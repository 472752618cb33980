/* Phase `produce`: firms take on those who were hired, fix what they pay - the region's wage, or less where the money left
 * for wages is short - and make what they aim at, as far as staff, capital and inputs allow (Leontief). */
#include "making.h"

/* What a firm pays by skill, and its wages; never more than it holds beyond what it has set aside. */
FN u64 pay_staff(const struct World *w, const struct Place *p, u32 firm, struct Changes *changes) {
    const struct Scenario *s = p->scenario;
    const u64 rate = s->contributions[p->number], wage = w->wage[p->region];
    u64 aside = cost_of(w->bid[firm] << QUANTUM_SHIFT, s->lot[GOOD_ENERGY],
                        ladder_price(w->energy_price[p->nation], s->priority[w->industry[firm]]));
    u64 bill = 0, paid = 0;
    for (u32 g = 0; g < GOODS; g++) aside += w->order[(u64)firm * GOODS + g] + w->invest[(u64)firm * GOODS + g];
    const u64 there = minus(w->cash[firm], aside);
    for (u32 k = 0; k < SKILLS; k++) bill += w->staff[(u64)firm * SKILLS + k] * pay_of(s, wage, k);
    const u64 due = bill + times_q32(bill, rate);
    for (u32 k = 0; k < SKILLS; k++) {
        const u64 full = pay_of(s, wage, k), part = due > there ? times_over(full, there, due) : full;
        w->pay[(u64)firm * SKILLS + k] = part;
        paid += w->staff[(u64)firm * SKILLS + k] * part;
    }
    w->bill[firm] = paid;
    const u64 contributions = times_q32(paid, rate);
    CHANGE(w, &p->home, changes, CASH, cash, firm, firm, w->cash[firm] - paid - contributions);
    return contributions;
}

FN void civilisation_produce_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    struct Changes changes = no_changes();
    u64 *flow = w->flow + (u64)p.nation * FLOWS;
    u64 wages = 0, contributions = 0;
    (void)tick;
    for (u32 firm = p.begin + lane; firm < p.end; firm += lanes) {
        const u32 industry = w->industry[firm];
        for (u32 k = 0; k < SKILLS; k++) {
            const u64 cell = (u64)firm * SKILLS + k;
            if (w->joined[cell] == 0) continue;
            CHANGE_PART(w, &p.home, &changes, STAFF, staff, firm, firm, SKILLS, k, w->staff[cell] + w->joined[cell]);
            w->joined[cell] = 0;
        }
        contributions += pay_staff(w, &p, firm, &changes);
        wages += w->bill[firm];
        if (industry != GOOD_FUEL) make(w, &p, firm, industry, output_possible(w, &p, firm, industry), &changes);
    }
    flush_add(flow + FLOW_WAGES, wages);
    flush_add(flow + FLOW_CONTRIBUTIONS, contributions);
    flush_changes(w, p.home.member, PHASE_WORK, &changes);
}

TILE_KERNEL(civilisation_produce)
