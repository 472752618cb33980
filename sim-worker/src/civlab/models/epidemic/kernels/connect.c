/* Generation 5: the community graph, a configuration model mixed by age, in closed form.
 *
 * The stubs of a group are shuffled by a keyed permutation and cut into blocks, one for each partner group;
 * place o of block (a, b) meets place o of block (b, a), within a group place o meets its neighbour o ^ 1. So
 * each contact finds its partner on its own. Loops and repeated contacts stay, as the model has them. */
#include "population.h"

FN void epidemic_connect_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    const struct Scenario *s = p.scenario;
    const u32 *group_start = w->group_start + (u64)p.member * (GROUPS + 1);
    const u32 *block_start = w->block_start + (u64)p.member * GROUPS * (GROUPS + 1);
    const u64 edge = w->member_edge[p.member];
    struct Permutation shuffle[GROUPS];
    (void)tick;
    if (!s->community) return;
    for (u32 a = 0; a < s->groups; a++)
        shuffle[a] = permutation(draw(w, &p, 0, DRAW_STUBS, a, 0), group_start[a + 1] - group_start[a]);
    for (u32 at = p.begin + lane; at < p.end; at += lanes) {
        const u32 a = s->group[w->age[at]], degree = w->degree[at];
        const u32 *start = block_start + a * (GROUPS + 1);
        for (u32 k = 0; k < degree; k++) {
            const u32 row = w->row_start[at] + k;
            const u32 place = permute(&shuffle[a], row - group_start[a]);
            u32 partner = row;
            if (place < start[s->groups]) {
                u32 b = 0;
                while (place >= start[b + 1]) b++;
                const u32 offset = place - start[b];
                const u32 opposite = a == b ? start[a] + (offset ^ 1u) : block_start[b * (GROUPS + 1) + a] + offset;
                partner = group_start[b] + unpermute(&shuffle[b], opposite);
            }
            w->neighbour[edge + row] = w->stub_owner[edge + partner];
        }
    }
}

TILE_KERNEL(epidemic_connect)
