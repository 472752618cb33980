/* Terrain by value noise: random heights on square lattices of ever finer octaves, joined smoothly and added up.
 *
 * Fractal sums of lattice noise: Perlin (1985), An image synthesizer, SIGGRAPH 19, 287-296; Ebert, Musgrave et al.
 * (2003), Texturing and Modeling, ch. 2 and 16. All in integers, with smooth steps t^2 (3 - 2t) and a bowl that lowers the
 * map's edges, so that land seldom ends there. */
#ifndef CIVLAB_CIVILISATION_TERRAIN_H
#define CIVLAB_CIVILISATION_TERRAIN_H
#include "civilisation.h"
#include "hex.h"

#define HALF_CELL 56756u /* sqrt(3) / 2 in Q16: half the distance between neighbours in a row */
#define ROW_STEP 98304u  /* 3 / 2 in Q16: distance between rows */
#define FIRST_AMPLITUDE 4096u
#define MOST_OCTAVES 12u
#define MAP_STREAM 0xffffffffu /* of a map that all members share */

struct Terrain {
    u64 seed;
    u32 stream, width, height, roughness;
    u64 across, down; /* extent of the map, Q16 */
};

FN struct Terrain terrain_of(const struct World *w, const struct Home *home) {
    struct Terrain t;
    t.seed = w->seed;
    t.stream = home->lands->shared ? MAP_STREAM : home->stream;
    t.width = home->lands->width, t.height = home->lands->height, t.roughness = home->lands->roughness;
    t.across = (u64)(2 * t.width + 1) * HALF_CELL, t.down = (u64)t.height * ROW_STEP;
    return t;
}

/* Height of a lattice point, Q16. */
FN u64 lattice_height(const struct Terrain *t, u32 octave, u32 x, u32 y) {
    return draw_block(t->seed, t->stream, 0, DRAW_TERRAIN, y << 16 | x, octave).word[0] >> 16;
}

FN u64 smooth_step(u64 t) { return (t * t >> 16) * (3 * 65536 - 2 * t) >> 16; }

FN u64 between(u64 from, u64 to, u64 weight) { return (from * (65536 - weight) + to * weight) >> 16; }

/* Noise of one octave at a point (Q16), its lattice so far apart. */
FN u64 octave_height(const struct Terrain *t, u32 octave, u64 spacing, u64 across, u64 down) {
    const u32 x = (u32)(across / spacing), y = (u32)(down / spacing);
    const u64 east = smooth_step((across % spacing << 16) / spacing), south = smooth_step((down % spacing << 16) / spacing);
    return between(between(lattice_height(t, octave, x, y), lattice_height(t, octave, x + 1, y), east),
                   between(lattice_height(t, octave, x, y + 1), lattice_height(t, octave, x + 1, y + 1), east), south);
}

/* Share of the way from the map's middle to its edge, Q16. */
FN u64 off_middle(u64 at, u64 extent) {
    const u64 twice = 2 * at;
    return ((twice > extent ? twice - extent : extent - twice) << 16) / extent;
}

/* Height of a cell, a number without unit. */
FN u32 terrain_height(const struct Terrain *t, u32 cell) {
    const u32 row = cell / t->width, column = cell % t->width;
    const u64 across = (u64)(2 * column + (row & 1u) + 1) * HALF_CELL, down = (u64)row * ROW_STEP + ROW_STEP / 2;
    const u64 ew = off_middle(across, t->across), ns = off_middle(down, t->down);
    const u64 edge = most(ew, ns), bowl = (edge * edge >> 16) * (edge * edge >> 16) >> 16;
    u64 spacing = most(t->across, t->down) / 3 + 1, amplitude = FIRST_AMPLITUDE, sum = 0;
    for (u32 octave = 0; octave < MOST_OCTAVES && spacing >= ROW_STEP && amplitude; octave++) {
        sum += amplitude * octave_height(t, octave, spacing, across, down);
        amplitude = amplitude * t->roughness >> 16;
        spacing /= 2;
    }
    return (u32)(sum + (65536 - bowl) * (FIRST_AMPLITUDE / 2));
}

#endif
