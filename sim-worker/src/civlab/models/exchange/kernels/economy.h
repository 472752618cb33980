/* Where an agent lies, and how a pair trades. */
#ifndef CIVLAB_EXCHANGE_ECONOMY_H
#define CIVLAB_EXCHANGE_ECONOMY_H
#include "layout.h"
#include "changes.h"
#include "permutation.h"
#include "wide.h"

/* What a tile's kernel needs to know of its member, read once. */
struct Place {
    const struct Scenario *scenario;
    u32 member, first, begin, end;
};

FN struct Place place_of_tile(const struct World *w, u32 tile) {
    struct Place p;
    p.member = w->tile_member[tile];
    p.scenario = w->scenario + w->member_scenario[p.member];
    p.first = w->member_first[p.member];
    p.begin = w->tile_begin[tile];
    p.end = w->tile_end[tile];
    return p;
}

/* A whole number from 0 to `most`, every one as likely as 2^64 allows: a draw as a fraction, times most + 1. */
FN u64 uniform_to(u64 draw, u64 most) { return (u64)(((u128)draw * (most + 1)) >> 64); }

/* What the first of a pair holds after a trade; the second holds the rest of what both had. The draw is the
 * fraction, and its last bit, which the fraction does not feel, a fair coin that says who pays. Whoever cannot pay
 * does not. */
FN u64 after_trade(const struct Scenario *s, u64 first, u64 second, u64 draw) {
    const u64 both = first + second, payer = draw & 1u ? first : second;
    u64 amount;
    if (s->law == LAW_POOLED) {
        const u64 kept = (u64)(((u128)first * s->saving) >> 64), other = (u64)(((u128)second * s->saving) >> 64);
        return kept + uniform_to(draw, both - kept - other);
    }
    if (s->law == LAW_FIXED_AMOUNT)
        amount = s->amount;
    else
        amount = uniform_to(draw, s->law == LAW_SHARE_OF_PAIR ? both / 2 : s->mean);
    amount = payer >= amount ? amount : 0;
    return draw & 1u ? first - amount : first + amount;
}

#endif
