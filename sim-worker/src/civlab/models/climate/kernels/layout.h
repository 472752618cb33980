/* Generated from civlab/models/climate/layout.py: change that, then `make generate`. */

#ifndef CIVLAB_CLIMATE_LAYOUT_H
#define CIVLAB_CLIMATE_LAYOUT_H

#include "civlab.h"

#define ZONES 5u
#define ELEMENTS 6u
#define METRICS 13u
#define DYNAMIC 22u
#define CHAINED 3u

#define CORE_FAIR 0u
#define CORE_DICE 1u

#define COLUMN_CARBON_0 0u
#define COLUMN_CARBON_1 1u
#define COLUMN_CARBON_2 2u
#define COLUMN_CARBON_3 3u
#define COLUMN_CH4_BURDEN 4u
#define COLUMN_N2O_BURDEN 5u
#define COLUMN_CO2_EMITTED 6u
#define COLUMN_FORCING_LAGGED 7u
#define COLUMN_TEMPERATURE_SURFACE 8u
#define COLUMN_TEMPERATURE_MIDDLE 9u
#define COLUMN_TEMPERATURE_DEEP 10u
#define COLUMN_WARMING 11u
#define COLUMN_TIPPING_GREENLAND_ICE 12u
#define COLUMN_TIPPING_WEST_ANTARCTIC_ICE 13u
#define COLUMN_TIPPING_CORAL_REEFS 14u
#define COLUMN_TIPPING_AMAZON 15u
#define COLUMN_TIPPING_BOREAL_PERMAFROST 16u
#define COLUMN_TIPPING_ATLANTIC_OVERTURNING 17u
#define COLUMN_SEA_LEVEL 18u
#define COLUMN_CARBON_EMITTED 19u
#define COLUMN_CARBON_ATMOSPHERE 20u
#define COLUMN_CARBON_SINKS 21u

#define PHASE_ADVANCE 0u
#define PHASE_RESPOND 1u
#define PHASE_POST 2u

#define METRIC_WARMING 0u
#define METRIC_TEMPERATURE 1u
#define METRIC_CO2 2u
#define METRIC_CH4 3u
#define METRIC_N2O 4u
#define METRIC_FORCING 5u
#define METRIC_IMBALANCE 6u
#define METRIC_SEA_LEVEL 7u
#define METRIC_DAMAGE 8u
#define METRIC_TIPPED 9u
#define METRIC_EMISSIONS 10u
#define METRIC_UPTAKE 11u
#define METRIC_CARBON_ATMOSPHERE 12u

struct Constants {
    double partition[4]; /* share of CO2 emissions by box */
    double lifetime[4]; /* yr: lifetime of CO2 by box at alpha = 1 */
    double g0; /* scale of alpha */
    double g1; /* yr: sensitivity of alpha */
    double co2_per_emission; /* ppm a GtCO2 */
    double ch4_per_emission; /* ppb a Mt */
    double n2o_per_emission; /* ppb a Mt */
    double ch4_lifetime; /* yr */
    double n2o_lifetime; /* yr */
    double ch4_baseline; /* ppb */
    double n2o_baseline; /* ppb */
    double ch4_baseline_emissions; /* Mt a year */
    double n2o_baseline_emissions; /* Mt a year */
    double ch4_by_ch4; /* change of CH4's lifetime by ppb of CH4 */
    double ch4_by_n2o; /* change of CH4's lifetime by ppb of N2O */
    double ch4_by_temperature; /* change of CH4's lifetime by K */
    double reference_co2; /* ppm at which CO2's forcing is zero */
    double reference_ch4; /* ppb at which CH4's forcing is zero */
    double reference_n2o; /* ppb at which N2O's forcing is zero */
    double zone[5]; /* warming of each zone's land a K of global warming */
    double threshold[6]; /* K of global warming at which an element tips */
    double timescale[6]; /* yr: an element's time scale */
    double tipped_warming[6]; /* K of global warming added by a tipped element */
    double sea_rate; /* m a year a K */
    double sea_rapid; /* m a K */
    double sea_equilibrium; /* K since the start at which the sea is at rest */
    double damage_quadratic; /* share a K^2 */
    double damage_steep; /* 1 for Weitzman's law */
    double years; /* yr: length of a tick */
    double initial[5]; /* DICE-2016R: GtC in three reservoirs, then K of surface and deep ocean */
    u32 core; /* 0 FaIR, 1 DICE-2016R */
    u32 sea_from; /* first tick of the sea-level law */
    u32 year_first; /* first of the scenario's years */
    u32 ticks; /* ticks of the scenario */
};
CIVLAB_STATIC_ASSERT(sizeof(struct Constants) == 488, "layout of Constants");

