/* How the climate's kernels read a member: constants of its scenario, and its columns as the equations' structures. */
#ifndef CIVLAB_CLIMATE_H
#define CIVLAB_CLIMATE_H
#include "layout.h"
#include "energy_balance.h"
#include "forcing.h"
#include "gases.h"

#if defined(__CUDACC__) || defined(__CUDACC_RTC__) || defined(CIVLAB_LANES)
#define VECTORISED
#else
/* Members are independent and no two columns overlap: the compiler may take several members at once. */
#define VECTORISED _Pragma("GCC ivdep")
#endif

/* Visits the members of a tile; its one lane on a CPU takes them in order. */
#define EACH_MEMBER(m, w, tile) for (u32 m = (w)->tile_begin[tile] + lane; m < (w)->tile_end[tile]; m += lanes)

FN struct GasConstants gas_constants(const struct Constants *c) {
    struct GasConstants g;
    for (u32 i = 0; i < CO2_BOXES; i++) g.partition[i] = c->partition[i], g.lifetime[i] = c->lifetime[i];
    g.g0 = c->g0, g.g1 = c->g1;
    g.co2_per_emission = c->co2_per_emission;
    g.ch4_per_emission = c->ch4_per_emission;
    g.n2o_per_emission = c->n2o_per_emission;
    g.ch4_lifetime = c->ch4_lifetime;
    g.ch4_baseline = c->ch4_baseline, g.n2o_baseline = c->n2o_baseline;
    g.ch4_baseline_emissions = c->ch4_baseline_emissions, g.n2o_baseline_emissions = c->n2o_baseline_emissions;
    g.ch4_by_ch4 = c->ch4_by_ch4, g.ch4_by_n2o = c->ch4_by_n2o, g.ch4_by_temperature = c->ch4_by_temperature;
    g.n2o_decay = gas_decay(c->n2o_lifetime, c->years);
    g.n2o_response = c->n2o_lifetime * (1.0 - g.n2o_decay);
    return g;
}

FN struct ForcingReference forcing_reference(const struct Constants *c) {
    struct ForcingReference r;
    r.co2 = c->reference_co2, r.ch4 = c->reference_ch4, r.n2o = c->reference_n2o;
    r.root_ch4 = square_root(r.ch4), r.root_n2o = square_root(r.n2o);
    return r;
}

#endif
