/* Plain functions around the kernels' headers, so that tests can compare each with an independent source. */
#include "auction.h"
#include "blake3.h"
#include "choice.h"
#include "digest.h"
#include "fixed.h"
#include "permutation.h"
#include "share.h"
#include "transcendental.h"
#include "wide.h"

void probe_philox(const u32 *key, const u32 *counter, u32 *out) {
    const struct Block block = philox(key[0], key[1], counter[0], counter[1], counter[2], counter[3]);
    for (int i = 0; i < 4; i++) out[i] = block.word[i];
}

void probe_permutation(const u32 *key, u32 size, u32 *forth, u32 *back) {
    const struct Block block = {{key[0], key[1], key[2], key[3]}};
    const struct Permutation p = permutation(block, size);
    for (u32 i = 0; i < size; i++) forth[i] = permute(&p, i);
    for (u32 i = 0; i < size; i++) back[i] = unpermute(&p, i);
}

void probe_link(u32 *head, const u32 *message) { blake3_link(head, message); }

void probe_digest(u32 column, u32 index, u32 before, u32 after, u64 *out) {
    struct Digest sum = {0, 0};
    digest_change(&sum, column, index, before, after);
    out[0] = sum.low, out[1] = sum.high;
}

/* Terms of 64-bit elements of a column, both lanes. */
void probe_terms(u32 column, const u64 *index, const u64 *value, u32 count, u64 *low, u64 *high) {
    for (u32 i = 0; i < count; i++) {
        const struct Digest term = digest_of_u64(digest_key(column, index[i]), value[i]);
        low[i] = term.low, high[i] = term.high;
    }
}

void probe_exponential(const double *x, double *out, u32 count) {
    for (u32 i = 0; i < count; i++) out[i] = exponential(x[i]);
}

void probe_logarithm(const double *x, double *out, u32 count) {
    for (u32 i = 0; i < count; i++) out[i] = logarithm(x[i]);
}

u32 probe_q31_times(u32 a, u32 b) { return q31_times(a, b); }
u64 probe_q63_times(u64 hazard, u32 factor) { return q63_times(hazard, factor); }
i64 probe_q32_times(i64 a, i64 b) { return q32_times(a, b); }
int probe_q31_happens(u32 word, u32 chance) { return q31_happens(word, chance); }
int probe_q63_happens(u64 draw, u64 chance) { return q63_happens(draw, chance); }
u32 probe_table_value(const u64 *table, u32 lowest, u32 length, u64 draw) {
    return table_value(table, lowest, length, draw);
}
u32 probe_quantile(const u32 *cumulative, u32 length, u32 rank) { return quantile_of_rank(cumulative, length, rank); }
u64 probe_product_floor(u64 a, u64 b, u64 divisor) { return product_floor(a, b, divisor); }
u64 probe_product_half_even(u64 a, u64 b, u64 divisor) { return product_half_even(a, b, divisor); }

void probe_apportion(u64 total, const u64 *weights, u32 count, u64 *shares, u64 *remainders) {
    apportion(total, weights, count, shares, remainders);
}

void probe_ration(u64 supply, const u64 *demands, u32 count, u64 *deliveries, u64 *remainders) {
    ration(supply, demands, count, deliveries, remainders);
}

/* Numbers of 128 bits travel as two limbs, the low one first. */
FN i128 number(const u64 *limbs) { return (i128)(((u128)limbs[1] << 64) | limbs[0]); }
FN void put_number(u64 *limbs, i128 value) {
    const struct Wide w = wide_of(value);
    limbs[0] = w.low, limbs[1] = (u64)w.high;
}

int probe_wide_add(struct Wide *total, const u64 *value) { return wide_add_overflows(total, number(value)); }
int probe_wide_subtract(struct Wide *total, const u64 *value) { return wide_subtract_overflows(total, number(value)); }
int probe_wide_compare(const struct Wide *a, const struct Wide *b) { return wide_compare(*a, *b); }

int probe_wide_sum(struct WideSum *cell, const u64 *values, u32 count, u64 *total) {
    i128 sum = number(total);
    for (u32 i = 0; i < count; i++) wide_flush(cell, number(values + 2 * i));
    const int overflows = wide_sum_overflows(cell, &sum);
    put_number(total, sum);
    return overflows;
}

