/* Phase `part`: jobs end, by notice, by themselves or by age, and those without one decide whether to apply this week.
 *
 * Four neighbours share a block of random numbers. Who left and who applies is counted; nobody's employer is read by
 * another citizen, so tiles do not depend on each other. */
#include "crowd_work.h"
#include "economy.h"

struct Parting {
    const struct World *w;
    const struct Home *home;
    u64 quit;
    u32 tick, retirement, left;
    u32 seekers[SKILLS];
};

/* What citizen `at` does; returns the cell `seeking`. */
FN u32 part_citizen(struct Parting *t, u32 at, u32 word, struct Changes *changes) {
    const struct World *w = t->w;
    const u32 traits = w->traits[at], skill = skill_of(traits), age = weeks_old(w->born[at], t->tick);
    if (age < ADULT * WEEKS || age >= t->retirement * WEEKS || health_of(traits) >= HEALTH_ILL) {
        if (w->employer[at] == 0) return 0;
    } else if (w->employer[at] == 0) {
        if (word >= t->home->scenario->search) return 0;
        t->seekers[skill]++;
        return skill + 1;
    } else if (word >= w->lapse[(u64)(t->home->first_firm + w->employer[at] - 1) * SKILLS + skill]) {
        return 0;
    }
    shared_add32(w->left + (u64)(t->home->first_firm + w->employer[at] - 1) * SKILLS + skill, 1);
    CHANGE(w, t->home, changes, EMPLOYER, employer, citizen, at, 0);
    t->left++;
    return 0;
}

FN void civilisation_part_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 region = w->tile_region[tile], end = w->tile_end[tile];
    const struct Home h = home_of(w, w->tile_member[tile]);
    if (is_crowd(w, region)) {
        if (lane == 0 && is_first_tile(w, region, tile)) crowd_part(w, &h, region, tick);
        return;
    }
    struct Parting t = {w, &h, h.scenario->quit, tick, h.scenario->retirement, 0, {0}};
    struct Changes changes = no_changes();
    for (u32 at = w->tile_begin[tile] + 4 * lane; at < end; at += 4 * lanes) {
        if ((w->household[at] | w->household[at + 1] | w->household[at + 2] | w->household[at + 3]) == 0) {
            for (u32 k = 0; k < 4; k++) w->seeking[at + k] = 0;
            continue;
        }
        const struct Block block = draw(w, &h, tick, DRAW_WORK, (at - h.first_citizen) / 4, 0);
        for (u32 k = 0; k < 4; k++)
            w->seeking[at + k] = w->household[at + k] ? (u8)part_citizen(&t, at + k, block.word[k], &changes) : 0;
    }
    for (u32 k = 0; k < SKILLS; k++) flush_add32(w->tile_seekers + (u64)tile * SKILLS + k, t.seekers[k]);
    flush_add(w->vital + (u64)region * VITALS + VITAL_SEPARATIONS, t.left);
    flush_changes(w, h.member, PHASE_LABOUR, &changes);
}

TILE_KERNEL(civilisation_part)
