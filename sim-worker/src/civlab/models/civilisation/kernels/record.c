/* Phase `record`: writes the metrics of the tick, of the member and its nations, then empties the cells by which the tick
 * was added up. */
#include "climate_step.h"
#include "rows.h"

/* Money of final spending at the price level of the start. */
FN u64 real(u64 money, u64 level) { return times_over(money, BASE_PRICE, level); }

FN u64 product_of(const u64 *flow) {
    return flow[FLOW_HOUSEHOLD_SPENDING] + flow[FLOW_TAXES_SALES] + flow[FLOW_PURCHASES] + flow[FLOW_INVESTMENT];
}

/* Pay of an efficiency unit, mean of the nation's regions by those who work. */
FN u64 mean_wage(const struct World *w, const struct Home *h, u32 n) {
    u128 sum = 0;
    u64 employed = 0;
    for (u32 r = h->first_region; r < h->first_region + w->member_regions[h->member]; r++) {
        if (nation_of_region(w, h, r) != n) continue;
        sum += (u128)w->wage[r] * w->census[(u64)r * HEADS + HEAD_EMPLOYED];
        employed += w->census[(u64)r * HEADS + HEAD_EMPLOYED];
    }
    return employed ? (u64)(sum / employed) : 0;
}

/* Means over nations, weighted by final spending. */
FN void record_prices(const struct World *w, const struct Home *h, i64 *row) {
    u128 level = 0, wage = 0, rate = 0, energy = 0, weight = 0, real_product = 0;
    u64 volume = 0, wanted = 0;
    for (u32 n = h->first_nation; n < h->first_nation + w->member_nations[h->member]; n++) {
        const u64 product = most(product_of(w->flow + (u64)n * FLOWS), 1);
        level += (u128)w->level[n] * product, wage += (u128)mean_wage(w, h, n) * product;
        rate += (u128)(u64)w->policy_rate[n] * product, energy += (u128)w->energy_price[n] * product;
        weight += product, real_product += real(product, w->level[n]);
        volume += w->call[(u64)n * CALLS + CALL_VOLUME], wanted += w->call[(u64)n * CALLS + CALL_WANTED];
    }
    row[METRIC_PRICE_LEVEL] = (i64)(level / weight), row[METRIC_WAGE] = (i64)(wage / weight);
    row[METRIC_POLICY_RATE] = (i64)(rate / weight), row[METRIC_ENERGY_PRICE] = (i64)(energy / weight);
    row[METRIC_PRODUCT_REAL] = (i64)real_product;
    put_wide(row, METRIC_ENERGY_SOLD, (i128)((u128)volume << QUANTUM_SHIFT));
    put_wide(row, METRIC_ENERGY_SHORT, (i128)((u128)minus(wanted, volume) << QUANTUM_SHIFT));
}

FN void record_member(const struct World *w, const struct Home *h, const struct Totals *t, i64 *row) {
    const u64 *f = t->flow;
    double damage = 0.0;
    for (u32 r = h->first_region; r < h->first_region + w->member_regions[h->member]; r++)
        damage = damage + damage_of(w, r) * (double)w->census[(u64)r * HEADS + HEAD_PEOPLE];
    row[METRIC_CITIZENS] = (i64)t->head[HEAD_PEOPLE], row[METRIC_HOUSEHOLDS] = (i64)t->head[HEAD_HOUSEHOLDS];
    row[METRIC_BIRTHS] = (i64)t->vital[VITAL_BIRTHS], row[METRIC_DEATHS] = (i64)t->vital[VITAL_DEATHS];
    row[METRIC_MOVES] = (i64)t->vital[VITAL_ARRIVALS];
    row[METRIC_EMPLOYED] = (i64)t->head[HEAD_EMPLOYED], row[METRIC_UNEMPLOYED] = (i64)t->head[HEAD_SEEKERS];
    row[METRIC_VACANCIES] = (i64)t->vacancies, row[METRIC_HIRES] = (i64)t->vital[VITAL_HIRES];
    row[METRIC_SEPARATIONS] = (i64)t->vital[VITAL_SEPARATIONS];
    put_wide(row, METRIC_OUTPUT, (i128)f[FLOW_OUTPUT]);
    put_wide(row, METRIC_OUTPUT_REAL, (i128)f[FLOW_OUTPUT_REAL]);
    row[METRIC_PRODUCT] = (i64)product_of(f);
    row[METRIC_CONSUMPTION] = (i64)(f[FLOW_HOUSEHOLD_SPENDING] + f[FLOW_TAXES_SALES]);
    row[METRIC_PUBLIC] = (i64)f[FLOW_PURCHASES], row[METRIC_INVESTMENT] = (i64)f[FLOW_INVESTMENT];
    row[METRIC_UNMET] = (i64)t->unspent;
    put_wide(row, METRIC_MONEY, (i128)f[FLOW_HELD] + f[FLOW_CASH] + t->treasuries + t->pools);
    put_wide(row, METRIC_EQUITY, t->equity);
    put_wide(row, METRIC_LOANS, (i128)f[FLOW_LOANS]);
    put_wide(row, METRIC_PUBLIC_DEBT, t->debts);
    row[METRIC_FAILURES] = (i64)f[FLOW_FAILURES];
    put_wide(row, METRIC_FUEL_BURNT, (i128)t->wide_goods[GOODS_FLOW_USED][GOOD_FUEL] +
                                         (i128)t->wide_goods[GOODS_FLOW_CONSUMED][GOOD_FUEL]);
    put_wide(row, METRIC_RESERVES, t->reserve);
    row[METRIC_TRADED] = (i64)f[FLOW_EXPORTS];
    row[METRIC_WARMING] = (i64)bits_of(w->warming[h->member]);
    row[METRIC_CO2] = (i64)bits_of(co2_of(w, h->lands, h->member));
    row[METRIC_SEA_LEVEL] = (i64)bits_of(w->sea_level[h->member]);
    row[METRIC_CARBON_OWN] = w->carbon_own[h->member];
    for (u32 k = 0; k < 3; k++) row[METRIC_CARBON_EMITTED + k] = w->carbon[3 * (u64)h->member + k];
    row[METRIC_DAMAGE] = (i64)bits_of(damage / (double)most(t->head[HEAD_PEOPLE], 1));
    row[METRIC_ESTATES] = (i64)t->vital[VITAL_ESTATES], row[METRIC_INHERITED] = (i64)t->vital[VITAL_INHERITED];
    record_prices(w, h, row);
}

