/* Phase `progress`: whoever is due today moves on, before anybody meets anybody.
 *
 * Exposed become infectious, or severe where the scenario has a hospital; infectious recover; severe are
 * admitted; patients recover or die, the likelier the more patients there were than beds as the day began. */
#include "population.h"

/* Q1.31 chance that a patient of this age dies: the share of patients who had no bed at the last count dies
 * `surge` times as often. */
FN u32 chance_of_death(const struct Scenario *s, u32 age, u32 patients) {
    const u64 base = s->fatal[age];
    if (patients <= s->beds) return (u32)base;
    const u64 weight = (u64)s->beds * 65536u + (u64)(patients - s->beds) * s->surge;
    const u128 chance = (u128)base * weight / ((u64)patients * 65536u);
    return chance > Q31_ONE ? Q31_ONE : (u32)chance;
}

FN void begin_course(const struct World *w, const struct Place *p, struct Changes *changes, u32 agent, u32 tick) {
    const struct Scenario *s = p->scenario;
    const struct Block block = draw(w, p, tick, DRAW_COURSE, agent, 0);
    u32 severe = 0;
    if (s->hospital) {
        severe = s->severe[w->age[p->first + agent]];
        if (is_protected(s, w->vaccination[p->first + agent], tick)) severe = q31_times(severe, s->vaccination_severe);
    }
    if (q31_happens(block.word[2], severe)) {
        set_state(w, p, changes, agent, STATE_SEVERE);
        set_due(w, p, changes, agent, tick + table_value(s->admission, 1, DAYS, first_u64(&block)));
    } else {
        set_state(w, p, changes, agent, STATE_INFECTIOUS);
        set_due(w, p, changes, agent, tick + table_value(s->infectious, 1, DAYS, first_u64(&block)));
    }
}

FN void epidemic_progress_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    const struct Scenario *s = p.scenario;
    const u16 *due = w->due;
    struct Changes changes = no_changes();
    u64 admissions = 0, deaths = 0;
    (void)lane, (void)lanes;
    if (tick > 0) {
        SCAN_EQUAL(u16, due, tick, at, p.begin, p.end) {
            const u32 agent = at - p.first;
            const u32 state = w->state[at];
            if (state == STATE_EXPOSED) {
                begin_course(w, &p, &changes, agent, tick);
            } else if (state == STATE_SEVERE) {
                const struct Block block = draw(w, &p, tick, DRAW_OUTCOME, agent, 0);
                set_state(w, &p, &changes, agent, STATE_HOSPITAL);
                set_due(w, &p, &changes, agent, tick + table_value(s->stay, 1, DAYS, first_u64(&block)));
                admissions++;
            } else if (state == STATE_HOSPITAL) {
                const struct Block block = draw(w, &p, tick, DRAW_OUTCOME, agent, 0);
                const u32 patients = w->stock[p.member * 8 + STATE_HOSPITAL];
                const u32 dies = q31_happens(block.word[2], chance_of_death(s, w->age[at], patients));
                set_state(w, &p, &changes, agent, dies ? STATE_DEAD : STATE_RECOVERED);
                set_due(w, &p, &changes, agent, 0);
                deaths += dies;
            } else {
                set_state(w, &p, &changes, agent, STATE_RECOVERED);
                set_due(w, &p, &changes, agent, 0);
            }
        }
    }
    flush_changes(w, p.member, PHASE_PROGRESS, &changes);
    flush_add(w->flow + (u64)p.member * FLOWS + FLOW_ADMISSIONS, admissions);
    flush_add(w->flow + (u64)p.member * FLOWS + FLOW_DEATHS, deaths);
}

TILE_KERNEL(epidemic_progress)
