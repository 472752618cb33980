/* Phase `plan`: every firm sets its price and decides what to make, whom to employ, what to buy and what to borrow.
 *
 * Expected demand, the gap in stores and the capital there is give the output aimed at (Poledna et al. 2023, section
 * 3.1: supply by expectations, Leontief inputs, investment that keeps capital in step). Prices follow unit cost times
 * markup and empty stores, and change by no more than a bound a week. */
#include "economy.h"

struct Plan {
    u64 target, wages, orders, energy, investment;
};

/* base + share of (goal - have) that is made up, not below zero nor above twice the base. */
FN u64 towards(u64 base, u64 goal, u64 have, u64 speed) {
    if (goal >= have) return base + least(times_q32(goal - have, speed), base);
    return minus(base, times_q32(have - goal, speed));
}

/* Cost of a lot: pay and contributions, inputs at the prices last paid, capital worn out. */
FN u64 unit_cost(const struct World *w, const struct Place *p, u32 industry) {
    const struct Scenario *s = p->scenario;
    const u64 wage = w->wage[p->region], lot = s->lot[industry];
    const u64 hour = wage + times_q32(wage, s->contributions[p->number]);
    u64 cost = times_over(hour, lot, productivity_now(w, p, industry));
    for (u32 g = 0; g < GOODS; g++)
        cost += times_over(s->technology[industry][g], w->tariff[market_of(p->region, g)], s->lot[g]);
    const u64 capital = times_over(times_over(lot, 1000000, s->capacity[industry]), Q32_ONE, s->use);
    return cost + times_over(times_q32(capital, s->depreciation[industry]), w->level[p->nation], BASE_PRICE);
}

FN u64 next_price(const struct World *w, const struct Place *p, u32 industry, u64 price, u64 goal, u64 have) {
    const struct Scenario *s = p->scenario;
    const u64 aim = times_q32(unit_cost(w, p, industry), s->markup[industry]);
    const u64 bound = times_q32(price, s->price_bound), gap = aim > price ? aim - price : price - aim;
    const u64 step = least(times_q32(gap, s->price_speed), bound), full = times_q32(price, s->price_pressure);
    const u64 lack = goal > have ? goal - have : have - goal;
    const u64 push = goal ? least(times_over(full, lack, goal), full) : 0;
    u64 next = aim > price ? price + step : minus(price, step);
    next = goal > have ? next + push : minus(next, push);
    return most(next, 1);
}

/* Employees wanted by skill: heads by the industry's mix, by largest remainders, and more of the usual skill where those
 * heads would make less than the target. */
FN void staff_wanted(const struct World *w, const struct Place *p, u32 industry, u64 target, u64 wanted[SKILLS]) {
    const struct Scenario *s = p->scenario;
    const u64 effort = target ? times_over(target, 256, productivity_now(w, p, industry)) + 1 : 0;
    u64 mean = 0, rest[SKILLS], there = 0;
    u32 usual = 0;
    for (u32 k = 0; k < SKILLS; k++) {
        mean += (u64)(((u128)s->mix[industry][k] * s->efficiency[k] << 8) >> 63);
        usual = s->mix[industry][k] > s->mix[industry][usual] ? k : usual;
    }
    apportion(target ? (effort << 8) / most(mean, 1) + 1 : 0, s->mix[industry], SKILLS, wanted, rest);
    for (u32 k = 0; k < SKILLS; k++) there += wanted[k] * s->efficiency[k];
    wanted[usual] += (minus(effort, there) + s->efficiency[usual] - 1) / s->efficiency[usual];
}

/* Jobs advertised of so many that lack staff: a share, the rest of a job by chance. */
FN u64 advertised(const struct World *w, const struct Place *p, u32 tick, u32 firm, u32 skill, u64 lack) {
    if (lack == 0 || p->scenario->hiring >= Q32_ONE) return lack;
    const struct Block block = draw(w, &p->home, tick, DRAW_HIRING, firm - p->home.first_firm, skill);
    return (u64)(((u128)lack * p->scenario->hiring + block.word[0]) >> 32);
}

/* Employees wanted by skill, and the chance that one of those there leaves. */
FN u64 plan_staff(const struct World *w, const struct Place *p, u32 tick, u32 firm, u32 industry, u64 target) {
    const struct Scenario *s = p->scenario;
    u64 wanted[SKILLS], wages = 0;
    staff_wanted(w, p, industry, target, wanted);
    for (u32 k = 0; k < SKILLS; k++) {
        const u64 cell = (u64)firm * SKILLS + k, there = w->staff[cell];
        if (wanted[k] > there) wanted[k] = there + advertised(w, p, tick, firm, k, wanted[k] - there);
        const u64 excess = there > wanted[k] ? ((there - wanted[k]) << 32) / there : 0;
        w->want[cell] = (u32)wanted[k];
        w->lapse[cell] = (u32)least(s->quit + times_q32(excess, s->layoff), 0xffffffffull);
        wages += most(there, wanted[k]) * pay_of(s, w->wage[p->region], k);
    }
    return wages + times_q32(wages, s->contributions[p->number]);
}

