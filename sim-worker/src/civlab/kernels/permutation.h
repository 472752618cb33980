/* A keyed bijection of [0, size): an unbalanced Feistel network on the next power of two, walked until it
 * falls inside (Black and Rogaway: "Ciphers with arbitrary finite domains", CT-RSA 2002).
 *
 * It shuffles a population or the stubs of a graph in closed form: no sort, no memory, no atomics, and each
 * element's place is computed on its own. Ten rounds, since small domains need more than large ones. */
#ifndef CIVLAB_PERMUTATION_H
#define CIVLAB_PERMUTATION_H
#include "philox.h"

#define PERMUTATION_ROUNDS 10

struct Permutation {
    u32 key[4];
    u32 size;
    u32 left_bits, right_bits;
};

FN struct Permutation permutation(struct Block key, u32 size) {
    struct Permutation p;
    u32 bits = 2;
    while (bits < 32 && ((u64)1 << bits) < size) bits++;
    for (int i = 0; i < 4; i++) p.key[i] = key.word[i];
    p.size = size;
    p.left_bits = bits / 2;
    p.right_bits = bits - bits / 2;
    return p;
}

FN u32 feistel_round(const struct Permutation *p, int round, u32 half, u32 bits) {
    u32 x = half * 0x9E3779B1u + p->key[round & 3] + (u32)round * 0x85EBCA6Bu;
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    x ^= x >> 16;
    return x & ((1u << bits) - 1u);
}

/* Place of element x; even rounds change the left half, odd rounds the right one. */
FN u32 permute(const struct Permutation *p, u32 x) {
    do {
        u32 left = x >> p->right_bits, right = x & ((1u << p->right_bits) - 1u);
        for (int round = 0; round < PERMUTATION_ROUNDS; round += 2) {
            left ^= feistel_round(p, round, right, p->left_bits);
            right ^= feistel_round(p, round + 1, left, p->right_bits);
        }
        x = (left << p->right_bits) | right;
    } while (x >= p->size);
    return x;
}

/* Element at place x: the inverse of permute. */
FN u32 unpermute(const struct Permutation *p, u32 x) {
    do {
        u32 left = x >> p->right_bits, right = x & ((1u << p->right_bits) - 1u);
        for (int round = PERMUTATION_ROUNDS - 2; round >= 0; round -= 2) {
            right ^= feistel_round(p, round + 1, left, p->right_bits);
            left ^= feistel_round(p, round, right, p->left_bits);
        }
        x = (left << p->right_bits) | right;
    } while (x >= p->size);
    return x;
}

#endif
