/* A keyed bijection of [0, size): a Feistel network whose halves are a row and a column of a nearly square
 * table (Black and Rogaway: "Ciphers with arbitrary finite domains", CT-RSA 2002, generalised Feistel), walked
 * on in the rare case that it lands on one of the few cells beyond `size`.
 *
 * It shuffles a population or the stubs of a graph in closed form: no sort, no memory, no atomics, and each
 * element's place is computed on its own. Branch-free 32-bit arithmetic, so a compiler vectorises a batch.
 * Small domains take more rounds: with eight, the orders of five elements do not come up equally often.
 *
 * A shuffled queue needs no more than this: whoever stands at place k is unpermute(k), with a key drawn by queue and
 * tick; to serve a subset in shuffled order, sort it (sort.h) by permute(element) as a 32-bit key. */
#ifndef CIVLAB_PERMUTATION_H
#define CIVLAB_PERMUTATION_H
#include "philox.h"

#define ROUNDS_LARGE 8u
#define ROUNDS_SMALL 24u
#define LARGE_DOMAIN 1024u

struct Permutation {
    u32 key[4];
    u32 size, rows, columns, rounds;
};

/* size is at most 2^31. */
FN struct Permutation permutation(struct Block key, u32 size) {
    struct Permutation p;
    for (u32 i = 0; i < 4; i++) p.key[i] = key.word[i];
    p.size = size;
    p.rounds = size < LARGE_DOMAIN ? ROUNDS_SMALL : ROUNDS_LARGE;
    p.rows = (u32)square_root((double)size);
    if (p.rows < 2) p.rows = 2;
    p.columns = (size + p.rows - 1) / p.rows;
    if (p.columns == 0) p.columns = 1;
    return p;
}

FN u32 round_key(const struct Permutation *p, u32 round) { return p->key[round & 3u] + round * 0x9E3779B9u; }

/* A keyed value in [0, extent) for the other half. */
FN u32 feistel_step(u32 half, u32 key, u32 extent) {
    u32 x = (half ^ key) * 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    x ^= x >> 16;
    return (u32)(((u64)x * extent) >> 32);
}

/* x / columns for x < 2^31, by an f64 division, which vectorises; exact, since the quotient of two such
 * integers is never closer to the next integer than f64 resolves. */
FN u32 row_of(const struct Permutation *p, u32 x) { return (u32)(int)((double)(int)x / (double)(int)p->columns); }

FN u32 permute_once(const struct Permutation *p, u32 x, u32 rounds) {
    u32 row = row_of(p, x), column = x - row * p->columns;
    for (u32 round = 0; round < rounds; round += 2) {
        row += feistel_step(column, round_key(p, round), p->rows);
        row -= row >= p->rows ? p->rows : 0;
        column += feistel_step(row, round_key(p, round + 1), p->columns);
        column -= column >= p->columns ? p->columns : 0;
    }
    return row * p->columns + column;
}

FN u32 unpermute_once(const struct Permutation *p, u32 x, u32 rounds) {
    u32 row = row_of(p, x), column = x - row * p->columns;
    for (u32 round = rounds; round > 0; round -= 2) {
        const u32 across = feistel_step(row, round_key(p, round - 1), p->columns);
        column += column < across ? p->columns - across : 0u - across;
        const u32 down = feistel_step(column, round_key(p, round - 2), p->rows);
        row += row < down ? p->rows - down : 0u - down;
    }
    return row * p->columns + column;
}

/* Place of element x. */
FN u32 permute(const struct Permutation *p, u32 x) {
    do x = permute_once(p, x, p->rounds);
    while (x >= p->size);
    return x;
}

/* Element at place x: the inverse of permute. */
FN u32 unpermute(const struct Permutation *p, u32 x) {
    do x = unpermute_once(p, x, p->rounds);
    while (x >= p->size);
    return x;
}

/* Elements at the places x[0], …, x[count - 1], in their stead, walked on by none; says whether one must be.
 * `rounds` is a constant where this is called. Rounds outside, elements inside: the steps of many elements overlap,
 * where one element's steps wait for each other. */
FN u32 unpermute_all_once(const struct Permutation *p, u32 *x, u32 count, u32 rounds) {
    u32 row[2 * BATCH], column[2 * BATCH], beyond = 0;
    for (u32 i = 0; i < 2 * BATCH; i++) {
        const u32 place = i < count ? x[i] : 0;
        row[i] = row_of(p, place);
        column[i] = place - row[i] * p->columns;
    }
    for (u32 round = rounds; round > 0; round -= 2) {
        for (u32 i = 0; i < 2 * BATCH; i++) {
            const u32 across = feistel_step(row[i], round_key(p, round - 1), p->columns);
            column[i] += column[i] < across ? p->columns - across : 0u - across;
        }
        for (u32 i = 0; i < 2 * BATCH; i++) {
            const u32 down = feistel_step(column[i], round_key(p, round - 2), p->rows);
            row[i] += row[i] < down ? p->rows - down : 0u - down;
        }
    }
    for (u32 i = 0; i < 2 * BATCH; i++) {
        x[i] = row[i] * p->columns + column[i];
        beyond |= (u32)(i < count) & (u32)(x[i] >= p->size);
    }
    return beyond;
}

/* Elements at the places x[0], …, x[count - 1] < size, in their stead; x has 2 * BATCH cells, and the rest is
 * overwritten. */
FN void unpermute_all(const struct Permutation *p, u32 *x, u32 count) {
    const u32 beyond = p->size < LARGE_DOMAIN ? unpermute_all_once(p, x, count, ROUNDS_SMALL)
                                              : unpermute_all_once(p, x, count, ROUNDS_LARGE);
    if (!beyond) return;
    for (u32 i = 0; i < count; i++)
        if (x[i] >= p->size) x[i] = unpermute(p, x[i]);
}

#endif
