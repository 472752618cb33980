/* Plain functions around the kernels' headers, so that tests can compare each with an independent source. */
#include "blake3.h"
#include "digest.h"
#include "fixed.h"
#include "permutation.h"
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

/* Totals travel as pairs of 64-bit words, low word first. */
int probe_total(u64 *total, const u64 *value) {
    i128 sum = (i128)(((u128)total[1] << 64) | total[0]);
    const i128 change = (i128)(((u128)value[1] << 64) | value[0]);
    const int overflows = total_overflows(&sum, change);
    total[0] = (u64)(u128)sum, total[1] = (u64)((u128)sum >> 64);
    return overflows;
}
