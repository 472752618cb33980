/* Generation: fills a region with households, side by side, until its citizens are settled.
 *
 * A household begins with a woman or with a man without a partner, drawn from the stable population's heads; a partner and
 * the children at home follow from her age by the rates by which she would have got them. Founders are then linked to a
 * household in the region whose head could be their mother, where she would still be alive. */
#include "people.h"

#define KIN_TRIES 16u
#define YOUNGEST_MOTHER 18u
#define OLDEST_MOTHER 42u

struct Founding {
    const struct World *w;
    const struct Region *r;
    u32 next, end; /* citizens' slots */
};

FN u32 founder_of(const u64 *cumulative, u64 drawn) {
    u32 low = 0, high = 2 * AGES - 1;
    while (low < high) {
        const u32 middle = (low + high) / 2;
        if (drawn < cumulative[middle]) high = middle;
        else low = middle + 1;
    }
    return low;
}

/* Settles one founder; returns 0 if all are settled. */
FN u32 found_citizen(struct Founding *f, u32 household, u32 age, u32 weeks, u32 sex, u32 others) {
    const struct World *w = f->w;
    const struct Home *h = &f->r->home;
    const struct People *p = h->people;
    const struct Block block = draw(w, h, 0, DRAW_SKILL, f->next - h->first_citizen, 0);
    const u32 woman = sex < 2 ? sex : !q31_happens(block.word[2], p->boys);
    const u32 *mix = p->founder_health[woman][age], old = age * WEEKS + weeks % WEEKS;
    const u32 health = (u32)(!q31_happens(block.word[1], mix[0]) + !q31_happens(block.word[1], mix[1]));
    const u32 learnt = old + p->round > ADULT * WEEKS; /* no round of school is left */
    const u32 skill = learnt ? (u32)(!q31_happens(block.word[0], p->skill[0]) + !q31_happens(block.word[0], p->skill[1])) : 0;
    if (f->next == f->end) return 0;
    w->born[f->next] = (u16)(EPOCH - old);
    w->household[f->next] = household - h->first_household + 1;
    w->traits[f->next] = (u8)(traits_of(woman, skill, health, 0) | others);
    w->size[household]++;
    f->next++;
    return 1;
}

/* The children of a woman of this age who live with her. */
FN void found_children(struct Founding *f, u32 household, u32 age) {
    const struct Home *h = &f->r->home;
    const struct People *p = h->people;
    struct Block born = {{0, 0, 0, 0}}, weeks = born;
    for (u32 back = 0; back < HOME_YEARS && back < age; back++) {
        if (back % 4 == 0) {
            born = draw(f->w, h, 0, DRAW_CHILD, household - h->first_household, back / 4);
            weeks = draw(f->w, h, 0, DRAW_CHILD, household - h->first_household, HOME_YEARS + back / 4);
        }
        const u64 chance = ((u64)p->bear[age - back] * p->keep[back]) >> 30;
        if (q31_happens(born.word[back % 4], (u32)least(chance, Q31_ONE)))
            if (!found_citizen(f, household, back, weeks.word[back % 4], 2, TRAIT_CHILD)) return;
    }
}

FN void found_household(struct Founding *f, u32 household) {
    const struct Home *h = &f->r->home;
    const struct People *p = h->people;
    const struct Block head = draw(f->w, h, 0, DRAW_HOUSEHOLD, household - h->first_household, 0);
    const struct Block partner = draw(f->w, h, 0, DRAW_AGE, household - h->first_household, 0);
    const u32 founder = founder_of(p->founder, first_u64(&head)), woman = founder < AGES, age = founder % AGES;
    const u32 two = woman && q31_happens(head.word[3], p->partnered[age]) && f->next + 1 < f->end;
    f->w->queue[household] = f->next;
    found_citizen(f, household, age, head.word[2], woman, two ? TRAIT_PARTNERED : 0);
    if (!woman) return;
    if (two) {
        const u32 older = age + partner.word[0] % 5 + partner.word[1] % 5;
        const u32 his = (u32)least(most(minus(older, 2), ADULT), AGES - 1);
        found_citizen(f, household, his, partner.word[2], 0, TRAIT_PARTNERED);
    }
    found_children(f, household, age);
}

/* Household plus one, among the region's, whose head could be the mother of a founder; 0 if she is dead or not found. */
FN u32 mothers_household(const struct Founding *f, u32 at, u32 end) {
    const struct World *w = f->w;
    const struct Home *h = &f->r->home;
    const u32 own = h->first_household + w->household[at] - 1, age = years_old(w->born[at], 0);
    struct Block block = draw(w, h, 0, DRAW_KIN, at - h->first_citizen, 0);
    if (!q31_happens(block.word[0], h->people->kin[age])) return 0;
    for (u32 k = 0; k < KIN_TRIES; k++) {
        if (k % 4 == 0) block = draw(w, h, 0, DRAW_KIN, at - h->first_citizen, 1 + k / 4);
        const u32 other = f->r->households + (u32)(((u64)block.word[k % 4] * (end - f->r->households)) >> 32);
        const u32 mother = (u32)w->queue[other], hers = years_old(w->born[mother], 0);
        if (other != own && w->traits[mother] & TRAIT_WOMAN && hers >= age + YOUNGEST_MOTHER && hers <= age + OLDEST_MOTHER)
            return other - h->first_household + 1;
    }
    return 0;
}

FN void link_founders(const struct Founding *f, u32 end) {
    const struct World *w = f->w;
    for (u32 household = f->r->households; household < end; household++) {
        const u32 head = (u32)w->queue[household];
        const u32 hers = mothers_household(f, head, end);
        const u32 his = w->traits[head] & TRAIT_PARTNERED ? mothers_household(f, head + 1, end) : 0;
        w->origin_a[household] = hers;
        w->origin_b[household] = his == hers ? 0 : his;
    }
    for (u32 household = f->r->households; household < end; household++) w->queue[household] = 0;
}

FN void civilisation_populate_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (lane != 0) return;
    const struct Region r = region_of(w, tile);
    struct Founding f = {w, &r, r.citizens, r.citizens + w->region_settled[tile]};
    u32 household = r.households;
    (void)lanes;
    for (; f.next < f.end; household++) {
        if (household == r.households_end || f.end > r.citizens_end) {
            raise_fault(w->fault + r.home.member, tick, household == r.households_end ? FAULT_FULL_HOUSEHOLDS : FAULT_FULL_CITIZENS);
            break;
        }
        found_household(&f, household);
    }
    link_founders(&f, household);
}

TILE_KERNEL(civilisation_populate)
