/* Generated from civlab/models/climate/layout.py: change that, then `make generate`. */
#include "digest.h"
#include "layout.h"

/* Not a phase: counts the digest of each dynamic column of the kind member in full. */
FN void climate_recount_member_member(const struct World *w, u32 tick, u32 member) {
    const u64 first = member, begin = member, end = first + 1;
    struct Digest of_carbon_0 = {0, 0};
    struct Digest of_carbon_1 = {0, 0};
    struct Digest of_carbon_2 = {0, 0};
    struct Digest of_carbon_3 = {0, 0};
    struct Digest of_ch4_burden = {0, 0};
    struct Digest of_n2o_burden = {0, 0};
    struct Digest of_co2_emitted = {0, 0};
    struct Digest of_forcing_lagged = {0, 0};
    struct Digest of_temperature_surface = {0, 0};
    struct Digest of_temperature_middle = {0, 0};
    struct Digest of_temperature_deep = {0, 0};
    struct Digest of_warming = {0, 0};
    struct Digest of_tipping_greenland_ice = {0, 0};
    struct Digest of_tipping_west_antarctic_ice = {0, 0};
    struct Digest of_tipping_coral_reefs = {0, 0};
    struct Digest of_tipping_amazon = {0, 0};
    struct Digest of_tipping_boreal_permafrost = {0, 0};
    struct Digest of_tipping_atlantic_overturning = {0, 0};
    struct Digest of_sea_level = {0, 0};
    struct Digest of_carbon_emitted = {0, 0};
    struct Digest of_carbon_atmosphere = {0, 0};
    struct Digest of_carbon_sinks = {0, 0};
    u64 *cell;
    (void)tick;
    for (u64 at = begin; at < end; at++) {
        digest_change_u64(&of_carbon_0, COLUMN_CARBON_0, at - first, 0, bits_of(w->carbon_0[at]));
        digest_change_u64(&of_carbon_1, COLUMN_CARBON_1, at - first, 0, bits_of(w->carbon_1[at]));
        digest_change_u64(&of_carbon_2, COLUMN_CARBON_2, at - first, 0, bits_of(w->carbon_2[at]));
        digest_change_u64(&of_carbon_3, COLUMN_CARBON_3, at - first, 0, bits_of(w->carbon_3[at]));
        digest_change_u64(&of_ch4_burden, COLUMN_CH4_BURDEN, at - first, 0, bits_of(w->ch4_burden[at]));
        digest_change_u64(&of_n2o_burden, COLUMN_N2O_BURDEN, at - first, 0, bits_of(w->n2o_burden[at]));
        digest_change_u64(&of_co2_emitted, COLUMN_CO2_EMITTED, at - first, 0, bits_of(w->co2_emitted[at]));
        digest_change_u64(&of_forcing_lagged, COLUMN_FORCING_LAGGED, at - first, 0, bits_of(w->forcing_lagged[at]));
        digest_change_u64(&of_temperature_surface, COLUMN_TEMPERATURE_SURFACE, at - first, 0, bits_of(w->temperature_surface[at]));
        digest_change_u64(&of_temperature_middle, COLUMN_TEMPERATURE_MIDDLE, at - first, 0, bits_of(w->temperature_middle[at]));
        digest_change_u64(&of_temperature_deep, COLUMN_TEMPERATURE_DEEP, at - first, 0, bits_of(w->temperature_deep[at]));
        digest_change_u64(&of_warming, COLUMN_WARMING, at - first, 0, bits_of(w->warming[at]));
        digest_change_u64(&of_tipping_greenland_ice, COLUMN_TIPPING_GREENLAND_ICE, at - first, 0, bits_of(w->tipping_greenland_ice[at]));
        digest_change_u64(&of_tipping_west_antarctic_ice, COLUMN_TIPPING_WEST_ANTARCTIC_ICE, at - first, 0, bits_of(w->tipping_west_antarctic_ice[at]));
        digest_change_u64(&of_tipping_coral_reefs, COLUMN_TIPPING_CORAL_REEFS, at - first, 0, bits_of(w->tipping_coral_reefs[at]));
        digest_change_u64(&of_tipping_amazon, COLUMN_TIPPING_AMAZON, at - first, 0, bits_of(w->tipping_amazon[at]));
        digest_change_u64(&of_tipping_boreal_permafrost, COLUMN_TIPPING_BOREAL_PERMAFROST, at - first, 0, bits_of(w->tipping_boreal_permafrost[at]));
        digest_change_u64(&of_tipping_atlantic_overturning, COLUMN_TIPPING_ATLANTIC_OVERTURNING, at - first, 0, bits_of(w->tipping_atlantic_overturning[at]));
        digest_change_u64(&of_sea_level, COLUMN_SEA_LEVEL, at - first, 0, bits_of(w->sea_level[at]));
        digest_change_u64(&of_carbon_emitted, COLUMN_CARBON_EMITTED, at - first, 0, (u64)w->carbon_emitted[at]);
        digest_change_u64(&of_carbon_atmosphere, COLUMN_CARBON_ATMOSPHERE, at - first, 0, (u64)w->carbon_atmosphere[at]);
        digest_change_u64(&of_carbon_sinks, COLUMN_CARBON_SINKS, at - first, 0, (u64)w->carbon_sinks[at]);
    }
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CARBON_0) * 2;
    cell[0] += of_carbon_0.low, cell[1] += of_carbon_0.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CARBON_1) * 2;
    cell[0] += of_carbon_1.low, cell[1] += of_carbon_1.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CARBON_2) * 2;
    cell[0] += of_carbon_2.low, cell[1] += of_carbon_2.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CARBON_3) * 2;
    cell[0] += of_carbon_3.low, cell[1] += of_carbon_3.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CH4_BURDEN) * 2;
    cell[0] += of_ch4_burden.low, cell[1] += of_ch4_burden.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_N2O_BURDEN) * 2;
    cell[0] += of_n2o_burden.low, cell[1] += of_n2o_burden.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CO2_EMITTED) * 2;
    cell[0] += of_co2_emitted.low, cell[1] += of_co2_emitted.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_FORCING_LAGGED) * 2;
    cell[0] += of_forcing_lagged.low, cell[1] += of_forcing_lagged.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TEMPERATURE_SURFACE) * 2;
    cell[0] += of_temperature_surface.low, cell[1] += of_temperature_surface.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TEMPERATURE_MIDDLE) * 2;
    cell[0] += of_temperature_middle.low, cell[1] += of_temperature_middle.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TEMPERATURE_DEEP) * 2;
    cell[0] += of_temperature_deep.low, cell[1] += of_temperature_deep.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_WARMING) * 2;
    cell[0] += of_warming.low, cell[1] += of_warming.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TIPPING_GREENLAND_ICE) * 2;
    cell[0] += of_tipping_greenland_ice.low, cell[1] += of_tipping_greenland_ice.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TIPPING_WEST_ANTARCTIC_ICE) * 2;
    cell[0] += of_tipping_west_antarctic_ice.low, cell[1] += of_tipping_west_antarctic_ice.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TIPPING_CORAL_REEFS) * 2;
    cell[0] += of_tipping_coral_reefs.low, cell[1] += of_tipping_coral_reefs.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TIPPING_AMAZON) * 2;
    cell[0] += of_tipping_amazon.low, cell[1] += of_tipping_amazon.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TIPPING_BOREAL_PERMAFROST) * 2;
    cell[0] += of_tipping_boreal_permafrost.low, cell[1] += of_tipping_boreal_permafrost.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_TIPPING_ATLANTIC_OVERTURNING) * 2;
    cell[0] += of_tipping_atlantic_overturning.low, cell[1] += of_tipping_atlantic_overturning.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_SEA_LEVEL) * 2;
    cell[0] += of_sea_level.low, cell[1] += of_sea_level.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CARBON_EMITTED) * 2;
    cell[0] += of_carbon_emitted.low, cell[1] += of_carbon_emitted.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CARBON_ATMOSPHERE) * 2;
    cell[0] += of_carbon_atmosphere.low, cell[1] += of_carbon_atmosphere.high;
    cell = w->column_recount + ((u64)member * DYNAMIC + COLUMN_CARBON_SINKS) * 2;
    cell[0] += of_carbon_sinks.low, cell[1] += of_carbon_sinks.high;
}

MEMBER_KERNEL(climate_recount_member)