/* Money set aside for inputs, and the energy bid for. */
FN void plan_inputs(const struct World *w, const struct Place *p, u32 firm, u32 industry, struct Plan *plan) {
    const struct Scenario *s = p->scenario;
    const u64 fuel = times_over(plan->target, s->technology[industry][GOOD_FUEL], s->lot[industry]);
    const u64 instead = in_place_of_fuel(s, industry, fuel, w->stock[(u64)firm * GOODS + GOOD_FUEL]);
    for (u32 g = 0; g < GOODS; g++) {
        const u64 cell = (u64)firm * GOODS + g;
        const u64 need = times_over(plan->target, s->technology[industry][g], s->lot[industry]) +
                         (g == GOOD_ENERGY ? w->haul[firm] + instead : 0);
        const u64 units = towards(need, times_q32(need, s->input_cover[g]), w->stock[cell], Q32_ONE / 4);
        w->order[cell] = 0;
        if (g == GOOD_ENERGY) {
            const u64 limit = ladder_price(w->energy_price[p->nation], s->priority[industry]);
            w->bid[firm] = units >> QUANTUM_SHIFT;
            plan->energy = units ? cost_of(units, s->lot[g], limit) + 1 : 0;
        } else if (units) {
            w->order[cell] = cost_of(units, s->lot[g], w->tariff[market_of(p->region, g)]) + 1;
            plan->orders += w->order[cell];
        }
    }
}

/* Money set aside for capital goods: what wears out, and a share of the gap to the capital that sales call for. */
FN void plan_investment(const struct World *w, const struct Place *p, u32 firm, u32 industry, struct Plan *plan) {
    const struct Scenario *s = p->scenario;
    const u64 have = w->capital[firm], worn = times_q32(have, s->depreciation[industry]);
    const u64 goal = times_over(times_over(w->sales[firm], 1000000, s->capacity[industry]), Q32_ONE, s->use);
    const u64 most_built = most(worn, goal / WEEKS);
    const u64 units = goal >= have ? worn + least(times_q32(goal - have, s->building), most_built)
                                   : minus(worn, times_q32(have - goal, s->building));
    for (u32 g = 0; g < GOODS; g++) {
        const u64 part = (u64)(((u128)units * s->capital_share[g]) >> 63);
        const u64 money = times_over(part, w->tariff[market_of(p->region, g)], BASE_PRICE);
        w->invest[(u64)firm * GOODS + g] = money;
        plan->investment += money;
    }
}

/* Credit that closes the gap between what is needed, with a buffer, and what is there, or keeps the usual share of debt in
 * capital, whichever is more; within the assets' worth. None for a firm that failed not long ago. */
FN u64 credit_wanted(const struct World *w, const struct Place *p, u32 firm, u32 industry, const struct Plan *plan) {
    const struct Scenario *s = p->scenario;
    const u64 need = plan->wages + plan->orders + plan->energy + plan->investment + times_q32(plan->wages, s->buffer);
    const u64 assets = times_over(w->capital[firm], w->level[p->nation], BASE_PRICE) +
                       cost_of(w->inventory[firm], s->lot[industry], w->price[firm]);
    const u64 usual = times_q32(times_over(w->capital[firm], w->level[p->nation], BASE_PRICE), s->firm_debt);
    const u64 wanted = most(minus(need, w->cash[firm]), minus(usual, w->loan[firm]));
    return w->barred[firm] ? 0 : least(wanted, minus(times_q32(assets, s->loan_to_value), w->loan[firm]));
}

/* A price moved by chance, up or down alike. */
FN u64 stray_price(const struct World *w, const struct Place *p, u32 tick, u32 firm, u64 price) {
    if (p->scenario->price_noise == 0) return price;
    const struct Block block = draw(w, &p->home, tick, DRAW_PRICE, firm - p->home.first_firm, 0);
    const u64 move = times_q32(times_q32(price, p->scenario->price_noise), block.word[0]);
    return block.word[1] & 1 ? price + move : most(minus(price, move), 1);
}

/* Fuel in the ground of a region, as far as 64 bits go. */
FN u64 in_ground(const struct World *w, u32 region) {
    const i128 there = wide_value(((const struct Wide *)w->reserve)[region]);
    return there > (i128)U64_LARGEST ? U64_LARGEST : (u64)there;
}

FN void plan_firm(const struct World *w, const struct Place *p, u32 tick, u32 firm, struct Changes *changes) {
    const struct Scenario *s = p->scenario;
    const u32 industry = w->industry[firm];
    const u64 sales = w->sales[firm], goal = times_q32(sales, s->cover[industry]);
    const u64 per_capital = s->capacity[industry];
    const u64 most_output = per_capital ? times_over(w->capital[firm], per_capital, 1000000) : U64_LARGEST;
    struct Plan plan = {0, 0, 0, 0, 0};
    plan.target = least(towards(sales, goal, w->inventory[firm], s->adjustment), most_output);
    if (s->extraction[industry])
        plan.target = least(plan.target, times_over(in_ground(w, p->region), s->lot[industry], s->extraction[industry]));
    w->target[firm] = plan.target;
    plan.wages = plan_staff(w, p, tick, firm, industry, plan.target);
    plan_inputs(w, p, firm, industry, &plan);
    plan_investment(w, p, firm, industry, &plan);
    w->borrow[firm] = credit_wanted(w, p, firm, industry, &plan);
    add_to(w->requested + p->home.first_bank + w->bank[firm], w->borrow[firm]);
    const u64 price = next_price(w, p, industry, w->price[firm], goal, w->inventory[firm]);
    CHANGE(w, &p->home, changes, PRICE, price, firm, firm, stray_price(w, p, tick, firm, price));
}

FN void civilisation_plan_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    struct Changes changes = no_changes();
    for (u32 firm = p.begin + lane; firm < p.end; firm += lanes) plan_firm(w, &p, tick, firm, &changes);
    flush_changes(w, p.home.member, PHASE_PLAN, &changes);
}

TILE_KERNEL(civilisation_plan)
