/* Rows of the history: cells of 64 bits, two for a number of 128, the low one first. */
#ifndef CIVLAB_CIVILISATION_ROWS_H
#define CIVLAB_CIVILISATION_ROWS_H
#include "audit.h"

FN void put_wide(i64 *row, u32 cell, i128 value) { row[cell] = (i64)wide_of(value).low, row[cell + 1] = wide_of(value).high; }

FN void add_wide(i64 *row, u32 cell, u64 amount) {
    const struct Wide before = {(u64)row[cell], row[cell + 1]};
    put_wide(row, cell, wide_value(before) + (i128)amount);
}

/* What the climate takes from a region: one less the mean of all goods' yields. */
FN double damage_of(const struct World *w, u32 region) {
    double left = 0.0;
    for (u32 g = 0; g < GOODS; g++) left = left + (double)w->yield[(u64)region * GOODS + g];
    return 1.0 - left / (2147483648.0 * (double)GOODS);
}

#endif
