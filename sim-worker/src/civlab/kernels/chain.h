/* The chain: a head that becomes the keyed BLAKE3 of a tick's digests, under the previous head as key. */
#ifndef CIVLAB_CHAIN_H
#define CIVLAB_CHAIN_H
#include "blake3.h"

/* Takes in `digests` digests of 16 bytes, four to a link, the last link filled up with zeros, and clears them. */
FN void chain_seal(u32 head[8], u64 *cells, u32 digests) {
    for (u32 first = 0; first < digests; first += 4) {
        u32 message[16];
        for (u32 i = 0; i < 8; i++) {
            const u32 at = 2 * first + i;
            const u64 cell = at < 2 * digests ? cells[at] : 0;
            message[2 * i] = (u32)cell;
            message[2 * i + 1] = (u32)(cell >> 32);
            if (at < 2 * digests) cells[at] = 0;
        }
        blake3_link(head, message);
    }
}

#endif