/* Operation 0 adds, 1 subtracts, 2 multiplies; returns the fault. */
u32 probe_checked_i64(u32 operation, i64 a, i64 b, i64 *out) {
    u32 fault = 0;
    *out = operation == 0   ? checked_add_i64(a, b, 7, &fault)
           : operation == 1 ? checked_subtract_i64(a, b, 7, &fault)
                            : checked_multiply_i64(a, b, 7, &fault);
    return fault;
}

u32 probe_checked_u64(u32 operation, u64 a, u64 b, u64 *out) {
    u32 fault = 0;
    *out = operation == 0   ? checked_add_u64(a, b, 7, &fault)
           : operation == 1 ? checked_subtract_u64(a, b, 7, &fault)
                            : checked_multiply_u64(a, b, 7, &fault);
    return fault;
}

u32 probe_checked_i128(u32 operation, const u64 *a, const u64 *b, u64 *out) {
    u32 fault = 0;
    put_number(out, operation == 0 ? checked_add_i128(number(a), number(b), 7, &fault)
                                   : checked_subtract_i128(number(a), number(b), 7, &fault));
    return fault;
}

void probe_faults(u64 *cell, const u32 *ticks, const u32 *codes, u32 count, u32 *out) {
    for (u32 i = 0; i < count; i++) raise_fault(cell, ticks[i], codes[i]);
    out[0] = fault_tick(*cell), out[1] = fault_code(*cell);
}

u64 probe_divide_product(const u64 *a, u64 b, const u64 *divisor, u64 *rest) {
    const struct Divisor d = divisor_of((u128)number(divisor));
    u128 left;
    const u64 quotient = divide_product(&d, (u128)number(a), b, &left);
    put_number(rest, (i128)left);
    return quotient;
}

/* Of the same column, read as signed and as unsigned. */
void probe_sums(const u64 *column, u32 count, u64 *signed_sum, u64 *unsigned_sum) {
    put_number(signed_sum, sum_of_i64((const i64 *)column, 0, count, 0, 1));
    put_number(unsigned_sum, (i128)sum_of_u64(column, 0, count, 0, 1));
}

/* out: price, limits of bid and offer, what each shares, volume (two limbs), excess (two limbs). */
void probe_auction(const u64 *demand, const u64 *supply, u32 steps, u64 *out) {
    const struct Clearing c = auction_clear(demand, supply, steps);
    out[0] = c.step, out[1] = c.bid_step, out[2] = c.ask_step, out[3] = c.bid_left, out[4] = c.ask_left;
    put_number(out + 5, (i128)c.volume);
    put_number(out + 7, c.excess);
}

/* Fills single orders of either side at one call; scratch holds 2 * count. */
void probe_auction_fill(const u64 *demand, const u64 *supply, u32 steps, int bids, const u32 *limit,
                        const u64 *quantity, u32 count, u64 *fill, u64 *scratch) {
    const struct Clearing c = auction_clear(demand, supply, steps);
    for (u32 i = 0; i < count; i++)
        scratch[i] = bids ? auction_bid_marginal(&c, limit[i], quantity[i])
                          : auction_ask_marginal(&c, limit[i], quantity[i]);
    ration(bids ? c.bid_left : c.ask_left, scratch, count, fill, scratch + count);
    for (u32 i = 0; i < count; i++)
        fill[i] += bids ? auction_bid_full(&c, limit[i], quantity[i]) : auction_ask_full(&c, limit[i], quantity[i]);
}

u64 probe_logit(u64 price, u64 least, u64 mean, i64 beta) { return logit_weight(price, least, mean, beta); }

/* Places of some elements of a large domain, and the elements found back at those places. */
void probe_places(const u32 *key, u32 size, const u32 *element, u32 count, u32 *place, u32 *back) {
    const struct Block block = {{key[0], key[1], key[2], key[3]}};
    const struct Permutation p = permutation(block, size);
    for (u32 i = 0; i < count; i++) place[i] = permute(&p, element[i]), back[i] = unpermute(&p, place[i]);
}
