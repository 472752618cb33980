/* Which firm a place belongs to, where the places of a region's firms are numbered side by side. */
#ifndef CIVLAB_CIVILISATION_JOBS_H
#define CIVLAB_CIVILISATION_JOBS_H
#include "civilisation.h"

/* The last firm in [begin, end) whose places of a skill begin at or before it. */
FN u32 firm_of_place(const struct World *w, u32 begin, u32 end, u32 skill, u32 place) {
    while (end - begin > 1) {
        const u32 middle = begin + (end - begin) / 2;
        if (w->place[(u64)middle * SKILLS + skill] <= place) begin = middle;
        else end = middle;
    }
    return begin;
}

#endif
