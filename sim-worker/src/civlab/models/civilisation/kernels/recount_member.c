/* Generated from civlab/models/civilisation/layout.py: change that, then `make generate`. */
#include "digest.h"
#include "layout.h"

/* Not a phase: counts the digest of each dynamic column of the kind member in full. */
FN void civilisation_recount_member_member(const struct World *w, u32 tick, u32 member) {
    const u64 first = member, begin = member, end = first + 1;
    struct Digest of_base_money = {0, 0};
    struct Digest of_carbon_due = {0, 0};
    struct Digest of_carbon_rest = {0, 0};
    struct Digest of_carbon = {0, 0};
    struct Digest of_carbon_own = {0, 0};
    struct Digest of_boxes = {0, 0};
    struct Digest of_gases = {0, 0};
    struct Digest of_emitted = {0, 0};
    struct Digest of_heat = {0, 0};
    struct Digest of_tipping = {0, 0};
    struct Digest of_warming = {0, 0};
    struct Digest of_sea_level = {0, 0};
    struct Digest of_book_goods = {0, 0};
    struct Digest of_book_energy = {0, 0};
    struct Digest of_book_embodied = {0, 0};
    struct Digest of_book_burnt = {0, 0};
    struct Digest of_book_people = {0, 0};
    u64 *cell;
    (void)tick;
    for (u64 at = begin; at < end; at++) {
        digest_change_u64(&of_base_money, COLUMN_BASE_MONEY, at - first, 0, (u64)w->base_money[at]);
        for (u32 part = 0; part < 2; part++)
            digest_change_u64(&of_carbon_due, COLUMN_CARBON_DUE, (at - first) * 2 + part, 0, w->carbon_due[at * 2 + part]);
        digest_change_u64(&of_carbon_rest, COLUMN_CARBON_REST, at - first, 0, w->carbon_rest[at]);
        for (u32 part = 0; part < 3; part++)
            digest_change_u64(&of_carbon, COLUMN_CARBON, (at - first) * 3 + part, 0, (u64)w->carbon[at * 3 + part]);
        digest_change_u64(&of_carbon_own, COLUMN_CARBON_OWN, at - first, 0, (u64)w->carbon_own[at]);
        for (u32 part = 0; part < 4; part++)
            digest_change_u64(&of_boxes, COLUMN_BOXES, (at - first) * 4 + part, 0, bits_of(w->boxes[at * 4 + part]));
        for (u32 part = 0; part < 2; part++)
            digest_change_u64(&of_gases, COLUMN_GASES, (at - first) * 2 + part, 0, bits_of(w->gases[at * 2 + part]));
        digest_change_u64(&of_emitted, COLUMN_EMITTED, at - first, 0, bits_of(w->emitted[at]));
        for (u32 part = 0; part < 4; part++)
            digest_change_u64(&of_heat, COLUMN_HEAT, (at - first) * 4 + part, 0, bits_of(w->heat[at * 4 + part]));
        for (u32 part = 0; part < 6; part++)
            digest_change_u64(&of_tipping, COLUMN_TIPPING, (at - first) * 6 + part, 0, bits_of(w->tipping[at * 6 + part]));
        digest_change_u64(&of_warming, COLUMN_WARMING, at - first, 0, bits_of(w->warming[at]));
        digest_change_u64(&of_sea_level, COLUMN_SEA_LEVEL, at - first, 0, bits_of(w->sea_level[at]));
        for (u32 part = 0; part < 18; part++)
            digest_change_u64(&of_book_goods, COLUMN_BOOK_GOODS, (at - first) * 18 + part, 0, w->book_goods[at * 18 + part]);
        for (u32 part = 0; part < 6; part++)
            digest_change_u64(&of_book_energy, COLUMN_BOOK_ENERGY, (at - first) * 6 + part, 0, w->book_energy[at * 6 + part]);
        for (u32 part = 0; part < 2; part++)
            digest_change_u64(&of_book_embodied, COLUMN_BOOK_EMBODIED, (at - first) * 2 + part, 0, w->book_embodied[at * 2 + part]);
        for (u32 part = 0; part < 2; part++)
            digest_change_u64(&of_book_burnt, COLUMN_BOOK_BURNT, (at - first) * 2 + part, 0, w->book_burnt[at * 2 + part]);
        digest_change_u64(&of_book_people, COLUMN_BOOK_PEOPLE, at - first, 0, w->book_people[at]);
    }
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_BASE_MONEY) * 2;
    cell[0] += of_base_money.low, cell[1] += of_base_money.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CARBON_DUE) * 2;
    cell[0] += of_carbon_due.low, cell[1] += of_carbon_due.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CARBON_REST) * 2;
    cell[0] += of_carbon_rest.low, cell[1] += of_carbon_rest.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CARBON) * 2;
    cell[0] += of_carbon.low, cell[1] += of_carbon.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CARBON_OWN) * 2;
    cell[0] += of_carbon_own.low, cell[1] += of_carbon_own.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_BOXES) * 2;
    cell[0] += of_boxes.low, cell[1] += of_boxes.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_GASES) * 2;
    cell[0] += of_gases.low, cell[1] += of_gases.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_EMITTED) * 2;
    cell[0] += of_emitted.low, cell[1] += of_emitted.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_HEAT) * 2;
    cell[0] += of_heat.low, cell[1] += of_heat.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TIPPING) * 2;
    cell[0] += of_tipping.low, cell[1] += of_tipping.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_WARMING) * 2;
    cell[0] += of_warming.low, cell[1] += of_warming.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_SEA_LEVEL) * 2;
    cell[0] += of_sea_level.low, cell[1] += of_sea_level.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_BOOK_GOODS) * 2;
    cell[0] += of_book_goods.low, cell[1] += of_book_goods.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_BOOK_ENERGY) * 2;
    cell[0] += of_book_energy.low, cell[1] += of_book_energy.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_BOOK_EMBODIED) * 2;
    cell[0] += of_book_embodied.low, cell[1] += of_book_embodied.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_BOOK_BURNT) * 2;
    cell[0] += of_book_burnt.low, cell[1] += of_book_burnt.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_BOOK_PEOPLE) * 2;
    cell[0] += of_book_people.low, cell[1] += of_book_people.high;
}

MEMBER_KERNEL(civilisation_recount_member)
