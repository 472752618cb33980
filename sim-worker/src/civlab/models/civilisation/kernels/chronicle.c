/* Phase `chronicle`: the week is added to the row of each region's quarter and to those of its markets' year. Flows are
 * summed over a row's weeks, stocks are those of its last week. */
#include "rows.h"

FN void add_market(const struct World *w, u32 region, u32 good, i64 *row) {
    const u64 market = market_of(region, good);
    for (u32 flow = 0; flow < GOODS_FLOWS; flow++)
        add_wide(row, MARKET_METRIC_MADE + 2 * flow, *goods_flow(w, region, flow, good));
    row[MARKET_METRIC_PRICE] = (i64)w->tariff[market];
    row[MARKET_METRIC_HOUSEHOLDS] += (i64)w->paid_households[market];
    row[MARKET_METRIC_PUBLIC] += (i64)w->paid_public[market];
    row[MARKET_METRIC_FIRMS] += (i64)w->paid_firms[market];
    row[MARKET_METRIC_UNMET] += (i64)w->unspent[market];
}

FN void add_energy(const struct World *w, u32 region, i64 *row) {
    const u64 *flow = w->flow_energy + (u64)region * ENERGY_FLOWS;
    put_wide(row, REGION_METRIC_RESERVE, wide_value(((const struct Wide *)w->reserve)[region]));
    add_wide(row, REGION_METRIC_EXTRACTED, flow[ENERGY_FLOW_EXTRACTED]);
    add_wide(row, REGION_METRIC_GAINED, flow[ENERGY_FLOW_GAINED]);
    add_wide(row, REGION_METRIC_EMBODIED_NEW, flow[ENERGY_FLOW_PRIMARY]);
    add_wide(row, REGION_METRIC_EMBODIED_USED, flow[ENERGY_FLOW_EMBODIED_USED]);
    add_wide(row, REGION_METRIC_EMBODIED_LOST, flow[ENERGY_FLOW_EMBODIED_LOST]);
}

FN void add_region(const struct World *w, const struct Place *p, i64 *row) {
    const u32 r = p->region, *head = w->census + (u64)r * HEADS, *land = w->land + (u64)r * LANDS;
    const u64 *vital = w->vital + (u64)r * VITALS;
    for (u32 g = 0; g < GOODS; g++) {
        const u64 lot = p->scenario->lot[g];
        row[REGION_METRIC_OUTPUT] += (i64)cost_of(*goods_flow(w, r, GOODS_FLOW_MADE, g), lot, w->tariff[market_of(r, g)]);
        row[REGION_METRIC_CONSUMPTION] += (i64)w->paid_households[market_of(r, g)];
    }
    row[REGION_METRIC_CITIZENS] = head[HEAD_PEOPLE], row[REGION_METRIC_EMPLOYED] = head[HEAD_EMPLOYED];
    row[REGION_METRIC_UNEMPLOYED] = head[HEAD_SEEKERS];
    row[REGION_METRIC_BIRTHS] += (i64)vital[VITAL_BIRTHS], row[REGION_METRIC_DEATHS] += (i64)vital[VITAL_DEATHS];
    row[REGION_METRIC_ARRIVALS] += (i64)vital[VITAL_ARRIVALS];
    row[REGION_METRIC_DEPARTURES] += (i64)vital[VITAL_DEPARTURES];
    row[REGION_METRIC_INCOME] += (i64)w->region_income[r];
    row[REGION_METRIC_DEPOSITS] = (i64)w->region_held[r], row[REGION_METRIC_WAGE] = (i64)w->wage[r];
    row[REGION_METRIC_WARMING] = w->warmth[r];
    row[REGION_METRIC_DAMAGE] = (i64)(damage_of(w, r) * 2147483648.0);
    for (u32 k = 0; k < LANDS; k++) row[REGION_METRIC_FARMED + k] = land[k];
    add_energy(w, r, row);
}

FN void civilisation_chronicle_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    const u64 quarter = tick / REGION_EVERY, year = tick / WEEKS;
    i64 *markets = w->market_rows + (year * w->regions + tile) * GOODS * MARKET_METRICS;
    for (u32 g = lane; g < GOODS; g += lanes) add_market(w, tile, g, markets + (u64)g * MARKET_METRICS);
    if (lane == 0) add_region(w, &p, w->region_rows + (quarter * w->regions + tile) * REGION_METRICS);
}

TILE_KERNEL(civilisation_chronicle)
