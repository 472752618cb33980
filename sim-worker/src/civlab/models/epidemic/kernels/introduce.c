/* Phase `introduce`: infections from outside. Over all introductions of a scenario the persons are drawn
 * without replacement, by their places in one keyed permutation; whoever is no longer susceptible is spared,
 * and the draw is not repeated, so that an intervention does not change whom the others strike. */
#include "population.h"

FN void epidemic_introduce_member(const struct World *w, u32 tick, u32 member) {
    const struct Place p = place_of_member(w, member);
    const struct Scenario *s = p.scenario;
    struct Changes changes = no_changes();
    u64 introduced = 0;
    for (u32 i = 0; i < s->introductions; i++) {
        if (s->introduction_tick[i] != tick) continue;
        const struct Permutation order = permutation(draw(w, &p, 0, DRAW_INTRODUCTION, 0, 0), p.population);
        for (u32 k = 0; k < s->introduction_count[i]; k++) {
            const u32 agent = permute(&order, s->introduction_first[i] + k);
            if (w->state[p.first + agent] != STATE_SUSCEPTIBLE) continue;
            infect(w, &p, &changes, agent, tick, 0, ORIGIN_INTRODUCED);
            introduced++;
        }
    }
    if (introduced == 0) return;
    add_changes(w, member, PHASE_INTRODUCE, &changes);
    w->flow[(u64)member * FLOWS + ORIGIN_INTRODUCED - 1] += introduced;
}

MEMBER_KERNEL(epidemic_introduce)
