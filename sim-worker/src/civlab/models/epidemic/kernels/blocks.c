/* Generation 3: how many community contacts each pair of age groups has.
 *
 * The stubs of a group are as many as its members' degrees; contacts follow the mixing matrix as nearly as
 * those sums allow: E_ab = x_a W_ab x_b with the x that meets every sum (iterative proportional fitting),
 * then whole numbers by floor and largest remainder, and what is left over is paired greedily. At most one
 * stub of a group pair's parity stays without a partner; its contact is its owner. */
#include "population.h"

#define FITTING_ROUNDS 100
#define PAIRS (GROUPS * (GROUPS + 1u) / 2u)

struct Fit {
    double want[PAIRS];     /* contacts of the pair (a <= b), counted as stubs of a */
    double remainder[PAIRS];
    u32 stubs[PAIRS];
    u32 left[GROUPS];
};

FN u32 pair_of(u32 a, u32 b) { return a * GROUPS - a * (a + 1) / 2 + b; }

FN void fit_wants(struct Fit *fit, const struct Scenario *s, const u32 *stubs) {
    double x[GROUPS];
    for (u32 a = 0; a < s->groups; a++) x[a] = stubs[a] ? square_root((double)stubs[a]) : 0.0;
    for (u32 round = 0; round < FITTING_ROUNDS; round++)
        for (u32 a = 0; a < s->groups; a++) {
            double sum = 0.0;
            for (u32 b = 0; b < s->groups; b++) sum = sum + s->mixing[a][b] * x[b];
            if (sum > 0.0) x[a] = square_root(x[a] * ((double)stubs[a] / sum));
        }
    for (u32 a = 0; a < s->groups; a++)
        for (u32 b = a; b < s->groups; b++) fit->want[pair_of(a, b)] = s->mixing[a][b] * x[a] * x[b];
}

/* Gives the pair up to `wanted` stubs a side, as many as both groups have left; even within one group. */
FN void give(struct Fit *fit, u32 a, u32 b, u32 wanted) {
    u32 most = fit->left[a] < fit->left[b] ? fit->left[a] : fit->left[b];
    if (wanted < most) most = wanted;
    if (a == b) most &= ~1u;
    fit->stubs[pair_of(a, b)] += most;
    fit->left[a] -= most;
    if (a != b) fit->left[b] -= most;
}

FN void round_wants(struct Fit *fit, u32 groups) {
    u32 order_a[PAIRS], order_b[PAIRS], count = 0;
    for (u32 a = 0; a < groups; a++)
        for (u32 b = a; b < groups; b++) {
            const u32 pair = pair_of(a, b);
            const u32 step = a == b ? 2 : 1;
            const u32 whole = (u32)(fit->want[pair] / step) * step;
            fit->stubs[pair] = 0;
            fit->remainder[pair] = (fit->want[pair] - (double)whole) / step;
            give(fit, a, b, whole);
            u32 place = count++;
            while (place > 0 && fit->remainder[pair_of(order_a[place - 1], order_b[place - 1])] < fit->remainder[pair]) {
                order_a[place] = order_a[place - 1], order_b[place] = order_b[place - 1];
                place--;
            }
            order_a[place] = a, order_b[place] = b;
        }
    for (u32 i = 0; i < count; i++) give(fit, order_a[i], order_b[i], order_a[i] == order_b[i] ? 2 : 1);
    for (u32 i = 0; i < count; i++) give(fit, order_a[i], order_b[i], 0xffffffffu);
}

FN void epidemic_blocks_member(const struct World *w, u32 tick, u32 member) {
    const struct Place p = place_of_member(w, member);
    const struct Scenario *s = p.scenario;
    const u32 *total = w->tally_total + (u64)member * TALLIES;
    u32 *group_start = w->group_start + (u64)member * (GROUPS + 1);
    u32 *pool_start = w->pool_start + (u64)member * (AGES + 2);
    struct Fit fit;
    (void)tick;
    group_start[0] = 0;
    for (u32 a = 0; a < GROUPS; a++) group_start[a + 1] = group_start[a] + (a < s->groups ? total[a] : 0);
    pool_start[0] = 0;
    for (u32 pool = 0; pool <= WORKERS; pool++) pool_start[pool + 1] = pool_start[pool] + total[GROUPS + pool];
    if (!s->community) return;
    for (u32 a = 0; a < s->groups; a++) fit.left[a] = total[a];
    fit_wants(&fit, s, total);
    round_wants(&fit, s->groups);
    for (u32 a = 0; a < s->groups; a++) {
        u32 *start = w->block_start + ((u64)member * GROUPS + a) * (GROUPS + 1);
        start[0] = 0;
        for (u32 b = 0; b < s->groups; b++)
            start[b + 1] = start[b] + fit.stubs[a <= b ? pair_of(a, b) : pair_of(b, a)];
    }
}

MEMBER_KERNEL(epidemic_blocks)