/* What a nation's people are and do. */
FN void record_people(const struct World *w, const struct Home *h, u32 n, i64 *row) {
    u64 head[HEADS] = {0}, vital[VITALS] = {0}, vacancies = 0;
    for (u32 r = h->first_region; r < h->first_region + w->member_regions[h->member]; r++) {
        if (h->first_nation + w->region_nation[r] != n) continue;
        for (u32 k = 0; k < HEADS; k++) head[k] += w->census[(u64)r * HEADS + k];
        for (u32 k = 0; k < VITALS; k++) vital[k] += w->vital[(u64)r * VITALS + k];
        for (u32 k = 0; k < SKILLS; k++) vacancies += w->vacancy[(u64)r * SKILLS + k];
    }
    row[NATION_METRIC_CITIZENS] = (i64)head[HEAD_PEOPLE], row[NATION_METRIC_HOUSEHOLDS] = (i64)head[HEAD_HOUSEHOLDS];
    row[NATION_METRIC_BIRTHS] = (i64)vital[VITAL_BIRTHS], row[NATION_METRIC_DEATHS] = (i64)vital[VITAL_DEATHS];
    row[NATION_METRIC_EMPLOYED] = (i64)head[HEAD_EMPLOYED], row[NATION_METRIC_UNEMPLOYED] = (i64)head[HEAD_SEEKERS];
    row[NATION_METRIC_VACANCIES] = (i64)vacancies, row[NATION_METRIC_UNCLAIMED] = (i64)vital[VITAL_UNCLAIMED];
}

/* What a nation's people, firms, banks and government hold and owe. */
FN void record_stocks(const struct World *w, const struct Home *h, u32 n, i64 *row) {
    const u64 *f = w->flow + (u64)n * FLOWS;
    u64 equity = 0, lent = 0;
    for (u32 b = h->first_bank; b < h->first_bank + w->member_banks[h->member]; b++)
        if (h->first_nation + w->bank_nation[b] == n) equity += (u64)w->equity[b], lent += w->lent[b];
    row[NATION_METRIC_HOLDINGS] = (i64)f[FLOW_HOLDINGS], row[NATION_METRIC_DEPOSITS] = (i64)f[FLOW_HELD];
    row[NATION_METRIC_CASH] = (i64)f[FLOW_CASH], row[NATION_METRIC_TREASURY] = (i64)w->treasury[n];
    row[NATION_METRIC_POOL] = (i64)w->pool[n], row[NATION_METRIC_EQUITY] = (i64)equity;
    row[NATION_METRIC_LOANS] = (i64)lent, row[NATION_METRIC_DEBT] = (i64)w->debt[n];
}

