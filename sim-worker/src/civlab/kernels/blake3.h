/* BLAKE3's compression of one block as a keyed hash (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020).
 *
 * A message of at most 64 bytes is one chunk of one block, so a link of the chain is one compression; the
 * tests compare it with the reference library. */
#ifndef CIVLAB_BLAKE3_H
#define CIVLAB_BLAKE3_H
#include "civlab.h"

FN u32 rotate_right(u32 x, int n) { return (x >> n) | (x << (32 - n)); }

FN void blake3_quarter(u32 *v, int a, int b, int c, int d, u32 x, u32 y) {
    v[a] = v[a] + v[b] + x;
    v[d] = rotate_right(v[d] ^ v[a], 16);
    v[c] = v[c] + v[d];
    v[b] = rotate_right(v[b] ^ v[c], 12);
    v[a] = v[a] + v[b] + y;
    v[d] = rotate_right(v[d] ^ v[a], 8);
    v[c] = v[c] + v[d];
    v[b] = rotate_right(v[b] ^ v[c], 7);
}

/* head = keyed BLAKE3(key = head, message = 64 bytes as little-endian words). */
FN void blake3_link(u32 head[8], const u32 message[16]) {
    const u32 start[8] = {0x6A09E667u, 0xBB67AE85u, 0x3C6EF372u, 0xA54FF53Au, 0, 0, 64u, 16u | 8u | 2u | 1u};
    u32 v[16], m[16];
    for (int i = 0; i < 8; i++) v[i] = head[i], v[i + 8] = start[i];
    for (int i = 0; i < 16; i++) m[i] = message[i];
    for (int round = 0; round < 7; round++) {
        blake3_quarter(v, 0, 4, 8, 12, m[0], m[1]);
        blake3_quarter(v, 1, 5, 9, 13, m[2], m[3]);
        blake3_quarter(v, 2, 6, 10, 14, m[4], m[5]);
        blake3_quarter(v, 3, 7, 11, 15, m[6], m[7]);
        blake3_quarter(v, 0, 5, 10, 15, m[8], m[9]);
        blake3_quarter(v, 1, 6, 11, 12, m[10], m[11]);
        blake3_quarter(v, 2, 7, 8, 13, m[12], m[13]);
        blake3_quarter(v, 3, 4, 9, 14, m[14], m[15]);
        const u32 next[16] = {m[2], m[6], m[3],  m[10], m[7], m[0],  m[4],  m[13],
                              m[1], m[11], m[12], m[5],  m[9], m[14], m[15], m[8]};
        for (int i = 0; i < 16; i++) m[i] = next[i];
    }
    for (int i = 0; i < 8; i++) head[i] = v[i] ^ v[i + 8];
}

#endif
