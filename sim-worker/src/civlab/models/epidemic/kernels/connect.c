/* Generation 5: the community graph, a configuration model mixed by age, in closed form.
 *
 * The stubs of a group are shuffled by a keyed permutation and cut into blocks, one for each partner group;
 * place o of block (a, b) meets place o of block (b, a), within a group place o meets its neighbour o ^ 1. So
 * each contact finds its partner on its own. Loops and repeated contacts stay, as the model has them. */
#include "population.h"

/* The graph of one member: its groups' shuffles, where groups and blocks begin, its stubs. */
struct Graph {
    struct Permutation shuffle[GROUPS];
    const u32 *group_start, *block_start, *owner;
    u32 *neighbour;
    u32 groups;
};

/* Stub that a place of group a's shuffled stubs is joined to; the stub itself where none is left. */
FN u32 partner_of(const struct Graph *g, u32 a, u32 place, u32 stub) {
    const u32 *start = g->block_start + a * (GROUPS + 1);
    if (place >= start[g->groups]) return stub;
    u32 b = 0;
    while (place >= start[b + 1]) b++;
    const u32 offset = place - start[b];
    const u32 opposite = a == b ? start[a] + (offset ^ 1u) : g->block_start[b * (GROUPS + 1) + a] + offset;
    return g->group_start[b] + unpermute(&g->shuffle[b], opposite);
}

/* Joins the stubs [from, from + count) of group a, count <= BATCH; what is large is computed as a vector. */
FN void join(const struct Graph *g, u32 a, u32 from, u32 count) {
    const struct Permutation *shuffle = &g->shuffle[a];
    const u32 base = from - g->group_start[a], size = shuffle->size, even = size & ~1u;
    u32 place[BATCH], partner[BATCH];
    for (u32 i = 0; i < BATCH; i++) place[i] = base + i < size ? base + i : 0;
    if (size >= LARGE_DOMAIN) {
        for (u32 i = 0; i < BATCH; i++) place[i] = permute_once(shuffle, place[i], ROUNDS_LARGE);
        for (u32 i = 0; i < count; i++)
            if (place[i] >= size) place[i] = permute(shuffle, place[i]);
    } else {
        for (u32 i = 0; i < count; i++) place[i] = permute(shuffle, place[i]);
    }
    if (g->groups == 1 && size >= LARGE_DOMAIN) {
        for (u32 i = 0; i < BATCH; i++) partner[i] = place[i] < even ? place[i] ^ 1u : place[i];
        for (u32 i = 0; i < BATCH; i++) partner[i] = unpermute_once(shuffle, partner[i], ROUNDS_LARGE);
        for (u32 i = 0; i < count; i++)
            if (partner[i] >= size) partner[i] = unpermute(shuffle, partner[i]);
    } else {
        for (u32 i = 0; i < count; i++) partner[i] = partner_of(g, a, place[i], from + i);
    }
    for (u32 i = 0; i < count; i++) g->neighbour[from + i] = g->owner[partner[i]];
}

/* A tile takes the share of the member's stubs that corresponds to its place among the member's tiles. */
FN void epidemic_connect_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    const u64 edge = w->member_edge[p.member];
    struct Graph g;
    (void)tick;
    if (!p.scenario->community) return;
    g.group_start = w->group_start + (u64)p.member * (GROUPS + 1);
    g.block_start = w->block_start + (u64)p.member * GROUPS * (GROUPS + 1);
    g.owner = w->stub_owner + edge;
    g.neighbour = w->neighbour + edge;
    g.groups = p.scenario->groups;
    for (u32 a = 0; a < g.groups; a++)
        g.shuffle[a] = permutation(draw(w, &p, 0, DRAW_STUBS, a, 0), g.group_start[a + 1] - g.group_start[a]);
    const u64 stubs = g.group_start[g.groups];
    const u32 from = (u32)(stubs * (p.begin - p.first) / p.population);
    const u32 to = (u32)(stubs * (p.end - p.first) / p.population);
    for (u32 a = 0; a < g.groups; a++) {
        const u32 low = from > g.group_start[a] ? from : g.group_start[a];
        const u32 high = to < g.group_start[a + 1] ? to : g.group_start[a + 1];
        for (u32 stub = low + lane * BATCH; stub < high; stub += lanes * BATCH)
            join(&g, a, stub, high - stub < BATCH ? high - stub : BATCH);
    }
}

TILE_KERNEL(epidemic_connect)
