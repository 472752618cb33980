/* Not a phase: draws a member's map and settles it. */
#include "borders.h"
#include "settlement.h"

FN void civilisation_map_member(const struct World *w, u32 tick, u32 member) {
    const struct Home home = home_of(w, member);
    const struct Survey s = survey_of(w, &home);
    struct Borders b;
    (void)tick;
    raise_land(&s);
    measure_inland(&s);
    count_quota(&s, &b);
    divide_land(&s, b.seed, b.owned);
    move_borders(&s, &b);
    number_regions(w, &s);
    settle_citizens(w, &s);
    use_land(w, &s);
    for (u32 region = 0; region < s.regions; region++) {
        fill_reach(w, &s, region);
        bury_fuel(w, &s, region);
    }
}

MEMBER_KERNEL(civilisation_map)
