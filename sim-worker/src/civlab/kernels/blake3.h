/* BLAKE3's compression of one block as a keyed hash (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020).
 *
 * A message of at most 64 bytes is one chunk of one block, so a link of the chain is one compression; the
 * tests compare it with the reference library. */
#ifndef CIVLAB_BLAKE3_H
#define CIVLAB_BLAKE3_H
#include "civlab.h"

/* Unrolled, the message's permutation is a renaming and costs nothing. */
#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define ALL_SEVEN _Pragma("unroll")
#else
#define ALL_SEVEN _Pragma("GCC unroll 7")
#endif

/* The compression for a type of words: one link, or as many as a vector holds side by side. */
#define BLAKE3_LINK(name, Word)                                                                          \
    FN void name##_quarter(Word *v, int a, int b, int c, int d, Word x, Word y) {                        \
        Word t;                                                                                          \
        v[a] = v[a] + v[b] + x;                                                                          \
        t = v[d] ^ v[a], v[d] = (t >> 16) | (t << 16);                                                   \
        v[c] = v[c] + v[d];                                                                              \
        t = v[b] ^ v[c], v[b] = (t >> 12) | (t << 20);                                                   \
        v[a] = v[a] + v[b] + y;                                                                          \
        t = v[d] ^ v[a], v[d] = (t >> 8) | (t << 24);                                                    \
        v[c] = v[c] + v[d];                                                                              \
        t = v[b] ^ v[c], v[b] = (t >> 7) | (t << 25);                                                    \
    }                                                                                                    \
    FN void name(Word head[8], const Word message[16]) {                                                 \
        const u32 start[8] = {0x6A09E667u, 0xBB67AE85u, 0x3C6EF372u, 0xA54FF53Au,                        \
                              0,           0,           64u,         16u | 8u | 2u | 1u};                \
        Word v[16], m[16];                                                                               \
        for (int i = 0; i < 8; i++) v[i] = head[i], v[i + 8] = (head[i] ^ head[i]) + start[i];           \
        for (int i = 0; i < 16; i++) m[i] = message[i];                                                  \
        ALL_SEVEN                                                                                        \
        for (int round = 0; round < 7; round++) {                                                        \
            name##_quarter(v, 0, 4, 8, 12, m[0], m[1]);                                                  \
            name##_quarter(v, 1, 5, 9, 13, m[2], m[3]);                                                  \
            name##_quarter(v, 2, 6, 10, 14, m[4], m[5]);                                                 \
            name##_quarter(v, 3, 7, 11, 15, m[6], m[7]);                                                 \
            name##_quarter(v, 0, 5, 10, 15, m[8], m[9]);                                                 \
            name##_quarter(v, 1, 6, 11, 12, m[10], m[11]);                                               \
            name##_quarter(v, 2, 7, 8, 13, m[12], m[13]);                                                \
            name##_quarter(v, 3, 4, 9, 14, m[14], m[15]);                                                \
            const Word next[16] = {m[2], m[6],  m[3],  m[10], m[7], m[0],  m[4],  m[13],                 \
                                   m[1], m[11], m[12], m[5],  m[9], m[14], m[15], m[8]};                 \
            for (int i = 0; i < 16; i++) m[i] = next[i];                                                 \
        }                                                                                                \
        for (int i = 0; i < 8; i++) head[i] = v[i] ^ v[i + 8];                                           \
    }

/* head = keyed BLAKE3(key = head, message = 64 bytes as little-endian words). */
BLAKE3_LINK(blake3_link, u32)

#if !defined(__CUDACC__) && !defined(__CUDACC_RTC__)
/* Eight links at once, one in each element of the vectors. */
typedef u32 Eight __attribute__((vector_size(32)));
BLAKE3_LINK(blake3_link_eight, Eight)
#endif

#endif
