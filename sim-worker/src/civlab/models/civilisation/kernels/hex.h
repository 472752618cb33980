/* The hexagonal map: cells in an offset grid, their axial coordinates, and the 37 places of the disc of radius 3.
 *
 * A cell is row * width + column; odd rows are shifted half a cell to the east, row 0 is the northernmost. Axial
 * coordinates: q = column - floor(row / 2), r = row. The places of a disc go row by row from the north, so that place p
 * of a cell holds another just where place 36 - p of that other holds the cell. */
#ifndef CIVLAB_CIVILISATION_HEX_H
#define CIVLAB_CIVILISATION_HEX_H
#include "civlab.h"

#define DISC_PLACES 37u
#define DISC_CENTRE 18u
#define NO_CELL 0xffffffffu

struct Hex {
    int q, r;
};

FN struct Hex hex_of_cell(u32 cell, u32 width) {
    struct Hex h;
    h.r = (int)(cell / width);
    h.q = (int)(cell % width) - h.r / 2;
    return h;
}

/* NO_CELL outside of the map. */
FN u32 cell_of_hex(struct Hex h, u32 width, u32 height) {
    const int column = h.q + h.r / 2;
    if (h.r < 0 || h.r >= (int)height || column < 0 || column >= (int)width) return NO_CELL;
    return (u32)h.r * width + (u32)column;
}

FN u32 hex_length(struct Hex h) {
    const int s = h.q + h.r;
    return (u32)((h.q < 0 ? -h.q : h.q) + (h.r < 0 ? -h.r : h.r) + (s < 0 ? -s : s)) / 2;
}

FN u32 hex_distance(struct Hex a, struct Hex b) {
    struct Hex d;
    d.q = a.q - b.q, d.r = a.r - b.r;
    return hex_length(d);
}

/* From a disc's centre to one of its places. */
FN struct Hex disc_offset(u32 place) {
    struct Hex h;
    u32 length = 4, left = place;
    h.r = -3;
    while (left >= length) {
        left -= length;
        h.r++;
        length = (u32)(h.r < 0 ? 7 + h.r : 7 - h.r);
    }
    h.q = (h.r < 0 ? -3 - h.r : -3) + (int)left;
    return h;
}

/* Cells from a disc's centre to one of its places, 0 to 3: two bits a place. */
FN u32 disc_distance(u32 place) {
    const u64 low = 0xabe5be46f96fabffull, high = 0x3ffull;
    return (u32)((place < 32 ? low >> (2 * place) : high >> (2 * (place - 32))) & 3u);
}

FN u32 disc_opposite(u32 place) { return DISC_PLACES - 1 - place; }

/* The cell at a place of a cell's disc; NO_CELL outside of the map. */
FN u32 disc_cell(u32 cell, u32 place, u32 width, u32 height) {
    const struct Hex centre = hex_of_cell(cell, width), offset = disc_offset(place);
    struct Hex h;
    h.q = centre.q + offset.q, h.r = centre.r + offset.r;
    return cell_of_hex(h, width, height);
}

#endif
