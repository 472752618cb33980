/* Phase `partners`: a region's seekers stand in two rows, women and men, each by age give or take a drawn part of four
 * years; walking both rows at once, those who meet and suit each other become partners, and else the elder goes home.
 *
 * His household merges into hers; of each side's origins one stays. */
#include "crowd.h"

#define SHUFFLED_WEEKS (4 * WEEKS)

/* Sorts by heap: in place, and in time that no input spoils. */
FN void sift(u64 *key, u32 at, u32 count) {
    for (;;) {
        u32 child = 2 * at + 1;
        if (child >= count) return;
        if (child + 1 < count && key[child + 1] > key[child]) child++;
        if (key[at] >= key[child]) return;
        const u64 lower = key[at];
        key[at] = key[child], key[child] = lower;
        at = child;
    }
}

FN void sort_keys(u64 *key, u32 count) {
    for (u32 at = count / 2; at > 0; at--) sift(key, at - 1, count);
    for (u32 last = count; last > 1; last--) {
        const u64 greatest = key[0];
        key[0] = key[last - 1], key[last - 1] = greatest;
        sift(key, 0, last - 1);
    }
}

/* The row of one sex: keys with the slot below the shuffled week of birth. */
FN u32 line_up(const struct World *w, const struct Region *r, u32 tick, u32 woman, u64 *row) {
    u32 count = 0;
    FOR_EACH_EVENT(w, r, EVENT_SEEKING, at) {
        if ((w->traits[at] & TRAIT_WOMAN) != woman) continue;
        const struct Block block = draw(w, &r->home, tick, DRAW_PARTNER, at - r->home.first_citizen, 0);
        row[count++] = (u64)(w->born[at] + block.word[0] % SHUFFLED_WEEKS) << 32 | at;
    }
    sort_keys(row, count);
    return count;
}

FN int are_kin(const struct World *w, u32 first, u32 one, u32 other) {
    const u32 of_one[3] = {one - first + 1, w->origin_a[one], w->origin_b[one]};
    const u32 of_other[3] = {other - first + 1, w->origin_a[other], w->origin_b[other]};
    for (u32 i = 0; i < 3; i++)
        for (u32 j = 0; j < 3; j++)
            if (of_one[i] && of_one[i] == of_other[j]) return 1;
    return 0;
}

FN int suit(const struct World *w, const struct Home *h, u32 wife, u32 husband) {
    const u32 hers = household_now(w, h, w->household[wife]), his = household_now(w, h, w->household[husband]);
    const u32 apart = w->born[wife] > w->born[husband] ? w->born[wife] - w->born[husband] : w->born[husband] - w->born[wife];
    return apart <= h->people->gap && w->size[hers] + w->size[his] <= MOST_MERGED &&
           !are_kin(w, h->first_household, hers, his);
}

FN void pair_off(const struct World *w, const struct Home *h, struct Changes *changes, u32 wife, u32 husband) {
    const u32 hers = household_now(w, h, w->household[wife]), his = household_now(w, h, w->household[husband]);
    const u32 from_her = w->origin_a[hers] ? w->origin_a[hers] : w->origin_b[hers];
    const u32 from_him = w->origin_a[his] ? w->origin_a[his] : w->origin_b[his];
    merge_households(w, h, changes, his, hers);
    set_origins(w, h, changes, hers, from_her, from_him);
    set_traits(w, h, changes, wife, w->traits[wife] | TRAIT_PARTNERED);
    set_traits(w, h, changes, husband, w->traits[husband] | TRAIT_PARTNERED);
}

FN void civilisation_partners_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->cluster_member[tile], tick) || is_crowd(w, tile)) return;
    const struct Region r = region_of(w, tile);
    struct Changes changes = no_changes();
    (void)lanes;
    if (lane == 0) {
        u64 *row = w->queue + r.households;
        const u32 women = line_up(w, &r, tick, TRAIT_WOMAN, row), men = line_up(w, &r, tick, 0, row + women);
        u32 i = 0, j = 0;
        while (i < women && j < men) {
            const u64 her = row[i], him = row[women + j];
            const int met = suit(w, &r.home, (u32)her, (u32)him);
            if (met) pair_off(w, &r.home, &changes, (u32)her, (u32)him);
            i += met || her < him;
            j += met || her >= him;
        }
        for (u32 k = 0; k < women + men; k++) row[k] = 0;
    }
    flush_changes(w, r.home.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_partners)