/* What they earned and paid: the metrics from income on, each the flow of its name. */
FN void record_payments(const u64 *f, i64 *row) {
    row[NATION_METRIC_INCOME] = (i64)f[FLOW_HOUSEHOLD_INCOME], row[NATION_METRIC_WAGES] = (i64)f[FLOW_WAGES];
    row[NATION_METRIC_CONTRIBUTIONS] = (i64)f[FLOW_CONTRIBUTIONS];
    row[NATION_METRIC_TAXES_INCOME] = (i64)f[FLOW_TAXES_INCOME], row[NATION_METRIC_TAXES_SALES] = (i64)f[FLOW_TAXES_SALES];
    row[NATION_METRIC_TAXES_PROFIT] = (i64)f[FLOW_TAXES_PROFIT], row[NATION_METRIC_BENEFITS] = (i64)f[FLOW_BENEFITS];
    row[NATION_METRIC_PENSIONS] = (i64)f[FLOW_PENSIONS];
    row[NATION_METRIC_CHILD_BENEFITS] = (i64)f[FLOW_CHILD_BENEFITS];
    row[NATION_METRIC_DIVIDENDS] = (i64)f[FLOW_DIVIDENDS], row[NATION_METRIC_REVENUE] = (i64)f[FLOW_REVENUE];
    row[NATION_METRIC_SPENT] = (i64)f[FLOW_SPENT], row[NATION_METRIC_LENT] = (i64)f[FLOW_LENT];
    row[NATION_METRIC_REPAID] = (i64)f[FLOW_REPAID], row[NATION_METRIC_INTEREST] = (i64)f[FLOW_INTEREST];
    row[NATION_METRIC_WRITE_OFFS] = (i64)f[FLOW_WRITE_OFFS], row[NATION_METRIC_PAID_OUT] = (i64)f[FLOW_PAID_OUT];
    row[NATION_METRIC_INTEREST_PUBLIC] = (i64)f[FLOW_INTEREST_PUBLIC];
    row[NATION_METRIC_RESCUES] = (i64)f[FLOW_RESCUES], row[NATION_METRIC_FAILURES] = (i64)f[FLOW_FAILURES];
}

FN void record_nation(const struct World *w, const struct Home *h, u32 n, i64 *row) {
    const u64 *f = w->flow + (u64)n * FLOWS, *call = w->call + (u64)n * CALLS;
    const u64 short_of = minus(call[CALL_WANTED], call[CALL_VOLUME]);
    record_people(w, h, n, row);
    record_stocks(w, h, n, row);
    record_payments(f, row);
    row[NATION_METRIC_OUTPUT] = (i64)f[FLOW_OUTPUT], row[NATION_METRIC_OUTPUT_REAL] = (i64)f[FLOW_OUTPUT_REAL];
    row[NATION_METRIC_PRODUCT] = (i64)product_of(f);
    row[NATION_METRIC_PRODUCT_REAL] = (i64)real(product_of(f), w->level[n]);
    row[NATION_METRIC_CONSUMPTION] = (i64)(f[FLOW_HOUSEHOLD_SPENDING] + f[FLOW_TAXES_SALES]);
    row[NATION_METRIC_PURCHASES] = (i64)f[FLOW_PURCHASES], row[NATION_METRIC_INVESTMENT] = (i64)f[FLOW_INVESTMENT];
    row[NATION_METRIC_EXPORTS] = (i64)f[FLOW_EXPORTS], row[NATION_METRIC_IMPORTS] = (i64)f[FLOW_IMPORTS];
    row[NATION_METRIC_PRICE_LEVEL] = (i64)w->level[n], row[NATION_METRIC_WAGE] = (i64)mean_wage(w, h, n);
    row[NATION_METRIC_POLICY_RATE] = w->policy_rate[n], row[NATION_METRIC_ENERGY_PRICE] = (i64)w->energy_price[n];
    put_wide(row, NATION_METRIC_ENERGY_SOLD, (i128)((u128)call[CALL_VOLUME] << QUANTUM_SHIFT));
    put_wide(row, NATION_METRIC_ENERGY_SHORT, (i128)((u128)short_of << QUANTUM_SHIFT));
}

FN void civilisation_record_member(const struct World *w, u32 tick, u32 member) {
    const struct Home h = home_of(w, member);
    struct Totals t = {0};
    total_regions(w, &h, &t);
    total_nations(w, &h, &t);
    total_stocks(w, &h, &t);
    record_member(w, &h, &t, w->history + ((u64)tick * w->members + member) * METRICS);
    for (u32 n = h.first_nation; n < h.first_nation + w->member_nations[member]; n++)
        record_nation(w, &h, n, w->nation_rows + ((u64)tick * w->nations + n) * NATION_METRICS);
    for (u32 g = 0; g < GOODS; g++)
        put_wide(w->goods_rows + ((u64)(tick / WEEKS) * w->members + member) * 2 * GOODS, 2 * g, t.stocks[g]);
    clear_flows(w, &h);
}

MEMBER_KERNEL(civilisation_record)