struct Year {
    double co2; /* GtCO2 a year */
    double ch4; /* Mt CH4 a year */
    double n2o; /* Mt N2O a year */
    double other; /* W m-2: forcing of everything else at the end of the tick */
    double ch4_factor; /* factor of CH4's lifetime by other species */
};
CIVLAB_STATIC_ASSERT(sizeof(struct Year) == 40, "layout of Year");

struct World {
    double *heat_capacity_surface; /* per member, W yr m-2 K-1: heat capacity of the surface layer */
    double *heat_capacity_middle; /* per member, W yr m-2 K-1: heat capacity of the middle layer */
    double *heat_capacity_deep; /* per member, W yr m-2 K-1: heat capacity of the deep layer */
    double *feedback; /* per member, W m-2 K-1: heat lost to space by warming of the surface */
    double *transfer_middle; /* per member, W m-2 K-1: heat transfer from surface to middle layer */
    double *transfer_deep; /* per member, W m-2 K-1: heat transfer from middle to deep layer */
    double *efficacy; /* per member, no unit: efficacy of deep-ocean heat uptake */
    double *gamma; /* per member, 1/yr: rate at which forcing reaches the layers */
    double *iirf_0; /* per member, yr: 100-year integral of CO2's airborne fraction at the start */
    double *iirf_uptake; /* per member, yr/GtCO2: change of that integral by what was taken up */
    double *iirf_temperature; /* per member, yr/K: change of that integral by warming */
    double *iirf_airborne; /* per member, yr/GtCO2: change of that integral by what is airborne */
    double *co2_baseline; /* per member, ppm: concentration of CO2 at the start */
    double *co2_scale; /* per member, no unit: scale of CO2's forcing, adjustments included */
    double *ch4_scale; /* per member, no unit: scale of CH4's forcing, adjustments included */
    double *n2o_scale; /* per member, no unit: scale of N2O's forcing, adjustments included */
    double *other_scale; /* per member, no unit: scale of the prescribed forcing */
    double *sensitivity; /* per member, K: equilibrium warming of doubled CO2 (DICE-2016R) */
    double *carbon_0; /* per member, GtCO2: CO2 in box 0 since the start (DICE-2016R: GtC in reservoir 0) */
    double *carbon_1; /* per member, GtCO2: CO2 in box 1 since the start (DICE-2016R: GtC in reservoir 1) */
    double *carbon_2; /* per member, GtCO2: CO2 in box 2 since the start (DICE-2016R: GtC in reservoir 2) */
    double *carbon_3; /* per member, GtCO2: CO2 in box 3 since the start (DICE-2016R: GtC in reservoir 3) */
    double *ch4_burden; /* per member, Mt: CH4 above the baseline */
    double *n2o_burden; /* per member, Mt: N2O above the baseline */
    double *co2_emitted; /* per member, GtCO2: CO2 emitted since the start */
    double *forcing_lagged; /* per member, W m-2: forcing as it reaches the layers */
    double *temperature_surface; /* per member, K: warming of the surface layer since the start, without tipping elements */
    double *temperature_middle; /* per member, K: warming of the middle layer */
    double *temperature_deep; /* per member, K: warming of the deep layer */
    double *warming; /* per member, K: global warming, tipping elements included */
    double *tipping_greenland_ice; /* per member, no unit: state of greenland ice: -1 today, +1 tipped */
    double *tipping_west_antarctic_ice; /* per member, no unit: state of west antarctic ice: -1 today, +1 tipped */
    double *tipping_coral_reefs; /* per member, no unit: state of coral reefs: -1 today, +1 tipped */
    double *tipping_amazon; /* per member, no unit: state of amazon: -1 today, +1 tipped */
    double *tipping_boreal_permafrost; /* per member, no unit: state of boreal permafrost: -1 today, +1 tipped */
    double *tipping_atlantic_overturning; /* per member, no unit: state of atlantic overturning: -1 today, +1 tipped */
    double *sea_level; /* per member, m: global mean sea level against the year in which the law begins */
    i64 *carbon_emitted; /* per member, kg: carbon emitted since the start */
    i64 *carbon_atmosphere; /* per member, kg: carbon in the air above the start */
    i64 *carbon_sinks; /* per member, kg: carbon taken up by land and sea since the start */
    double *lag; /* per member, no unit: share of the lagged forcing that a step keeps */
    double *response_10; /* per member, no unit: share of heat state 0 in layer 1 after a step */
    double *response_11; /* per member, no unit: share of heat state 1 in layer 1 after a step */
    double *response_12; /* per member, no unit: share of heat state 2 in layer 1 after a step */
    double *response_13; /* per member, no unit: share of heat state 3 in layer 1 after a step */
    double *response_20; /* per member, no unit: share of heat state 0 in layer 2 after a step */
    double *response_21; /* per member, no unit: share of heat state 1 in layer 2 after a step */
    double *response_22; /* per member, no unit: share of heat state 2 in layer 2 after a step */
    double *response_23; /* per member, no unit: share of heat state 3 in layer 2 after a step */
    double *response_30; /* per member, no unit: share of heat state 0 in layer 3 after a step */
    double *response_31; /* per member, no unit: share of heat state 1 in layer 3 after a step */
    double *response_32; /* per member, no unit: share of heat state 2 in layer 3 after a step */
    double *response_33; /* per member, no unit: share of heat state 3 in layer 3 after a step */
    double *response_forcing_0; /* per member, no unit: response of heat state 0 to a step's forcing */
    double *response_forcing_1; /* per member, no unit: response of heat state 1 to a step's forcing */
    double *response_forcing_2; /* per member, no unit: response of heat state 2 to a step's forcing */
    double *response_forcing_3; /* per member, no unit: response of heat state 3 to a step's forcing */
    double *co2_offset; /* per member, W m-2: CO2's forcing by formula at the baseline */
    double *ch4_offset; /* per member, W m-2: CH4's forcing by formula at the baseline */
    double *n2o_offset; /* per member, W m-2: N2O's forcing by formula at the baseline */
    double *co2; /* per member, ppm: concentration of CO2 */
    double *ch4; /* per member, ppb: concentration of CH4 */
    double *n2o; /* per member, ppb: concentration of N2O */
    double *forcing; /* per member, W m-2: effective radiative forcing, all agents */
    u32 *tile_begin; /* per tile, no unit: first member of the tile */
    u32 *tile_end; /* per tile, no unit: member after the tile's last */
    u32 *tile_scenario; /* per tile, no unit: scenario of the tile's members */
    u32 *member_scenario; /* per member, no unit: compiled scenario of the member */
    struct Constants *constants; /* per scenario, no unit: compiled scenarios */
    struct Year *year; /* per year, no unit: what each year of each scenario emits */
    u32 *fault; /* per member, no unit: first tick + 1 at which carbon was not conserved, 0 none */
    i64 *emission; /* per member, kg: carbon emitted in the tick */
    i64 *uptake; /* per member, kg: carbon taken up in the tick */
    i64 *history; /* 13 per member and tick, no unit: metrics */
    u64 *column_digest; /* 44 per member, no unit: running digest of each dynamic column */
    u64 *column_recount; /* 44 per member, no unit: digest of each dynamic column counted in full */
    u64 *phase_digest; /* 6 per member, no unit: change of the state by each chained phase */
    u32 *head; /* 8 per member, no unit: head of the chain, BLAKE3 */
    u64 seed; /* key of all draws */
    u32 members; /* members held at once */
    u32 tiles; /* tiles held at once */
};
CIVLAB_STATIC_ASSERT(sizeof(struct World) == 640, "layout of World");

#endif
